-- Standbys that are delayed on purpose (recovery_min_apply_delay) or paused, and the delays that are a node's own.
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- A master with standbys that show a beat of an earlier run; the last of them then replays `delay` (text) late. It
-- shows what was written before, as a standby that has run for a while does.
local function fleet(delay)
  local master, slaves = pg.cluster(2)
  local late = slaves[2]
  local first = plusmoin.start { nodes = { master, slaves[1], late } }
  first:quiet_rounds(1)
  first:stop_and_check()
  if delay then
    late:sql(("ALTER SYSTEM SET recovery_min_apply_delay = '%s'"):format(delay))
    late:sql("SELECT pg_reload_conf()")
    proc.wait_for("its delay", 5, function() return late:sql("SHOW recovery_min_apply_delay")[1][1] == delay end)
  end
  return master, slaves[1], late
end

-- Its own delays, from the next start or reload on; nil: none.
local function set_own(daemon, index, most, back)
  daemon.config.nodes[index].max_sync_delay = most
  daemon.config.nodes[index].recover_sync_delay = back
end

describe("a standby that is delayed on purpose", function()
  after_each(scene.finish)

  it("keeps nobody waiting at the start, is lost without an event, and stays so by default", function()
    local master, slave, late = fleet "20s"
    local daemon = plusmoin.start { nodes = { master, slave, late }, nowait = true,
      config = { max_sync_delay = 10, recover_sync_delay = 5 } }
    local up = daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    assert.is_true(up.ms - daemon.started_ms < 6000, up.ms - daemon.started_ms) -- 3 s, not 10, and a busy machine
    daemon:wait_place(slave, "slave 0")
    daemon:wait_place(late, "lost 0")
    daemon:quiet_rounds(3)
    daemon:wait_status("the words", function()
      local _, out = daemon:cli("explain", late.name)
      return out:find("it shows no beat of this run yet: its row is ", 1, true)
        and out:find("recover_sync_delay is 5 s", 1, true)
    end)
  end)

  it("with a max_sync_delay of its own is in sync from its first beat of this run on; reloads change it", function()
    local master, slave, late = fleet "3s"
    local daemon = plusmoin.new { nodes = { master, slave, late },
      config = { max_sync_delay = 1.5, recover_sync_delay = 1, fresh_connect_interval = 0, state_file = "state.json" } }
    set_own(daemon, 3, 10)
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    local up = daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    daemon:wait_place(late, "lost 0")
    local back = daemon:expect_events { { "slave_up", late, cluster = 0, rule = "L4" } }
    assert.is_true(back.ms - up.ms > 800) -- it is 3 s behind, and the start waited 1.5
    daemon:quiet_rounds(6)
    local sessions = late:sessions()
    set_own(daemon, 3, nil)
    daemon:reload()
    daemon:expect_events { { "slave_down", late, cluster = 0, rule = "S2", reason = "lag" } }
    daemon:wait_logged("s behind; max_sync_delay is 1.5 s")
    daemon:quiet_rounds(2)
    set_own(daemon, 3, 10)
    daemon:reload()
    daemon:expect_events { { "slave_up", late, cluster = 0, rule = "L4" } }
    assert.same(sessions, late:sessions())
    local _, out = daemon:cli("explain", late.name)
    has(out, "is over max_sync_delay, 10 s, its own (S2)")
    daemon:stop_and_check()
    daemon:start() -- a state file spares it the wait for a beat of this run
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    daemon:wait_place(late, "slave 0")
    daemon:quiet_rounds(7)
    set_own(daemon, 3, 2, 1)
    daemon:reload()
    daemon:expect_events { { "slave_down", late, cluster = 0, rule = "S2", reason = "lag" } }
    daemon:wait_logged("s behind; max_sync_delay is 2 s (its own)")
  end)

  it("for longer than all else: lost at the start, then in sync for good #long", function()
    local master, slave, late = fleet "20s"
    local daemon = plusmoin.new { nodes = { master, slave, late }, config = { heartbeat = 1, max_sync_delay = 5,
      recover_sync_delay = 3 } }
    set_own(daemon, 3, 30)
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    local up = daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    assert.is_true(up.ms - daemon.started_ms < 6000, up.ms - daemon.started_ms)
    local back = daemon:expect_events { { "slave_up", late, cluster = 0, rule = "L4" }, seconds = 40 }
    assert.is_true(back.ms - up.ms > 15000)
    daemon:quiet_rounds(40)
    daemon:wait_place(late, "slave 0")
  end)

  it("is told by check, with a cure", function()
    local master, slave, late = fleet "20s"
    late:pause_replay()
    local daemon = plusmoin.new { nodes = { master, slave, late }, config = { max_sync_delay = 10 } }
    local code, out = daemon:cli("check")
    assert.equal(0, code, out)
    has(out, late.name .. ": advice: its replay is paused: it is out of sync when it is 10 s behind")
    has(out, late.name .. ": advice: recovery_min_apply_delay is 20 s, and its max_sync_delay 10 s",
      "\n    nodes[].max_sync_delay = 30\n")
    assert.is_nil(out:find(slave.name .. ": advice: its replay", 1, true))
    late:resume_replay()
    set_own(daemon, 3, 30)
    proc.write_file(daemon.config_path, daemon:json())
    code, out = daemon:cli("check")
    assert.equal(0, code, out)
    assert.is_nil(out:find("recovery_min_apply_delay", 1, true), out)
    assert.is_nil(out:find("paused", 1, true), out)
  end)
end)

describe("a standby that is paused", function()
  after_each(scene.finish)

  it("is down by its own delay, its sibling by the fleet's", function()
    local master, slaves = pg.cluster(2)
    local daemon = plusmoin.new { nodes = { master, slaves[1], slaves[2] },
      config = { heartbeat = 0.3, max_sync_delay = 4, recover_sync_delay = 3 } }
    set_own(daemon, 3, 1)
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    daemon:wait_place(slaves[2], "slave 0")
    slaves[1]:pause_replay()
    slaves[2]:pause_replay()
    local own = daemon:expect_events { { "slave_down", slaves[2], cluster = 0, rule = "S2", reason = "lag" } }
    local fleets = daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S2", reason = "lag" } }
    assert.is_true(fleets.ms - own.ms > 1500)
    slaves[2]:resume_replay()
    daemon:expect_events { { "slave_up", slaves[2], cluster = 0, rule = "L4" } }
  end)
end)
