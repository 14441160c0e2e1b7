-- A soak: a hundred clusters of ten, to whose servers at random everything happens that servers do. Each event is
-- accounted for by the script's own log of what it did: none is false, none is missed; and what plusmoin holds, bytes
-- and descriptors, does not grow.
--
-- SOAK_ROUNDS=200000 (of clusters): at full speed, with the smallest heartbeat, and SOAK_QUERY_TIMEOUT. It is 0.2 s, as
-- 20,000 answers a second keep the loop so busy that ten logins at once take longer than 0.05 s now and then: a login
-- needs six turns of the loop. Without SOAK_ROUNDS a short one at a speed that a busy machine bears. SEED: which one.
local cjson = require "cjson"
local deeds = require "spec.support.deeds"
local faked = require "spec.support.faked"
local ledger = require "spec.support.ledger"
local machine = require "spec.support.machine"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"

local FULL_SPEED = tonumber(os.getenv("SOAK_ROUNDS"))
local ROUNDS = FULL_SPEED or 4000
local HEARTBEAT = FULL_SPEED and 0.05 or 0.25
local QUERY_TIMEOUT = tonumber(os.getenv("SOAK_QUERY_TIMEOUT")) or (FULL_SPEED and 0.2 or 1)
local DELAY, GRACE = 2, 1       -- s: max_sync_delay, restart_grace
local CLUSTERS, SIZE = 100, 10
local PARTS = FULL_SPEED and 5 or 2 -- behind each of them all is well for a moment, and is looked at
local LATE = 2 + QUERY_TIMEOUT  -- s: an event may come so long after its cause, on a busy machine
local PAUSE = 3                 -- s at most between two deeds in a cluster
local WARM_S, FLAT = 60, 1.01   -- what is held from then on, times that, is the most
local LOOKS, LOOK_MS = 20, 110
local NICE, REAL_TIME = -15, 1

-- Root gives the stand-ins, which are other machines, a processor when they want one, and plusmoin, at full speed, most
-- of what is left: this is no test of a machine that has no time for it.
local function prefer(pid, is_farm)
  if proc.is_root then
    pcall(proc.must, { "sh", "-c", is_farm and ("chrt -f -p %d %d"):format(REAL_TIME, pid) or
      ("renice -n %d -p $(ls /proc/%d/task); echo %d > /proc/%d/autogroup"):format(NICE, pid, NICE, pid) },
      { as_root = true })
  end
end

local function start(heap)
  local stand = standin.start()
  prefer(stand.process.pid, true)
  local nodes = stand:clusters("c", CLUSTERS, SIZE, "127.24.0.1")
  local daemon = plusmoin.start { nodes = nodes, nowait = true, lua = ledger.LUA,
    triggers = { plusmoin_heartbeat = false },
    env = heap and { LD_PRELOAD = faked.library("heap"), HEAP = heap },
    config = { heartbeat = HEARTBEAT, query_timeout = QUERY_TIMEOUT, retry_interval = 0.05,
      connect_timeout = math.max(2, QUERY_TIMEOUT), restart_grace = GRACE, max_sync_delay = DELAY,
      recover_sync_delay = DELAY / 2, log_level = "info" } }
  if FULL_SPEED then
    prefer(daemon.process.pid)
  end
  return stand, nodes, daemon
end

-- What each cluster does: deeds, and rests in which it has no event; while `state.still` is set nothing.
local function life(state)
  return function(cluster)
    while true do
      repeat
        cluster.is_still = true
        coroutine.yield(function() return not state.still end)
        cluster:rest(math.random() * PAUSE)
      until not state.still
      cluster.is_still = false
      state.deeds = state.deeds + 1
      local deed
      cluster.deed, deed = deeds.any()
      deed(cluster)
    end
  end
end

-- Whether plusmoin shows each cluster as it is, these masters, and all else their slaves.
local function shows_all(status, clusters)
  local masters, slaves = {}, 0
  for _, cluster in ipairs(status.clusters) do
    if cluster.master == cjson.null then
      return false
    end
    masters[cluster.master.host] = true
    slaves = slaves + #cluster.slaves
  end
  for _, cluster in ipairs(clusters) do
    if not masters[cluster.master.host] then
      return false
    end
  end
  return #status.clusters == CLUSTERS and slaves == CLUSTERS * (SIZE - 1)
end

-- The least of some looks, as rounds, fresh connections and logs come and go: descriptors, KiB in use (unless `heap` is
-- nil) and KiB of memory.
local function look(daemon, heap)
  local seen = {}
  local function least(name, value)
    seen[name] = math.min(seen[name] or value, value)
  end
  for _ = 1, LOOKS do
    proc.pump(LOOK_MS)
    least("used", heap and tonumber(proc.read_file(heap):match("%d+")) / 1024 or 0)
    least("pss", tonumber(proc.read_file("/proc/" .. daemon.process.pid .. "/smaps_rollup"):match("Pss:%s+(%d+)")))
    least("descriptors", proc.descriptors(daemon.process.pid, "."))
  end
  return seen
end

describe("a soak", function()
  after_each(function() scene.finish(standin.stop_all) end)

  it("in which each event is accounted for, and what is held does not grow", function()
    local seed = tonumber(os.getenv("SEED")) or os.time()
    math.randomseed(seed)
    local heap = not machine.lacks("faked") and proc.new_dir("heap") .. "/heap" or nil
    local stand, nodes, daemon = start(heap)
    daemon:wait_status("all clusters", function(status) return shows_all(status, {}) end, 30)
    local book, state = ledger.new(stand, daemon, LATE), { deeds = 0 }
    for i = 1, CLUSTERS do
      local cluster = book:cluster(table.move(nodes, (i - 1) * SIZE + 1, i * SIZE, 1, {}), life(state))
      cluster.master, cluster.limits = cluster.nodes[1], { delay = DELAY, grace = GRACE, heartbeat = HEARTBEAT }
    end
    book:note_stalls(math.floor(QUERY_TIMEOUT * 500))
    book:open()

    local began, before, rounds = proc.mono_ms(), stand:total("*").beats, 0
    local warm, seen, seconds
    for part = 1, PARTS do
      state.still = false
      while rounds < part * ROUNDS / PARTS do
        proc.watch(0.5, function() book:turn() end)
        book:note_stalls(math.floor(QUERY_TIMEOUT * 500))
        assert.is_true(daemon.process:running(), daemon:diagnose())
        rounds = stand:total("*").beats - before
      end
      state.still = true
      proc.wait_for("all clusters to be well", 60, function()
        book:turn()
        local all_still = book:all_told()
        for _, cluster in ipairs(book.clusters) do
          all_still = all_still and cluster.is_still
        end
        return all_still
      end, function() return ("SEED=%d\n%s\n%s"):format(seed, book:untold_text(), daemon:diagnose()) end)
      local problems, others = book:own_problems()
      assert.are.same({}, problems, ("SEED=%d"):format(seed))
      daemon:wait_status("all as they are", function(status) return shows_all(status, book.clusters) end, 10)
      seen, seconds = look(daemon, heap), (proc.mono_ms() - began) / 1000
      warm = warm or (seconds >= WARM_S and seen) or nil
      print(("soak: SEED=%d, %d rounds in %.0f s, %d deeds, %d events; beside %d times in which this machine had no"
        .. " time for the stand-ins %d not accounted for; %.0f KiB in use, %.0f KiB PSS, %d descriptors"):format(seed,
        rounds, seconds, state.deeds, book.told, #book.stalls, others, seen.used, seen.pss, seen.descriptors))
    end
    print(book:delays_text())
    assert.is_true(#book.stalls * 6 < seconds / 2, "this machine has no time for the stand-ins")
    if warm then
      assert.is_true(seen.used <= warm.used * FLAT, ("%.0f KiB, after a minute %.0f"):format(seen.used, warm.used))
      assert.is_true(seen.descriptors <= warm.descriptors * FLAT)
    end
  end)
end)
