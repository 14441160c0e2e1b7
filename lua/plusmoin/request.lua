--- pm.request: one exchange with a program that listens on a socket. This file checks its
-- arguments; src/script/api_request.c makes the exchange.
local core = require "plusmoin.request.core"

local request = {}

local LONGEST_S = 86400 -- as for all times of the configuration
local KEYS = { to = true, data = true, timeout = true }
local ALLOWED = 'to, "/socket" or "host:port" expected'

local function misuse(format, ...)
  error("pm.request: " .. format:format(...), 0)
end

--- Splits an address: returns a path for "/socket"; nil, host and port for "host:port" and
-- "[::1]:port"; nil for all else. It does not wait.
function request.parse(to)
  if type(to) ~= "string" or to:find("\0", 1, true) then
    return nil
  elseif to:sub(1, 1) == "/" then
    return to
  end
  local host, digits = to:match("^%[([^%[%]]+)%]:(%d+)$")
  if not host then
    host, digits = to:match("^([^:%[%]]+):(%d+)$")
  end
  local port = math.tointeger(tonumber(digits))
  if not port or port < 1 or port > 65535 then
    return nil
  end
  return nil, host, port
end

--- pm.request, as the table of the API says (lua/plusmoin/api/waiting.lua).
function request.request(spec)
  if type(spec) ~= "table" then
    misuse("a table expected, got %s", type(spec))
  end
  for key in pairs(spec) do
    if not KEYS[key] then
      misuse("unknown key %q; allowed: data, timeout, to", tostring(key))
    end
  end
  local path, host, port = request.parse(spec.to)
  if not path and not host then
    misuse(ALLOWED)
  end
  local data = spec.data or ""
  if type(data) ~= "string" then
    misuse("data: a string expected, got %s", type(data))
  end
  local timeout = spec.timeout
  if timeout ~= nil and not (type(timeout) == "number" and timeout > 0 and timeout <= LONGEST_S) then
    misuse("timeout: seconds above 0, at most %d, expected", LONGEST_S)
  end
  local answer, why = core.exchange { path = path, host = host, port = port, data = data, timeout = timeout }
  if not answer then
    return nil, spec.to .. ": " .. why
  end
  return answer
end

return request
