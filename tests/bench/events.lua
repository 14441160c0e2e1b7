-- How long from a fault to the trigger, and from the start to plusmoin_up, on real
-- servers. Prints each beside a yardstick of the same run, so that a slow or noisy
-- machine shows: the time to spawn the trigger's own command, and to see a killed
-- process gone. Run by `make bench`.
local scene = require "spec.support.scene"
local plusmoin = require "spec.support.plusmoin"
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"

local ROUNDS = tonumber(os.getenv("ROUNDS") or "20")

local function report(what, times, unit_ms)
  table.sort(times)
  local median = times[(#times + 1) // 2]
  print(("%-46s median %7.1f ms  worst %7.1f ms  (%d times)%s"):format(what, median, times[#times], #times,
    unit_ms and ("  = %.1f x the yardstick"):format(median / unit_ms) or ""))
  return median
end

--- The yardstick: spawning a process and seeing it end, ms.
local function yardstick()
  local times = {}
  for i = 1, ROUNDS do
    local began = proc.mono_ms()
    proc.must { "/bin/true" }
    times[i] = proc.mono_ms() - began
  end
  return report("yardstick: spawn /bin/true and see it end", times)
end

local function last_of(daemon, name)
  local found
  for _, event in ipairs(daemon:events()) do
    if event.name == name then
      found = event
    end
  end
  return found
end

local function wait_next(daemon, name, after_ms)
  local event
  proc.wait_for(name, 20, function()
    event = last_of(daemon, name)
    return event and event.ms >= after_ms
  end)
  return event
end

local function master_killed(unit_ms)
  local daemon, master = scene.start {
    config = { heartbeat = 60, max_sync_delay = 120, recover_sync_delay = 60 },
  }
  local times = {}
  for i = 1, ROUNDS do
    local killed = proc.mono_ms()
    master:kill9()
    times[i] = wait_next(daemon, "master_down", killed).ms - killed
    local back = proc.mono_ms()
    master:start()
    wait_next(daemon, "master_up", back)
    proc.pump(1200) -- a connection that breaks within 1 s of being made is reconnected slowly (rules, "Rounds")
  end
  report("kill -9 of a master to start of master_down", times, unit_ms)
  scene.finish()
end

local function starts(unit_ms)
  local master, slaves = pg.cluster(2)
  local times = {}
  for i = 1, ROUNDS do
    local daemon = plusmoin.start { nodes = { master, slaves[1], slaves[2] }, config = { heartbeat = 60,
      max_sync_delay = 120, recover_sync_delay = 60 } }
    times[i] = last_of(daemon, "plusmoin_up").ms - daemon.started_ms
    daemon:stop_and_check()
  end
  report("start to plusmoin_up, one master and two slaves", times, unit_ms)
  scene.finish()
end

local ok, message = pcall(function()
  local unit_ms = yardstick()
  master_killed(unit_ms)
  starts(unit_ms)
end)
proc.cleanup()
if not ok then
  print(message)
  os.exit(1)
end
