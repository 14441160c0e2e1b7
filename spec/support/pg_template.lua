--- A stopped cluster with role and database `plusmoin`, of which the tests' servers are copies (a part of
-- spec/support/pg.lua). It is this run's, or that of all jobs of run-tests.sh, which names its directory.
local proc = require "spec.support.proc"

local uv = proc.uv
local template = {}

-- $1: where the servers' programs are, $2: the template; postgresql.conf, $3, says what standbys want of it, too;
-- then initdb's further options. Made once, by whoever is first of the jobs; nobody needs the 300 files of
-- template0, which each server would copy.
local MAKE = [[
bin=$1
dir=$2
conf=$3
shift 3
[ ! -d "$dir" ] || exit 0
rm -rf "$dir.new"
"$bin/initdb" -D "$dir.new" -U postgres -A trust -N --locale=C -E UTF8 "$@"
printf '%s\n' "$conf" > "$dir.new/postgresql.conf"
"$bin/postgres" --single -D "$dir.new" -F postgres <<END
CREATE ROLE plusmoin LOGIN;
CREATE DATABASE plusmoin OWNER plusmoin;
UPDATE pg_database SET datistemplate = false WHERE datname = 'template0';
DROP DATABASE template0;
END
mv "$dir.new" "$dir"
]]

-- Where templates are: the directory that all jobs share, else one of this run's.
local function root()
  local shared = os.getenv("PLUSMOIN_TEMPLATES")
  if shared then
    proc.give(shared)
    return shared
  end
  local own = proc.shared.templates
  own = own and uv.fs_stat(own) and own or proc.new_dir("template")
  proc.shared.templates = own
  return own
end

--- The directory of the template for servers of that version (spec/support/pg_versions.lua); each `family` (a
-- number) has a system identifier of its own. `settings`: postgresql.conf.
function template.of(version, family, settings)
  local dir = ("%s/%s-%d"):format(root(), version.bin:gsub("/", "_"), family)
  if not uv.fs_stat(dir) then
    local argv = { "flock", dir .. ".lock", "sh", "-euc", MAKE, "sh", version.bin, dir, settings }
    for _, option in ipairs(version:initdb_options()) do
      argv[#argv + 1] = option
    end
    proc.must(argv, { seconds = 120 })
  end
  return dir
end

return template
