-- Fresh connections: how often a node gets one, and how many are made a second in a larger fleet.
local fleet = require "spec.support.fleet"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local NODES, SECONDS = 60, 8

-- Sessions of plusmoin's that began, by the database, until now.
local function connects(server)
  local counts, total = {}, 0
  for dbname in server:log():gmatch("connection authorized: user=plusmoin database=(%w+)") do
    counts[dbname] = (counts[dbname] or 0) + 1
    total = total + 1
  end
  return counts, total
end

describe("fresh connections of a fleet that is too large for its interval", function()
  after_each(scene.finish)

  it("are twenty a second at most, evenly, and `check` says what the interval grows to", function()
    local names = {}
    for i = 1, NODES do
      names[i] = "n" .. i
    end
    local server, nodes = fleet.start(names)
    server:sql("ALTER SYSTEM SET log_connections = on")
    server:sql("SELECT pg_reload_conf()")
    local daemon = plusmoin.start { nodes = {}, clusters = NODES, config = { nodes = nodes, heartbeat = 60,
      max_sync_delay = 120, fresh_connect_interval = 1, query_timeout = 2 }, triggers = { plusmoin_heartbeat = false } }
    local before, total_before = connects(server)
    local since = proc.mono_ms()
    daemon:quiet(SECONDS)
    local after, total = connects(server)
    local seconds = (proc.mono_ms() - since) / 1000
    local rate = (total - total_before) / seconds
    assert.is_true(rate <= 20.5 and rate > 10, rate)
    for dbname, count in pairs(after) do -- one in three seconds, in this order or that
      local fresh = count - before[dbname]
      assert.is_true(fresh >= 1 and fresh <= SECONDS // 3 + 1, dbname .. ": " .. fresh)
    end
    local code, out = daemon:cli("check")
    assert.equal(0, code, out)
    assert.truthy(out:find("for 60 nodes fresh_connect_interval counts as 3", 1, true), out)
  end)
end)
