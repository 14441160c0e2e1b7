-- Fresh connections: how often a node gets one where logins are dear, and who has to wait for such logins.
local hang = require "spec.support.hang"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"

local CLUSTERS, SIZE = 6, 5
local NODES, SECONDS = CLUSTERS * SIZE, 6
local MOST = 0.25 -- of one core

-- What the process has used of all cores, in seconds.
local function used(daemon)
  local stat = proc.read_file("/proc/" .. daemon.process.pid .. "/stat"):match("%) (.*)")
  local fields = {}
  for field in stat:gmatch("%S+") do
    fields[#fields + 1] = tonumber(field) or field
  end
  return (fields[12] + fields[13]) / 100
end

-- How nice the process's threads are: a set.
local function nices(daemon)
  local found = {}
  local tasks = "/proc/" .. daemon.process.pid .. "/task"
  local list = assert(proc.uv.fs_scandir(tasks))
  for name in function() return proc.uv.fs_scandir_next(list) end do
    local stat = proc.read_file(tasks .. "/" .. name .. "/stat") -- it may have ended
    local fields = stat and stat:match("%) (.*)") or ""
    found[fields:match("^" .. ("%S+ "):rep(16) .. "(%S+)") or ""] = true
  end
  return found
end

describe("fresh connections by SCRAM", function()
  after_each(function() scene.finish(standin.stop_all) end)

  -- Clusters of stand-ins that ask for so many iterations, and a plusmoin on them.
  local function start(iterations, config)
    local stand = standin.start()
    local nodes = stand:clusters("c", CLUSTERS, SIZE, "127.25.0.1")
    stand:play("* scram " .. iterations)
    config.password, config.max_sync_delay, config.connect_timeout = "geheim", 120, 20
    return plusmoin.start { nodes = nodes, clusters = CLUSTERS, config = config,
      triggers = { plusmoin_heartbeat = false } }, stand, nodes
  end

  it("take a quarter of a core at the most, and `check` says what the interval grows to", function()
    local daemon, stand = start(20000, { heartbeat = 60, fresh_connect_interval = 0.5, query_timeout = 10 })
    local logins, cpu, since = stand:total("*").logins, used(daemon), proc.mono_ms()
    daemon:quiet(SECONDS)
    local seconds = (proc.mono_ms() - since) / 1000
    local share = (used(daemon) - cpu) / seconds
    local fresh = stand:total("*").logins - logins
    assert.is_true(share <= MOST + 0.1, ("%.2f of a core for %d"):format(share, fresh))
    assert.is_true(fresh >= SECONDS / 2, fresh)
    local _, out = daemon:cli("check") -- stand-ins are one server to it
    local interval, cost = out:match("for 30 nodes fresh_connect_interval counts as ([%d.]+), "
      .. "for a login costs ([%d.]+) ms")
    assert.truthy(interval, out)
    assert.is_true(tonumber(cost) > 2)
    assert.is_true(math.abs(tonumber(interval) - NODES * cost / 1000 / MOST) < 0.1 * interval, interval .. " " .. cost)
  end)

  it("and a fleet that returns hold neither the loop nor its rounds; who computes gives way to it", function()
    local daemon, stand, nodes = start(4096, { heartbeat = 0.5, query_timeout = 5, retry_interval = 0.5 })
    local own = {}
    for i = 1, SIZE do
      own[i] = nodes[i]
    end
    for i = SIZE + 1, NODES do -- one cluster stays
      stand:play(("c%d die"):format(i))
    end
    proc.wait_for("all losses", 20, function()
      return select(2, daemon:log():gsub("event=%a+_down", "")) >= NODES - SIZE
    end, function() return daemon:diagnose() end)
    local before = stand:total("*").logins
    stand:play "* serve"
    local late = hang.lateness(daemon, 30, function()
      return stand:total("*").logins >= before + NODES - SIZE
    end)
    assert.is_true(late <= hang.LATE_MS, late)
    for i, node in ipairs(own) do
      assert.equal(i == 1 and "master 0" or "slave 0", daemon:place(node))
    end
    local nice = nices(daemon)
    local base = proc.read_file("/proc/" .. daemon.process.pid .. "/stat"):match("%) " .. ("%S+ "):rep(16) .. "(%S+)")
    assert.is_true(nice[base] and nice[tostring(math.min(19, base + 5))], "the workers are no nicer")
  end)
end)
