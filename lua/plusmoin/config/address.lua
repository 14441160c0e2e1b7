--- Addresses of programs, "host:port": a name, an IPv4 address, or an IPv6 address in brackets.
local address = {}

--- Returns host and port of a text; or nil and what is wrong with it, in words.
function address.parse(text)
  local host, port = text:match("^%[([%x:.]+%%?[%w._-]*)%]:(%d+)$")
  if not host then
    host, port = text:match("^([%w._-]+):(%d+)$")
  end
  if not host then
    local bare = text:find("^[%w._-]+$") or text:find("^%[[%x:.]+%]$")
    return nil, bare and "has no port" or "is no host and port"
  end
  port = #port <= 5 and math.tointeger(tonumber(port))
  if not port or port < 1 or port > 65535 then
    return nil, "has a port that is out of range"
  end
  return host, port
end

return address
