--- How soon a slave's death is told, while others are frozen and while many others are polled. plusmoin runs on the
-- watcher's core as in all of this bench; here each of its events but the heartbeat runs a command, which notes when.
local farm = require "tests.bench.scale.farm"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"

local verdicts = {}

local DEATHS = 30
local TURNS = 3 -- calm and frozen take turns so often
local PAUSE_MS = 1100 -- before the same slave dies again: a connection that breaks within 1 s is made again slowly
local CONFIG = { heartbeat = 1, query_timeout = 2, connect_timeout = 4, retry_interval = 0.2, restart_grace = 1,
  max_sync_delay = 120, recover_sync_delay = 60, fresh_connect_interval = 3600, log_level = "error" }
local FROZEN = { 2, 3, 4, 12, 13 } -- of the first two clusters

local function watch(nodes, clusters, core)
  local daemon = plusmoin.start { nodes = nodes, config = CONFIG, clusters = clusters,
    triggers = { plusmoin_heartbeat = false } }
  if core then
    proc.must({ "taskset", "-acp", tostring(core), tostring(daemon.process.pid) }, { as_root = true })
  end
  return daemon
end

local function epoch_ms()
  local seconds, micros = proc.uv.gettimeofday()
  return seconds * 1000 + micros / 1000
end

-- The event's `time`, ms since the epoch: whole ones, so half of one is added to what was cut off.
local function time_of(daemon, event)
  for _, one in ipairs(daemon:ask({ request = "events" }).events) do
    if one.id == event.env.PLUSMOIN_EVENT_ID then
      return one.time * 1000 + 0.5
    end
  end
  error("the daemon does not know event " .. event.env.PLUSMOIN_EVENT_ID)
end

-- Kills a slave and brings it back: ms until the verdict, by the event's `time`, and until its command ran. `back`:
-- when each slave came back.
local function die(daemon, stand, node, back)
  while proc.mono_ms() < (back[node] or 0) + PAUSE_MS do
    proc.pump(PAUSE_MS)
  end
  local died, died_epoch = proc.mono_ms(), epoch_ms()
  stand:play(node.label .. " die")
  local event = daemon:expect_events { { "slave_down", node } }
  local verdict = time_of(daemon, event)
  stand:play(node.label .. " serve")
  daemon:expect_events { { "slave_up", node } }
  back[node] = proc.mono_ms()
  return verdict - died_epoch, event.ms - died
end

local function set_frozen(daemon, of, frozen)
  local wanted = {}
  for _, i in ipairs(FROZEN) do
    of.stand:play(of.nodes[i].label .. (frozen and " silent" or " serve"))
    wanted[#wanted + 1] = { frozen and "slave_down" or "slave_up", of.nodes[i] }
  end
  daemon:expect_any_order(wanted)
end

--- In a fleet of ten clusters, ms from a slave's death in one of eight to the verdict: { calm =, frozen = }, the latter
-- while five nodes of the other two are frozen.
function verdicts.beside_frozen(farm_core, core)
  local of = farm.start(100, farm_core)
  local daemon = watch(of.nodes, 10, core)
  local times, back = { calm = {}, frozen = {} }, {}
  for turn = 1, TURNS do
    for _, state in ipairs { "calm", "frozen" } do
      if turn > 1 or state == "frozen" then
        set_frozen(daemon, of, state == "frozen")
      end
      for i = 1, DEATHS // TURNS do
        local slave = of.nodes[2 * farm.CLUSTER + (i - 1) % 8 * farm.CLUSTER + 2 + i // 8 + 2 * turn]
        table.insert(times[state], (die(daemon, of.stand, slave, back)))
      end
    end
  end
  daemon:stop_and_check()
  of.stop()
  return times
end

--- ms from a slave's death to the start of its trigger, alone with two others, and with `many` others polled.
function verdicts.in_a_crowd(many, farm_core, core)
  local times = {}
  for name, others in pairs { alone = 0, crowd = many } do
    local of = farm.start(others, farm_core)
    local nodes = of.stand:clusters("k", 1, 3, "127.41.0.1")
    local daemon = watch(table.move(of.nodes, 1, #of.nodes, #nodes + 1, nodes), others // farm.CLUSTER + 1, core)
    local back = {}
    times[name] = {}
    for i = 1, DEATHS do
      times[name][i] = select(2, die(daemon, of.stand, nodes[2 + i % 2], back))
    end
    daemon:stop_and_check()
    of.stop()
  end
  return times
end

return verdicts
