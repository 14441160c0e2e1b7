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

--- Lets `daemon:start()` start it so, and gives it `set_clock(seconds)`, which sets its clocks by so much against the
-- true time. `steady`: the steady clocks, too, as if the machine had slept.
function faked.prepare(daemon, steady)
  local file = proc.new_dir("clock") .. "/now"
  proc.write_file(file, "+0\n")
  -- by env: what is preloaded before the user changes could not share its memory; FORCE_MONOTONIC_FIX=0: else
  -- libfaketime 0.9.10 breaks pthread_cond_timedwait
  function daemon:start()
    self.process = proc.spawn({ "env", "LD_PRELOAD=" .. LIBRARY, "FAKETIME_TIMESTAMP_FILE=" .. file,
      "FAKETIME_NO_CACHE=1", "FAKETIME_FORCE_MONOTONIC_FIX=0",
      "FAKETIME_DONT_FAKE_MONOTONIC=" .. (steady and 0 or 1), plusmoin.binary(), "-c", self.config_path,
      "-x", "start" }, { output = self.out_path, cwd = self.dir })
    plusmoin.running[self] = true
    return self
  end
  function daemon.set_clock(_, seconds)
    proc.write_file(file .. ".new", ("%+d\n"):format(seconds))
    assert(os.rename(file .. ".new", file)) -- in one step: libfaketime ends a program that reads half of it
  end
  return daemon
end

--- Starts one: options as plusmoin.new, and `steady`. Waits for plusmoin_up.
function faked.start(options)
  local daemon = faked.prepare(plusmoin.new(options), options.steady):start()
  daemon:expect_events { { "plusmoin_up" } }
  return daemon
end

return faked
