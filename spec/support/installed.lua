--- What `make install` puts below a directory, as a package would have it (prefix=/usr).
local proc = require "spec.support.proc"

local installed = {}

--- Runs a command in the checkout, as the one who may read it and by no outer make; returns stdout.
function installed.run(...)
  return proc.must({ ... }, { as_root = true, cwd = ".", seconds = 120,
    env = { MAKEFLAGS = false, MFLAGS = false, MAKELEVEL = false, DESTDIR = false, prefix = false, BUILD = false } })
end

-- A build of this run's own, begun with what is built: another prefix links the program anew, of which
-- the specs beside this one take copies.
local function build()
  if not proc.shared.build then
    local dir = proc.new_dir("build")
    installed.run("cp", "-a", "build/obj", "build/embedded.c", "build/prefix", "build/plusmoin", dir)
    proc.shared.build = dir
  end
  return proc.shared.build
end

--- `make install` with these variables.
function installed.make(...)
  installed.run("make", "install", "BUILD=" .. build(), ...)
end

--- The directory below which all is; made once for a run of busted.
function installed.dir()
  if not proc.shared.installed then
    local dir = proc.new_dir("install")
    installed.make("DESTDIR=" .. dir, "prefix=/usr")
    proc.shared.installed = dir
  end
  return proc.shared.installed
end

--- The text of an installed file.
function installed.read(path)
  return assert(proc.read_file(installed.dir() .. path), path .. " is not installed")
end

return installed
