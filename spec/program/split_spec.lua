-- Two masters where there was one: a cluster of its own for the newcomer, and never a master_up.
local scene = require "spec.support.scene"

local QUICK = { heartbeat = 0.5, max_sync_delay = 2, recover_sync_delay = 2 }

describe("split brain", function()
  after_each(scene.finish)

  it("gives the second master a cluster, its follower goes with it #core", function()
    local daemon, master, slaves = scene.start()
    slaves[2]:repoint(slaves[1]) -- cascading: it goes where slaves[1] goes
    daemon:quiet_rounds(1)
    slaves[1]:promote()
    local created = daemon:expect_events { { "cluster_created", slaves[1], cluster = 1, rule = "M6" } }
    assert.equal(slaves[1].port, created.data.master.port)
    local up = daemon:wait_event("slave_up")
    assert.equal(slaves[1].name, up.data.trigger.master_name)
    daemon:expect_any_order { { "split_brain", slaves[1], cluster = 1 },
      { "slave_up", slaves[2], cluster = 1, rule = "U3" } }
    daemon:quiet_rounds(2)
    daemon:wait_place(master, "master 0", 3)
    daemon:wait_place(slaves[1], "master 1", 3)
    daemon:wait_place(slaves[2], "slave 1", 3)
  end)

  it("a slave that is re-pointed to the second master later joins it", function()
    local daemon, master, slaves = scene.start()
    slaves[1]:promote()
    daemon:expect_events { { "cluster_created", slaves[1], cluster = 1, rule = "M6" }, { "split_brain", slaves[1] } }
    daemon:quiet_rounds(1)
    daemon:wait_place(slaves[2], "slave 0", 3)
    slaves[2]:kill9()
    daemon:expect_events { { "slave_down", slaves[2], cluster = 0, rule = "S1" } }
    slaves[2]:rewind_as_slave_of(slaves[1])
    daemon:expect_events { { "slave_up", slaves[2], cluster = 1, rule = "U3" } }
    daemon:quiet_rounds(2)
    daemon:wait_place(master, "master 0", 3)
    daemon:wait_place(slaves[2], "slave 1", 3)
  end)

  it("a slave that follows neither stays in the first cluster, out of sync", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    slaves[2]:repoint({ host = "127.0.0.1", port = 1 }, { nowait = true })
    slaves[1]:promote()
    daemon:expect_events { { "cluster_created", slaves[1], cluster = 1, rule = "M6" }, { "split_brain", slaves[1] },
      { "slave_down", slaves[2], cluster = 0, rule = "S2", reason = "lag" } }
    daemon:quiet_rounds(4)
    daemon:wait_place(master, "master 0", 3)
    daemon:wait_place(slaves[2], "lost 0", 3)
  end)

  it("the old master that wakes up again founds a cluster, with the slave that still follows it", function()
    local daemon, master, slaves = scene.start()
    master:freeze()
    daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2" } }
    slaves[1]:promote()
    daemon:expect_events { { "master_up", slaves[1], cluster = 0, rule = "M4" } }
    master:thaw()
    daemon:expect_events { { "cluster_created", master, cluster = 1, rule = "M6" } }
    daemon:expect_any_order { { "split_brain", slaves[1], cluster = 0 },
      { "slave_up", slaves[2], cluster = 1, rule = "U3" } }
    daemon:quiet_rounds(2)
    daemon:wait_place(slaves[1], "master 0", 3)
    daemon:wait_place(master, "master 1", 3)
  end)

  it("two promotions in an empty seat: the first takes it, the second founds a cluster", function()
    local daemon, master, slaves = scene.start()
    master:kill9()
    daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2" } }
    slaves[2]:promote()
    daemon:expect_events { { "master_up", slaves[2], cluster = 0, rule = "M4" } }
    slaves[1]:promote()
    daemon:expect_events { { "cluster_created", slaves[1], cluster = 1, rule = "M6" },
      { "split_brain", slaves[1], cluster = 1 } } -- both are on timeline 2
    daemon:quiet_rounds(2)
  end)
end)
