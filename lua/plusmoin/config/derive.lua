--- Defaults that depend on other settings, and what two settings say together.
local keypath = require "plusmoin.keypath"
local settings = require "plusmoin.settings"

local derive = {}

--- Fills in what the file leaves out, in `config` (the checked single values).
-- The fixed defaults first, then those that follow another setting (contract,
-- the table of keys).
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

-- Takes `key` down to `limit_key`'s value; a warning when the file asked for more.
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

-- A node's own delays, where it has any: they are as far apart as the fleet's two, unless the file says otherwise;
-- but the second is half of the first at least, so that a small first leaves a second at all.
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

--- Settles what contradicts itself. `given` tells which keys stand in the file:
-- a default that is too big is taken down silently.
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
