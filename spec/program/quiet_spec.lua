-- Servers that are well and behave like real ones: slow now and then, restarted, at work: not one event.
-- A few rounds in `make test`; QUIET_ROUNDS=10000 in `make test-long`.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local relay = require "spec.support.relay"
local scene = require "spec.support.scene"

local ROUNDS = tonumber(os.getenv("QUIET_ROUNDS")) or 300
local CLUSTERS = 3
-- of the pieces that pass a relay; the rest take up to USUAL_MS
local SLOW_PER_MILLE, SLOW_MS = 10, 200
local USUAL_MS = 15

-- Once plusmoin is up: a master that answers later than a second at its start founds its cluster with an event.
local is_jittery = false

local function delay()
  if not is_jittery then
    return 0
  end
  return math.random(1000) <= SLOW_PER_MILLE and math.random(SLOW_MS) or math.random(0, USUAL_MS)
end

-- What may happen to a server (and to plusmoin) any day.
local DAYS = {
  { name = "a checkpoint", weight = 3, act = function(server) server:sql("CHECKPOINT") end },
  { name = "our sessions terminated", weight = 4, act = function(server)
    server:end_sessions()
  end },
  { name = "a fast restart", weight = 2, act = function(server) server:restart("fast") end },
  { name = "an immediate restart", weight = 1, act = function(server) server:restart("immediate") end },
  { name = "a short freeze", weight = 3, act = function(server)
    server:freeze()
    proc.watch(math.random() * 0.4, function() end)
    server:thaw()
  end },
  { name = "much to write", weight = 2, act = function(_, master)
    master:sql("CREATE TABLE bulk AS SELECT generate_series(1, 20000); DROP TABLE bulk", "plusmoin")
  end },
  { name = "a reload", weight = 1, act = function(_, _, daemon) daemon.process:kill("sighup") end },
}

local function any_day()
  local total = 0
  for _, day in ipairs(DAYS) do
    total = total + day.weight
  end
  local dice = math.random(total)
  for _, day in ipairs(DAYS) do
    dice = dice - day.weight
    if dice <= 0 then
      return day
    end
  end
end

-- Relays before `CLUSTERS` masters with two slaves each: all nodes, and who is behind each cluster.
local function fleet()
  local nodes, clusters = {}, {}
  for family = 1, CLUSTERS do
    local master, slaves = pg.cluster(2, { family = family })
    clusters[family] = { master, slaves[1], slaves[2] }
    for _, server in ipairs(clusters[family]) do
      nodes[#nodes + 1] = relay.to(server, delay)
    end
  end
  return nodes, clusters
end

describe("healthy servers", function()
  after_each(function() scene.finish(relay.close_all) end)

  it("are left in peace", function()
    local seed = tonumber(os.getenv("SEED")) or os.time()
    math.randomseed(seed)
    local nodes, clusters = fleet()
    local rounds = proc.new_dir("rounds") .. "/rounds"
    local daemon = plusmoin.start { nodes = nodes, clusters = CLUSTERS,
      config = { heartbeat = 0.05, retry_interval = 0.05, query_timeout = 2, connect_timeout = 3, restart_grace = 10,
        max_sync_delay = 10, recover_sync_delay = 5, fresh_connect_interval = 1 },
      lua = ([[
config.triggers.plusmoin_heartbeat = { function()
  local file = io.open(%q, "a")
  file:write("x")
  file:close()
end }
]]):format(rounds) }
    is_jittery = true
    local function count()
      return (proc.uv.fs_stat(rounds) or { size = 0 }).size
    end
    local since, days = proc.mono_ms(), {}
    while count() < ROUNDS do
      local cluster = clusters[math.random(CLUSTERS)]
      local day = any_day()
      days[day.name] = (days[day.name] or 0) + 1
      day.act(cluster[math.random(3)], cluster[1], daemon)
      daemon:quiet(math.random() * 0.5)
      assert.is_true(proc.mono_ms() - since < 60000 + 100 * ROUNDS, "too slow: rounds " .. count())
    end
    local told = {}
    for name, times in pairs(days) do
      told[#told + 1] = times .. " x " .. name
    end
    table.sort(told)
    io.stdout:write(("silence: SEED=%d, %d rounds in %.0f s: %s\n"):format(seed, count(),
      (proc.mono_ms() - since) / 1000, table.concat(told, ", ")))
    daemon:quiet(1)
    for _, cluster in ipairs(clusters) do
      for _, server in ipairs(cluster) do
        assert.is_nil(server:log():find("unexpected EOF on client", 1, true), server:log())
      end
    end
    -- and what is no usual day is told
    clusters[2][3]:kill9()
    daemon:expect_events { { "slave_down", nodes[6], rule = "S1" } }
  end)
end)
