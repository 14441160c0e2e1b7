-- The monitor's own blindness (rule P4): what expired while it was stopped says
-- nothing about the nodes.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local relay = require "spec.support.relay"
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

describe("a monitor that was stopped for longer than max_sync_delay", function()
  after_each(scene.finish)

  it("has patience with a lock that its first beat meets #matrix", function()
    local daemon, master = scene.start { slaves = 1, config = { heartbeat = 0.5, max_sync_delay = 2.5,
      recover_sync_delay = 2 } }
    daemon.process:kill("sigstop")
    local locker = proc.spawn({ "psql", "-XAtq", "-h", master.host, "-p", tostring(master.port), "-U", "postgres", "-d",
      "plusmoin", "-c", "BEGIN; LOCK TABLE heartbeat; SELECT pg_sleep(4.5); COMMIT" }, { output = "/dev/null" })
    proc.watch(3, function() end)
    daemon.process:kill("sigcont")
    daemon:wait_logged("error", "the monitor was stalled")
    daemon:wait_logged("query_error") -- it meets the lock
    locker:wait()
    daemon:quiet_rounds(3)
  end)
end)

describe("a monitor that was starved for less than the stall limit", function()
  after_each(function() scene.finish(relay.close_all) end)

  for _, seconds in ipairs { 0.45, 1.5 } do
    it(("for %g s does not judge by the time in which it heard nothing: a connect goes on"):format(seconds), function()
      local master, slaves = pg.cluster(2)
      local delay_ms = 0 -- once plusmoin is up: a slave that answers late at the start comes with an event
      local slave = relay.to(slaves[1], function() return delay_ms end)
      local daemon = plusmoin.start { nodes = { master, slave, slaves[2] }, config = { heartbeat = 60,
        max_sync_delay = 120, fresh_connect_interval = 0, query_timeout = 0.5, restart_grace = 0 } }
      delay_ms = 40
      local before = slave.connections
      slaves[1]:end_sessions()
      proc.wait_for("a new connection", 10, function() return slave.connections > before end)
      daemon.process:kill("sigstop")
      proc.watch(seconds, function() end)
      daemon.process:kill("sigcont")
      daemon:quiet(2)
      assert.is_false(daemon:logged("the monitor was stalled"))
      daemon:wait_place(slave, "slave 0")
    end)
  end
end)
