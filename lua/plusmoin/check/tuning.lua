--- Judges a server's clock, and those of its settings that make plusmoin slow or blind.
local answers = require "plusmoin.answers"

local given = answers.given
local tuning = {}

local CLOCK_SECONDS = 1   -- a greater difference misleads people who compare logs
local FREE_SESSIONS = 3   -- one for plusmoin's connection, one while it is replaced, one for an administrator

local function judge_clock(node, facts, advice)
  node.clock = facts.now - node.asked
  local uncertain = node.rtt / 2
  if math.abs(node.clock) - uncertain > CLOCK_SECONDS then
    advice("NTP on both machines", "its clock is %.1f s %s this machine's", math.abs(node.clock),
      node.clock > 0 and "ahead of" or "behind")
  end
end

local function judge_settings(facts, config, advice)
  local receiver = given(facts.wal_receiver_timeout_ms)
  if receiver == 0 then
    advice("ALTER SYSTEM SET wal_receiver_timeout = '60s'; SELECT pg_reload_conf();",
      "wal_receiver_timeout is 0: a slave waits for ever for a master that vanished without closing its connection")
  elseif receiver and receiver / 1000 > config.max_sync_delay then
    advice(("ALTER SYSTEM SET wal_receiver_timeout = '%ds'; SELECT pg_reload_conf();"):format(
      math.max(1, config.max_sync_delay // 2)),
      "wal_receiver_timeout is %g s: a slave is out of sync (%g s) before it notices a dead link to its master",
      receiver / 1000, config.max_sync_delay)
  end
  local idle = given(facts.idle_session_timeout_ms) or 0
  if idle > 0 and idle / 1000 < config.heartbeat then
    advice(nil, "idle_session_timeout (%g s) is below heartbeat; plusmoin turns it off for its own session",
      idle / 1000)
  end
  local free = facts.max_connections - facts.reserved - facts.sessions
  if free < FREE_SESSIONS then
    advice("ALTER SYSTEM SET max_connections = ...; and a restart, or fewer clients",
      "only %d of its %d connections are free for ordinary roles", math.max(0, free), facts.max_connections)
  end
end

--- Judges clock and settings of a node; all of it is advice.
function tuning.judge(node, facts, config, advice)
  judge_clock(node, facts, advice)
  judge_settings(facts, config, advice)
end

return tuning
