-- The seat changes hands.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local scene = require "spec.support.scene"

local QUICK = { heartbeat = 0.5, max_sync_delay = 2, recover_sync_delay = 2 }

describe("failover", function()
  after_each(scene.finish)

  it("a slave is promoted, the other follows, the old master returns as a slave #core", function()
    local daemon, master, slaves = scene.start()
    master:kill9()
    daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2" } }
    slaves[1]:promote()
    local up = daemon:expect_events { { "master_up", slaves[1], cluster = 0, rule = "M4" } }
    assert.equal(slaves[1].port, up.data.master.port)
    assert.equal(slaves[2].port, up.data.slaves[1].port)
    assert.equal(master.port, up.data.lost[1].port)
    slaves[2]:repoint(slaves[1])
    daemon:quiet_rounds(2)
    master:rewind_as_slave_of(slaves[1])
    local back = daemon:expect_events { { "slave_up", master, cluster = 0, rule = "L4" } }
    assert.equal(slaves[1].name, back.data.trigger.master_name)
    daemon:quiet_rounds(2)
    daemon:wait_place(slaves[1], "master 0", 3)
    daemon:wait_place(slaves[2], "slave 0", 3)
    daemon:wait_place(master, "slave 0", 3)
  end)

  it("stop and promote within the grace: one master_up, no split #core", function()
    local daemon, master, slaves = scene.start { config = { restart_grace = 3 } }
    master:stop("fast")
    slaves[1]:promote()
    local up = daemon:expect_events { { "master_up", slaves[1], cluster = 0, rule = "M4" } }
    assert.equal(master.port, up.data.lost[1].port)
    slaves[2]:repoint(slaves[1])
    daemon:quiet(4)
    daemon:wait_status("one cluster", function(status) return #status.clusters == 1 end)
    daemon:wait_place(master, "lost 0", 3)
    daemon:wait_place(slaves[2], "slave 0", 3)
  end)

  it("a slave that does not follow in time falls out of sync, and is back when it does", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    master:kill9()
    daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2" } }
    slaves[1]:promote()
    daemon:expect_events { { "master_up", slaves[1], cluster = 0, rule = "M4" },
      { "slave_down", slaves[2], cluster = 0, rule = "S2", reason = "lag" } }
    slaves[2]:repoint(slaves[1])
    daemon:expect_events { { "slave_up", slaves[2], cluster = 0, rule = "L4" } }
    daemon:quiet_rounds(2)
  end)

  it("a lost node may take the empty seat", function()
    local daemon, master, slaves = scene.start()
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    master:kill9()
    daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2" } }
    slaves[1].upstream = nil -- it was promoted by hand while it was down
    slaves[1]:start()
    daemon:expect_events { { "master_up", slaves[1], cluster = 0, rule = "M4" } }
    daemon:quiet_rounds(2)
    daemon:wait_place(slaves[1], "master 0", 3)
  end)

  it("a master that comes back as a slave was demoted; the switched-over slave takes the seat", function()
    local master, slaves = pg.cluster(1)
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, config = { restart_grace = 5 } }
    master:stop("fast")
    master.upstream = slaves[1]
    master:start { nowait = true }
    daemon:expect_events { { "master_down", master, cluster = 0, rule = "M3", reason = "demoted" } }
    daemon:wait_place(master, "slave 0")
    slaves[1]:promote()
    daemon:expect_events { { "master_up", slaves[1], cluster = 0, rule = "M4" } }
    daemon:quiet_rounds(3)
    daemon:wait_place(master, "slave 0", 3)
  end)
end)
