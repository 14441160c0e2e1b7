--- Fills in defaults that depend on other settings, and corrects settings that contradict each other.
local keypath = require "plusmoin.keypath"
local settings = require "plusmoin.settings"

local derive = {}

--- Fills in the values that the file leaves out, in `config` (the checked single values):
-- the fixed defaults first, then those that follow another setting (contract, the table
-- of keys).
function derive.defaults(config)
  for _, row in ipairs(settings.below("")) do
    local key = settings.key(row)
    if config[key] == nil then
      config[key] = row.default
    end
  end
  config.query_timeout = config.query_timeout or math.min(config.connect_timeout, 10)
  config.retry_interval = config.retry_interval or math.min(1, config.heartbeat)
  config.restart_grace = config.restart_grace or math.min(config.heartbeat, 10)
end

-- Lowers `key` to the value of `limit_key`. It warns only when the file itself asks for more.
local function cap(ctx, config, key, limit_key, given)
  local value, limit = config[key], config[limit_key]
  if value <= limit then
    return
  end
  config[key] = limit
  if given[key] then
    ctx.report:warning(key, ("%g is more than %s; counts as %g"):format(value, limit_key, limit))
  end
end

local function warn_of_heartbeat(ctx, config, path, name, delay)
  if config.heartbeat > delay then
    ctx.report:warning(path,
      ("heartbeat (%g) is longer than %s (%g): a slave that is in sync can look late between two beats")
        :format(config.heartbeat, name, delay))
  end
end

-- Settles a node's own delays, where it has any. The default of its recover_sync_delay keeps the difference that the
-- fleet's two delays have, but is at least half of its max_sync_delay: so it is above 0 for a small one, too.
local function settle_node(ctx, config, node)
  local most, back = node.max_sync_delay, node.recover_sync_delay
  local limit = most or config.max_sync_delay
  if most then
    warn_of_heartbeat(ctx, config, keypath.key(node.path, "max_sync_delay"), "its max_sync_delay", most)
  end
  if most and not back then
    node.recover_sync_delay = math.max(most - (config.max_sync_delay - config.recover_sync_delay), most / 2)
  elseif back and back > limit then
    ctx.report:warning(keypath.key(node.path, "recover_sync_delay"),
      ("%g is more than its max_sync_delay; counts as %g"):format(back, limit))
    node.recover_sync_delay = limit
  end
end

--- Corrects settings that contradict each other. `given` is the set of keys that the
-- file has: a default that is too big is lowered without a warning.
function derive.settle(ctx, config, given)
  cap(ctx, config, "recover_sync_delay", "max_sync_delay", given)
  cap(ctx, config, "retry_interval", "heartbeat", given)
  warn_of_heartbeat(ctx, config, given.heartbeat and "heartbeat" or "max_sync_delay", "max_sync_delay",
    config.max_sync_delay)
  for _, node in ipairs(config.nodes) do
    settle_node(ctx, config, node)
  end
end

return derive
