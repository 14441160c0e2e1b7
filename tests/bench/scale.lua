-- What a node costs plusmoin, beside the floor: libpq alone on the same work, paced alike (floor.c). Both watch one
-- farm of stand-ins in turn, on a core of their own. Run by `make bench-scale`; the result is build/bench-scale.json,
-- and tests/bench/scale/table.lua prints its table.
-- SIZES="100 1000" and REPEATS=1 in the environment make it shorter, SKIP="instructions fresh verdicts" leaves parts
-- out.
local cjson = require "cjson"
local farm = require "tests.bench.scale.farm"
local instructions = require "tests.bench.scale.instructions"
local numbers = require "tests.bench.scale.numbers"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local verdicts = require "tests.bench.scale.verdicts"
local watcher = require "tests.bench.scale.watcher"

local HEARTBEAT = 1              -- s
local SETTLE_MS, SECONDS = 2500, 4 -- the window begins and ends between two rounds of all nodes
local REPEATS = tonumber(os.getenv("REPEATS") or "3")
local SMALL = 10                 -- nodes: what a process costs without a fleet
local COUNTED_SIZES = { 100, 1000 } -- of instructions
local WATCHER_CORE = 0
local FRESH_NODES, FRESH_INTERVAL, FRESH_REPEATS = 50, 2.5, 2
local CROWD = 1000
local RESULT = "build/bench-scale.json"

local sizes = {}
for size in (os.getenv("SIZES") or "100 1000 5000"):gmatch("%d+") do
  sizes[#sizes + 1] = tonumber(size)
end
local skip = os.getenv("SKIP") or ""
local cores = #proc.uv.cpu_info()
local farm_core = cores > 1 and cores - 1 or nil

local began = os.time()

local function say(format, ...)
  io.stderr:write(("%4d s  "):format(os.time() - began), format:format(...), "\n")
end

-- ---- one run ---------------------------------------------------------------

local function add(lists, name, value)
  lists[name] = lists[name] or {}
  table.insert(lists[name], value)
end

-- What one node costs in one round, into the lists of its kind.
local function note(lists, watched, seen)
  local counted = seen.counted
  add(lists, "cpu_us", seen.cpu_ns / seen.node_rounds / 1000)
  add(lists, "pss_kib", watched:pss_kib())
  add(lists, "round_trips", counted.syncs / seen.node_rounds)
  add(lists, "packets_out", counted.segments_in / seen.node_rounds) -- the farm's in is the watcher's out
  add(lists, "packets_in", counted.segments_out / seen.node_rounds)
  add(lists, "bytes_out", counted.bytes_in / seen.node_rounds)
  add(lists, "bytes_in", counted.bytes_out / seen.node_rounds)
  add(lists, "connections", counted.connections)
  if math.abs(seen.bursts.farm.count - SECONDS / HEARTBEAT) <= 1 then -- one a round: else the clusters take turns
    add(lists, "farm_round_ms", seen.bursts.farm.median / 1000)
  end
  add(lists, "cluster_round_us", seen.bursts.clusters.median)
end

local function start_plusmoin(of, lists, what)
  local watched = watcher.plusmoin(of, { core = WATCHER_CORE, heartbeat = HEARTBEAT })
  local placed, events = watched:conclusions()
  add(lists, what, watched.start_s or cjson.null)
  add(lists, "events", events)
  say("%d nodes: plusmoin, %s: %s s; %d nodes have a place, %d events", of.count, what,
    watched.start_s and ("%.2f"):format(watched.start_s) or "not in 30", placed, events)
  return watched
end

-- plusmoin's steady state, from the start that `what` names.
local function run_plusmoin(of, lists, what)
  local watched = start_plusmoin(of, lists, what)
  proc.pump(SETTLE_MS)
  note(lists, watched, watched:watch(SECONDS))
  local _, events = watched:conclusions()
  lists.events[#lists.events] = events -- those of the start are among them
  watched:stop()
end

local function run_floor(of, lists, pace)
  local watched = watcher.floor(of, pace, { core = WATCHER_CORE, heartbeat = HEARTBEAT })
  add(lists, "start_s", watched.start_s)
  proc.pump(SETTLE_MS)
  note(lists, watched, watched:watch(SECONDS))
  watched:stop()
end

-- All of one size once, on a farm of its own.
local function run(size, of_size)
  local of = farm.start(size, farm_core)
  run_plusmoin(of, of_size.plusmoin, "start_empty_s")
  run_floor(of, of_size.spread, "spread")
  run_floor(of, of_size.once, "once")
  run_plusmoin(of, of_size.plusmoin, "start_again_s")
  of:write_foreign_rows()
  start_plusmoin(of, of_size.plusmoin, "start_foreign_s"):stop()
  of.stop()
end

-- ---- all runs --------------------------------------------------------------

local function of_kinds()
  return { plusmoin = {}, spread = {}, once = {} }
end

local function measure_sizes(result)
  for _, size in ipairs(sizes) do
    local lists = of_kinds()
    for i = 1, REPEATS do
      run(size, lists)
      say("%d nodes: run %d of %d is done", size, i, REPEATS)
    end
    result.sizes[tostring(size)] = lists
  end
end

local function count_instructions(result)
  for _, size in ipairs(COUNTED_SIZES) do
    local of = farm.start(size, farm_core)
    local counts = {}
    counts.plusmoin = instructions.count(function(options) return watcher.plusmoin(of, options) end,
      ("build/bench-scale.%d.callgrind"):format(size))
    counts.spread = instructions.count(function(options) return watcher.floor(of, "spread", options) end)
    of.stop()
    say("%d nodes: %.0f instructions, the floor's %.0f", size, counts.plusmoin, counts.spread)
    for kind, count in pairs(counts) do
      local lists = result.sizes[tostring(size)]
      if lists then
        lists[kind].instructions = { count }
      end
    end
  end
end

-- What the process is without a fleet, KiB.
local function measure_small(result)
  local of = farm.start(SMALL, farm_core)
  local small = { nodes = SMALL }
  for _, kind in ipairs { "plusmoin", "spread", "once" } do
    local options = { core = WATCHER_CORE, heartbeat = HEARTBEAT }
    local watched = kind == "plusmoin" and watcher.plusmoin(of, options) or watcher.floor(of, kind, options)
    proc.pump(SETTLE_MS)
    small[kind] = watched:pss_kib()
    watched:stop()
  end
  of.stop()
  result.small = small
end

-- What a fresh connection costs: the CPU with them less that without, by how many there were.
local function measure_fresh(result)
  local of = farm.start(FRESH_NODES, farm_core)
  result.fresh_us = {}
  for _ = 1, math.min(REPEATS, FRESH_REPEATS) do
    local per_round, connections, rounds = {}, 0, 0
    for i, fresh in ipairs { false, FRESH_INTERVAL } do
      local watched = watcher.plusmoin(of, { core = WATCHER_CORE, heartbeat = HEARTBEAT, fresh = fresh or nil })
      proc.pump(SETTLE_MS)
      local seen = watched:watch(2 * FRESH_INTERVAL)
      per_round[i], connections, rounds = seen.cpu_ns / seen.node_rounds, seen.counted.connections, seen.node_rounds
      watched:stop()
    end
    table.insert(result.fresh_us, (per_round[2] - per_round[1]) * rounds / connections / 1000)
  end
  of.stop()
  say("a fresh connection: %.0f us", numbers.of(result.fresh_us).median)
end

local function machine()
  local _, _, release = proc.run { "uname", "-r" }
  return { cpu = proc.uv.cpu_info()[1].model, cores = cores, system = proc.uv.os_uname().release or release,
    tree = proc.must({ "git", "describe", "--always", "--dirty" }, { as_root = true, cwd = "." }):gsub("\n", ""),
    date = os.date("!%Y-%m-%d") }
end

local function measure()
  local result = { machine = machine(), repeats = REPEATS, heartbeat = HEARTBEAT, sizes = {} }
  measure_small(result)
  measure_sizes(result)
  if not skip:find("fresh", 1, true) then
    measure_fresh(result)
  end
  if not skip:find("verdicts", 1, true) then
    result.beside_frozen = verdicts.beside_frozen(farm_core, WATCHER_CORE)
    result.in_a_crowd = verdicts.in_a_crowd(CROWD, farm_core, WATCHER_CORE)
    say("deaths beside frozen nodes and in a crowd are done")
  end
  if not skip:find("instructions", 1, true) then
    count_instructions(result)
  end
  result.seconds = os.time() - began
  proc.write_file(RESULT, cjson.encode(result))
end

local ok, message = pcall(measure)
plusmoin.stop_all()
pcall(farm.stop)
proc.cleanup()
if not ok then
  print(message)
  os.exit(1)
end
dofile("tests/bench/scale/table.lua")
