--- Whether a standby will ever be as close to its master as it must be: one that is delayed on purpose, or paused.
local answers = require "plusmoin.answers"

local given = answers.given
local delay = {}

--- Returns the configuration with the node's own max_sync_delay and recover_sync_delay in place of the fleet's.
function delay.config_of(node, config)
  return setmetatable({
    max_sync_delay = node.max_sync_delay or config.max_sync_delay,
    recover_sync_delay = node.recover_sync_delay,
  }, { __index = config })
end

-- The cure allows the intended delay plus the fleet's max_sync_delay. So the default of the node's recover_sync_delay
-- is above the intended delay as well.
local function cure(fleet, seconds)
  return ("nodes[].max_sync_delay = %d"):format(math.ceil(seconds + fleet.max_sync_delay))
end

-- recovery_min_apply_delay is a setting from PostgreSQL 12 on. Before 12 it stands in recovery.conf, and no session
-- can read it.
local function judge_delay(seconds, config, fleet, advice)
  if seconds >= config.max_sync_delay then
    advice(cure(fleet, seconds), "recovery_min_apply_delay is %g s, and its max_sync_delay %g s: as a slave it "
      .. "is always out of sync", seconds, config.max_sync_delay)
  elseif config.recover_sync_delay and seconds > config.recover_sync_delay then
    advice(cure(fleet, seconds), "recovery_min_apply_delay is %g s, and its recover_sync_delay %g s: once it is "
      .. "lost it does not come back", seconds, config.recover_sync_delay)
  end
end

--- Judges a node by its facts. `config` is what config_of() returned, `fleet` the configuration of all nodes.
function delay.judge(facts, config, fleet, advice)
  if not facts.recovery then
    return
  end
  judge_delay((given(facts.apply_delay_ms) or 0) / 1000, config, fleet, advice)
  if given(facts.paused) then
    advice("SELECT pg_wal_replay_resume();", "its replay is paused: it is out of sync when it is %g s behind "
      .. "(max_sync_delay)", config.max_sync_delay)
  end
end

return delay
