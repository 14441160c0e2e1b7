-- Clocks that are set while the daemon runs (libfaketime): the wall clock alone, and all of them, as when the
-- machine has slept. No event, no wrong lag; and what happens is seen as ever.
local faked = require "spec.support.faked"
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"
local relay = require "spec.support.relay"
local scene = require "spec.support.scene"

local HOUR = 3600
local QUICK = { heartbeat = 0.3, max_sync_delay = 2, recover_sync_delay = 1, fresh_connect_interval = 0.5 }

local function check_lags(daemon)
  for _, node in ipairs(daemon:ask({ request = "status" }).clusters[1].slaves) do
    assert.is_true(node.lag < 1, node.lag)
  end
end

-- The minute of the day of its last log line.
local function logged_minute(daemon)
  local hour, minute = daemon:log():match(".*\n%d+%-%d+%-%d+T(%d%d):(%d%d):")
  return hour and hour * 60 + minute
end

-- How many stalls of about so many seconds it has logged; each is longer or shorter by a tick.
local function count_stalls(daemon, seconds)
  local count = 0
  for stalled in daemon:log():gmatch("the monitor was stalled for ([%d.]+) s") do
    count = count + (math.abs(tonumber(stalled) - seconds) < 60 and 1 or 0)
  end
  return count
end

describe("a clock that is set", function()
  after_each(function() scene.finish(relay.close_all) end)

  for _, step in ipairs { HOUR, -HOUR } do
    it(("by %+d s, the wall clock, is no event, and makes nobody late"):format(step), function()
      machine.need("faked")
      local master, slaves = pg.cluster(2)
      local daemon = faked.start { nodes = { master, slaves[1], slaves[2] }, config = QUICK }
      daemon:quiet_rounds(2)
      local before = logged_minute(daemon)
      daemon:set_clock(step)
      daemon:quiet_rounds(6)
      local moved = (logged_minute(daemon) - before) % 1440
      assert.is_true(math.abs(moved - step // 60 % 1440) <= 1, "the log's clock was not set: " .. moved)
      check_lags(daemon)
      -- what happens is seen as ever
      slaves[1]:kill9()
      local killed = proc.mono_ms()
      local down = daemon:expect_events { { "slave_down", slaves[1], rule = "S1", reason = "refused" } }
      assert.is_true(down.ms - killed < 3000)
      daemon:set_clock(0)
      daemon:quiet_rounds(4)
      slaves[1]:start()
      daemon:expect_events { { "slave_up", slaves[1], rule = "L4" } }
      daemon:quiet_rounds(2)
    end)
  end

  -- By a relay that is slow enough for a question to be under way at nearly any time.
  it("forward with the steady clocks, as by a machine that slept for hours, is no event", function()
    machine.need("faked")
    local master, slaves = pg.cluster(2)
    local nodes = {}
    for i, server in ipairs { master, slaves[1], slaves[2] } do
      nodes[i] = relay.to(server, function() return 40 end)
    end
    local daemon = faked.start { nodes = nodes, steady = true, config = { heartbeat = 0.2, query_timeout = 1,
      connect_timeout = 2, max_sync_delay = 2, recover_sync_delay = 1, fresh_connect_interval = 0.3 } }
    for night = 1, 5 do
      daemon:quiet_rounds(2)
      daemon:set_clock(night * HOUR)
      daemon:quiet_rounds(3)
      check_lags(daemon)
    end
    proc.wait_for("a stall of an hour for each night", 10, function() return count_stalls(daemon, HOUR) == 5 end,
      function() return daemon:diagnose() end)
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", nodes[2], rule = "S1" } }
    daemon:set_clock(6 * HOUR)
    daemon:quiet_rounds(3)
    slaves[1]:start()
    daemon:expect_events { { "slave_up", nodes[2], rule = "L4" } }
  end)
end)
