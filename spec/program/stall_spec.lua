-- The monitor's own blindness (rule P4): what expired while it was stopped says
-- nothing about the nodes.
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

describe("a monitor that was stopped for longer than the stall limit", function()
  after_each(scene.finish)

  local function stall(daemon, seconds)
    daemon.process:kill("sigstop")
    proc.watch(seconds, function() end)
    daemon.process:kill("sigcont")
    proc.wait_for("the stall to be told", 5, function() return daemon:logged("the monitor was stalled") end)
  end

  it("fires nothing when nothing happened #core", function()
    local daemon = scene.start { config = { heartbeat = 0.3 } }
    stall(daemon, 3)
    daemon:quiet_rounds(3)
  end)

  it("sees what happened meanwhile, once", function()
    local daemon, _, slaves = scene.start {}
    daemon.process:kill("sigstop")
    slaves[1]:kill9()
    proc.watch(3, function() end)
    daemon.process:kill("sigcont")
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    daemon:quiet_rounds(2)
  end)
end)
