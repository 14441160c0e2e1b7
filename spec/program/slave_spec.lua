-- A slave that goes away and comes back, in every way a server can.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

describe("a slave", function()
  after_each(scene.finish)

  it("that is killed is lost, and is a slave again when it is back #core", function()
    local daemon, _, slaves = scene.start()
    local killed = proc.mono_ms()
    slaves[1]:kill9()
    local down = daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    assert.is_true(down.ms - killed < 3000)
    assert.truthy(({ refused = 1, reset = 1 })[down.env.PLUSMOIN_NODE_REASON])
    assert.equal(slaves[1].port, down.data.trigger.port)
    assert.equal(slaves[1].port, down.data.lost[1].port)
    assert.equal(1, #down.data.slaves)
    daemon:quiet_rounds(2)
    daemon:wait_place(slaves[1], "lost 0", 3)
    slaves[1]:start()
    daemon:expect_events { { "slave_up", slaves[1], cluster = 0, rule = "L4" } }
    daemon:quiet_rounds(2)
    daemon:wait_place(slaves[1], "slave 0", 3)
  end)

  it("that is frozen is lost, makes nobody else late, and comes back", function()
    local daemon, _, slaves = scene.start { config = { heartbeat = 0.5, max_sync_delay = 2, recover_sync_delay = 2 } }
    slaves[1]:freeze()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1", reason = "hung" } }
    daemon:quiet(3)
    slaves[1]:thaw()
    daemon:expect_events { { "slave_up", slaves[1], cluster = 0, rule = "L4" } }
    daemon:quiet_rounds(2)
  end)

  it("that is stopped gets restart_grace, then is lost", function()
    local daemon, _, slaves = scene.start()
    local stopped = proc.mono_ms()
    slaves[2]:stop("fast")
    local down = daemon:expect_events { { "slave_down", slaves[2], cluster = 0, rule = "S1" } }
    assert.is_true(down.ms - stopped > 900)
    assert.is_true(down.ms - stopped < 5000)
    slaves[2]:start()
    daemon:expect_events { { "slave_up", slaves[2], cluster = 0, rule = "L4" } }
    daemon:quiet_rounds(2)
  end)

  it("that is restarted within restart_grace is not worth a word", function()
    local daemon, _, slaves = scene.start { config = { heartbeat = 1, restart_grace = 5 } }
    slaves[1]:restart("fast")
    daemon:quiet_rounds(2)
    slaves[2]:restart("immediate")
    daemon:quiet_rounds(2)
    daemon:wait_place(slaves[1], "slave 0", 3)
    daemon:wait_place(slaves[2], "slave 0", 3)
  end)

  it("whose session is terminated by an administrator stays", function()
    local daemon, _, slaves = scene.start { config = { heartbeat = 1 } }
    local rows = slaves[1]:sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
      .. "WHERE application_name = 'plusmoin'")
    assert.is_true(tonumber(rows[1][1]) >= 1)
    daemon:quiet_rounds(3)
  end)

  it("that was re-pointed to a master nobody watches falls out of sync", function()
    local master, slaves = pg.cluster(2)
    local stranger = master:standby()
    local daemon = plusmoin.start { nodes = { master, slaves[1], slaves[2] },
      config = { heartbeat = 0.5, max_sync_delay = 2, recover_sync_delay = 2 } }
    slaves[1]:repoint(stranger)
    stranger:promote()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S2", reason = "lag" } }
    daemon:quiet_rounds(4)
    daemon:wait_place(slaves[1], "lost 0", 3)
    daemon:wait_place(slaves[2], "slave 0", 3)
  end)

  it("that dies while the seat is empty is lost, and comes back to it", function()
    local daemon, master, slaves = scene.start()
    master:kill9()
    daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2" } }
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    slaves[1]:start()
    daemon:expect_events { { "slave_up", slaves[1], cluster = 0, rule = "L4" } }
    daemon:quiet_rounds(2)
  end)
end)
