--- What differs between servers of PostgreSQL 10 to 18 (a part of spec/support/pg.lua).
local proc = require "spec.support.proc"

local uv = proc.uv
local versions = {}

local PRIVATE = tonumber("600", 8)

local Version = {}
Version.__index = Version

--- The version whose programs are in `bin`, a directory's name with a slash at its end.
function versions.of(bin)
  return setmetatable({ bin = bin }, Version)
end

--- Its number: 10 to 18.
function Version:major()
  if not self.number then
    self.number = math.tointeger(tonumber(proc.must({ self.bin .. "postgres", "--version" }):match("(%d+)[%.%a]")))
  end
  return self.number
end

--- Where program `name` is; nil if this version came without it.
function Version:program(name)
  return uv.fs_stat(self.bin .. name) and self.bin .. name or nil
end

--- psql: its own, else the newest of Debian's, which talks to all of these versions.
function Version:psql()
  if not self.client then
    local newest = 0
    local found = uv.fs_scandir("/usr/lib/postgresql")
    for name in uv.fs_scandir_next, found do
      newest = math.max(newest, tonumber(name) or 0)
    end
    self.client = self:program("psql") or ("/usr/lib/postgresql/%d/bin/psql"):format(newest)
  end
  return self.client
end

--- The arguments of initdb that not each version knows: small segments, few words.
function Version:initdb_options()
  local options = {}
  if self:major() >= 11 then
    options[#options + 1] = "--wal-segsize=1"
  end
  if self:major() >= 14 then
    options[#options + 1] = "--no-instructions"
  end
  return options
end

--- Lines of postgresql.conf that each version knows by another name: 48 MB of log are kept for standbys.
function Version:settings()
  local lines = { self:major() >= 13 and "wal_keep_size = 48MB"
    or "wal_keep_segments = " .. (self:major() >= 11 and 48 or 3) }
  if self:major() >= 11 then
    lines[#lines + 1] = "jit = off"
  end
  return table.concat(lines, "\n")
end

--- Makes a standby of the stopped or running server in `data`, which follows `conninfo`; nil: makes a master of it.
-- Returns the line that its postgresql.conf needs for that, if any.
function Version:follow(data, conninfo)
  local old = self:major() < 12
  local mark = data .. (old and "/recovery.conf" or "/standby.signal")
  if not conninfo then
    os.remove(mark)
    return nil
  end
  local line = ("primary_conninfo = '%s'"):format(conninfo)
  proc.write_file(mark, old and line .. "\nstandby_mode = on\nrecovery_target_timeline = latest\n" or "", PRIVATE)
  return not old and line or nil
end

--- Whether a running standby takes another primary_conninfo by a reload; else it must be restarted.
function Version:follows_by_reload()
  return self:major() >= 13
end

--- Asks a standby to become a master, and does not wait for it.
function Version:promote(server)
  if self:major() >= 12 then
    server:sql("SELECT pg_promote(false)")
  else
    self:promote_unheard(server)
  end
end

--- The same without a connection to it, and without waiting.
function Version:promote_unheard(server)
  proc.must { self.bin .. "pg_ctl", "promote", "-W", "-D", server.data }
end

--- The statement whose answer is "paused" once a standby does not replay any more.
function Version:pause_state()
  return self:major() >= 14 and "SELECT pg_get_wal_replay_pause_state()"
    or "SELECT CASE WHEN pg_is_wal_replay_paused() THEN 'paused' END"
end

--- Whether pg_rewind is there, and makes of the stopped server in `data` one that can follow the running `from`.
function Version:rewind(from, data)
  return self:program("pg_rewind") ~= nil and 0 == proc.run({ self.bin .. "pg_rewind", "-D", data, "-N",
    "--config-file", data .. "/postgresql.conf", "--source-server",
    ("host=%s port=%d user=postgres dbname=postgres"):format(from.host, from.port) })
end

-- What psql does in one session: a backup ends with the session that has begun it.
local COPY = [[
SELECT pg_%s('copy', true%s);
\! cp -r --preserve=mode '%s' '%s'
\o '%s/backup_label'
SELECT labelfile FROM pg_%s(false%s);
]]

--- Copies the running server `from` to the directory `data`: by pg_basebackup, else by hand as the manual has it.
function Version:copy(from, data)
  proc.must({ "rm", "-rf", data })
  local where = { "-h", from.host, "-p", tostring(from.port), "-U", "postgres" }
  if self:program("pg_basebackup") then
    proc.must { self.bin .. "pg_basebackup", "-D", data, "-c", "fast", "-N", "-X", "stream", table.unpack(where) }
    return
  end
  local old = self:major() < 15
  local text = COPY:format(old and "start_backup" or "backup_start", old and ", false" or "", from.data, data, data,
    old and "stop_backup" or "backup_stop", old and ", false" or "")
  proc.must({ self:psql(), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", table.unpack(where) }, { stdin = text })
end

return versions
