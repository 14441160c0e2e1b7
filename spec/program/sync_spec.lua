-- In sync or not: replication that stands still, locks, synchronous standbys, other monitors.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

describe("replication", function()
  after_each(scene.finish)

  it("that is paused makes a slave late, resumed it is back", function()
    local daemon, _, slaves = scene.start { config = { heartbeat = 0.5, max_sync_delay = 2, recover_sync_delay = 1 } }
    local paused = proc.mono_ms()
    slaves[1]:pause_replay()
    local down = daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S2", reason = "lag" } }
    assert.is_true(down.ms - paused > 1400) -- the oldest beat it has not replayed may be one heartbeat old
    daemon:quiet_rounds(2)
    slaves[1]:resume_replay()
    daemon:expect_events { { "slave_up", slaves[1], cluster = 0, rule = "L4" } }
    daemon:quiet_rounds(3)
  end)

  it("to a synchronous standby that is gone does not stop the beats", function()
    local daemon, master, slaves = scene.start { settings = { synchronous_standby_names = "*" }, slaves = 1,
      config = { heartbeat = 1 } }
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    daemon:quiet_rounds(4)
    daemon:wait_place(master, "master 0", 3)
    slaves[1]:start()
    daemon:expect_events { { "slave_up", slaves[1], cluster = 0, rule = "L4" } }
  end)

  it("to a synchronous standby that was never there does not stop the first beat", function()
    local daemon, master, slaves = scene.start { settings = { synchronous_standby_names = "nobody" }, slaves = 1,
      config = { heartbeat = 1 } }
    daemon:quiet_rounds(2)
    daemon:wait_place(master, "master 0", 3)
    daemon:wait_place(slaves[1], "slave 0", 3)
  end)

  it("is not judged while the table is locked for a moment", function()
    local daemon, master = scene.start()
    local lock = proc.spawn({ "psql", "-Xq", "-h", master.host, "-p", tostring(master.port), "-U", "postgres",
      "-d", "plusmoin", "-c", "BEGIN; LOCK TABLE heartbeat; SELECT pg_sleep(2); COMMIT" })
    daemon:quiet(3)
    assert.equal(0, lock:wait(5))
    daemon:quiet_rounds(2)
    daemon:wait_place(master, "master 0", 3)
  end)

  it("serves two monitors at once", function()
    local daemon, master, slaves = scene.start()
    local second = plusmoin.start { nodes = { slaves[2], master, slaves[1] }, config = { heartbeat = 0.7 } }
    second:quiet_rounds(3)
    daemon:quiet_rounds(2)
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    second:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
  end)

  it("a slave weeks behind is lost until it has caught up", function()
    local master, slaves = pg.cluster(1)
    local daemon = plusmoin.start { nodes = { master, slaves[1] } }
    slaves[1]:pause_replay()
    daemon:stop_and_check()
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } } -- it waits for the slave max_sync_delay at the longest
    daemon:wait_place(slaves[1], "lost 0")
    slaves[1]:resume_replay()
    daemon:expect_events { { "slave_up", slaves[1], cluster = 0 } }
    daemon:quiet_rounds(2)
  end)
end)
