--- Programs whose exec hangs, and whether the monitor's loop goes on meanwhile.
local proc = require "spec.support.proc"

local hang = { held = {} }

local function build(name, flags)
  local dir = proc.shared.hang or proc.new_dir("hang")
  proc.shared.hang = dir
  local path = dir .. "/" .. name
  if not proc.read_file(path) then
    local argv = { os.getenv("CC") or "gcc", "-O1", "-o", path, "spec/support/" .. name .. ".c" }
    proc.must(table.move(flags or {}, 1, #(flags or {}), #argv + 1, argv), { as_root = true, cwd = "." })
  end
  return path
end

--- Whoever opens or executes `path` hangs from now on, until hang.let_go().
function hang.hold(path)
  local holder = proc.spawn { build("lease"), path }
  hang.held[#hang.held + 1] = holder
  proc.wait_for("the lease", 10, function() return holder:out():find("held") or not holder:running() end)
  assert(holder:running(), holder:err())
end

--- The environment in which no child is made while the file `path` is there.
function hang.no_clone(path)
  return { LD_PRELOAD = build("hold_clone", { "-shared", "-fPIC" }), HOLD_CLONE = path }
end

function hang.let_go()
  for _, holder in ipairs(hang.held) do
    holder:kill("sigkill")
    holder:wait()
  end
  hang.held = {}
end

-- For how long a thread was ready to run and did not, in ms.
local function waited_ms(task)
  return tonumber(proc.read_file("/proc/" .. task .. "/schedstat"):match("%d+ (%d+)")) / 1e6
end

--- How late the loop answers at the worst while `fn` is not yet true: ms, less the time in which it or we
-- waited for a processor.
function hang.lateness(daemon, seconds, fn)
  local worst = 0
  proc.wait_for("the control socket", 10, function() return proc.uv.fs_stat(daemon.config.control_socket) end)
  local task = daemon.process.pid .. "/task/" .. daemon.process.pid
  proc.wait_for("it, with a loop that answers", seconds, function()
    local began, waited = proc.mono_ms(), waited_ms(task) + waited_ms("self")
    assert(daemon:ask({ request = "explain" }, seconds).ok)
    worst = math.max(worst, proc.mono_ms() - began - (waited_ms(task) + waited_ms("self") - waited))
    return fn()
  end, function() return daemon:diagnose() end)
  return worst
end

return hang
