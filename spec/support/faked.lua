--- A plusmoin whose clocks can be set while it runs (libfaketime); not for the sanitizers' builds.
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"

local LIBRARY = "/usr/lib/" .. (io.popen("gcc -dumpmachine"):read("l") or "") .. "/faketime/libfaketimeMT.so.1"

local faked = {}

--- The path of the library made of spec/support/NAME.c, to be preloaded.
function faked.library(name)
  proc.shared.libraries = proc.shared.libraries or proc.new_dir("libraries")
  local path = proc.shared.libraries .. "/" .. name .. ".so"
  if not proc.read_file(path) then
    proc.must({ os.getenv("CC") or "gcc", "-O1", "-shared", "-fPIC", "-o", path, "spec/support/" .. name .. ".c" },
      { as_root = true, cwd = "." })
  end
  return path
end

--- Starts one (options as plusmoin.new; `steady`: the steady clocks are set, too, as if the machine had slept).
-- Its `set_clock(seconds)` sets them by so much against the true time. Waits for plusmoin_up.
function faked.start(options)
  local file = proc.new_dir("clock") .. "/now"
  proc.write_file(file, "+0\n")
  local daemon = plusmoin.new(options)
  -- by env: what is preloaded before the user changes could not share its memory; FORCE_MONOTONIC_FIX=0: else
  -- libfaketime 0.9.10 breaks pthread_cond_timedwait
  daemon.process = proc.spawn({ "env", "LD_PRELOAD=" .. LIBRARY, "FAKETIME_TIMESTAMP_FILE=" .. file,
    "FAKETIME_NO_CACHE=1", "FAKETIME_FORCE_MONOTONIC_FIX=0",
    "FAKETIME_DONT_FAKE_MONOTONIC=" .. (options.steady and 0 or 1), plusmoin.binary(), "-c", daemon.config_path,
    "-x", "start" }, { output = daemon.out_path, cwd = daemon.dir })
  plusmoin.running[daemon] = true
  daemon:expect_events { { "plusmoin_up" } }
  function daemon.set_clock(_, seconds)
    proc.write_file(file .. ".new", ("%+d\n"):format(seconds))
    assert(os.rename(file .. ".new", file)) -- in one step: libfaketime ends a program that reads half of it
  end
  return daemon
end

return faked
