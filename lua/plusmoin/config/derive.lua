--- Defaults that depend on other settings, and what two settings say together.
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

--- Settles what contradicts itself. `given` tells which keys stand in the file:
-- a default that is too big is taken down silently.
function derive.settle(ctx, config, given)
  cap(ctx, config, "recover_sync_delay", "max_sync_delay", given)
  cap(ctx, config, "retry_interval", "heartbeat", given)
  if config.heartbeat > config.max_sync_delay then
    ctx.report:warning(given.heartbeat and "heartbeat" or "max_sync_delay",
      ("heartbeat (%g) is longer than max_sync_delay (%g): a slave that is in sync can look late between two beats")
        :format(config.heartbeat, config.max_sync_delay))
  end
end

return derive
