-- A master that goes away and comes back.
local cjson = require "cjson"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local QUICK = { heartbeat = 0.5, max_sync_delay = 2, recover_sync_delay = 2 }

describe("a master", function()
  after_each(scene.finish)

  it("that is killed leaves an empty seat, and nobody else is late #core", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    local killed = proc.mono_ms()
    master:kill9()
    local down = daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2" } }
    assert.is_true(down.ms - killed < 3000)
    assert.equal(cjson.null, down.data.master)
    assert.equal(master.port, down.data.trigger.port)
    assert.equal(master.port, down.data.lost[1].port)
    assert.equal(2, #down.data.slaves)
    assert.is_nil(down.env.PLUSMOIN_MASTER_HOST)
    daemon:wait_status("no master", function(status)
      return status.clusters[1] and status.clusters[1].has_master == false
    end)
    daemon:quiet(3)
    master:start()
    local up = daemon:expect_events { { "master_up", master, cluster = 0, rule = "M4" } }
    assert.equal(master.port, up.data.master.port)
    daemon:quiet_rounds(3)
    daemon:wait_place(slaves[1], "slave 0", 3)
  end)

  it("that is killed is missed at once, and a promotion found, with a heartbeat of a minute", function()
    local daemon, master, slaves = scene.start { config = { heartbeat = 60, max_sync_delay = 120 } }
    local killed = proc.mono_ms()
    master:kill9()
    local down = daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2" } }
    assert.is_true(down.ms - killed < 1000)
    slaves[1]:promote()
    local promoted = proc.mono_ms()
    local up = daemon:expect_events { { "master_up", slaves[1], cluster = 0, rule = "M4" } }
    assert.is_true(up.ms - promoted < 1500)
    slaves[2]:repoint(slaves[1])
    daemon:quiet(0.5)
  end)

  it("that is frozen is down, and up when it is thawed", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    master:freeze()
    daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2", reason = "hung" } }
    daemon:quiet(2.5)
    master:thaw()
    daemon:expect_events { { "master_up", master, cluster = 0, rule = "M4" } }
    daemon:quiet_rounds(3)
    daemon:wait_place(slaves[1], "slave 0", 3)
  end)

  it("that is stopped gets restart_grace, then is down; started again it is up", function()
    local daemon, master = scene.start()
    local stopped = proc.mono_ms()
    master:stop("fast")
    local down = daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2" } }
    assert.is_true(down.ms - stopped > 900)
    assert.is_true(down.ms - stopped < 5000)
    master:start()
    daemon:expect_events { { "master_up", master, cluster = 0, rule = "M4" } }
    daemon:quiet_rounds(2)
  end)

  for _, mode in ipairs { "fast", "immediate" } do
    it("that is restarted (" .. mode .. ") within restart_grace is not worth a word", function()
      local daemon, master, slaves = scene.start { config = { heartbeat = 1, restart_grace = 5 } }
      master:restart(mode)
      daemon:quiet_rounds(3)
      daemon:wait_place(master, "master 0", 3)
      daemon:wait_place(slaves[1], "slave 0", 3)
    end)
  end

  it("and a slave that are lost together are both told, and both come back", function()
    local daemon, master, slaves = scene.start()
    master:kill9()
    slaves[1]:kill9()
    daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2" },
      { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    daemon:quiet_rounds(1)
    master:start()
    slaves[1]:start()
    daemon:expect_any_order { { "master_up", master, cluster = 0, rule = "M4" },
      { "slave_up", slaves[1], cluster = 0, rule = "L4" } }
    daemon:quiet_rounds(2)
    daemon:wait_place(slaves[2], "slave 0", 3)
  end)
end)
