--- What `make install` puts below a directory, as a package would have it (prefix=/usr).
local proc = require "spec.support.proc"

local installed = {}

--- Runs a command in the checkout, as the one who may read it and by no outer make; returns stdout.
function installed.run(...)
  return proc.must({ ... }, { as_root = true, cwd = ".", seconds = 120,
    env = { MAKEFLAGS = false, MFLAGS = false, MAKELEVEL = false, DESTDIR = false, prefix = false, BUILD = false } })
end

--- The directory below which all is; made once for a run of busted.
function installed.dir()
  if not proc.shared.installed then
    local dir = proc.new_dir("install")
    installed.run("make", "install", "DESTDIR=" .. dir, "prefix=/usr")
    proc.shared.installed = dir
  end
  return proc.shared.installed
end

--- The text of an installed file.
function installed.read(path)
  return assert(proc.read_file(installed.dir() .. path), path .. " is not installed")
end

return installed
