--- Files that hang whoever opens or executes them, and whether the monitor's loop goes on meanwhile.
local faked = require "spec.support.faked"
local proc = require "spec.support.proc"

-- LATE_MS: an answer of the loop that takes longer, less what was spent waiting for a processor, was held up. A
-- sanitizer's allocator has locks: a worker at nice 19 may hold one while it waits for a processor.
local hang = { held = {}, LATE_MS = (os.getenv("PLUSMOIN_BIN") or ""):find("san/") and 1000 or 50 }

local function holder()
  local path = proc.shared.lease
  if not path then
    path = proc.new_dir("lease") .. "/lease"
    proc.must({ os.getenv("CC") or "gcc", "-O1", "-o", path, "spec/support/lease.c" }, { as_root = true, cwd = "." })
    proc.shared.lease = path
  end
  return path
end

--- Whoever opens or executes `path` hangs from now on, until hang.let_go().
function hang.hold(path)
  local process = proc.spawn { holder(), path }
  hang.held[#hang.held + 1] = process
  proc.wait_for("the lease", 10, function() return process:out():find("held") or not process:running() end)
  assert(process:running(), process:err())
end

--- The environment in which no child is made while the file `path` is there.
function hang.no_clone(path)
  return { LD_PRELOAD = faked.library("hold_clone"), HOLD_CLONE = path }
end

function hang.let_go()
  for _, process in ipairs(hang.held) do
    process:kill("sigkill")
    process:wait()
  end
  hang.held = {}
end

-- For how long a thread was ready to run and did not, in ms.
local function waited_ms(task)
  return tonumber(proc.read_file("/proc/" .. task .. "/schedstat"):match("%d+ (%d+)")) / 1e6
end

--- How late the loop answers now: ms, less the time in which it or we waited for a processor. `request`: one that is no
-- request, and that it refuses at once; else it renders its status.
function hang.late(daemon, seconds, request)
  local task = daemon.process.pid .. "/task/" .. daemon.process.pid
  local began, waited = proc.mono_ms(), waited_ms(task) + waited_ms("self")
  local answer = daemon:ask(request or { request = "status" }, seconds)
  assert(request and answer.ok == false or answer.ok)
  return proc.mono_ms() - began - (waited_ms(task) + waited_ms("self") - waited)
end

--- How late it answers at the worst while `fn` is not yet true; `request` as above.
function hang.lateness(daemon, seconds, fn, request)
  local worst = 0
  proc.wait_for("the control socket", 10, function() return proc.uv.fs_stat(daemon.config.control_socket) end)
  proc.wait_for("it, with a loop that answers", seconds, function()
    worst = math.max(worst, hang.late(daemon, seconds, request))
    return fn()
  end, function() return daemon:diagnose() end)
  return worst
end

return hang
