--- Checks `nodes`: the servers to watch.
local checks = require "plusmoin.config.checks"
local connection = require "plusmoin.config.connection"
local keypath = require "plusmoin.keypath"
local settings = require "plusmoin.settings"

local nodes = {}

-- A beat carries the id of its master, cut at 255 bytes (contract, "JSON": master_name).
-- A longer id would never match.
local MAX_ID = 255

-- The longest path of a Unix socket, and the name that libpq appends to the directory.
local MAX_SOCKET_PATH = 107
local SOCKET_NAME = "/.s.PGSQL.%d"

-- Whether it looks like an IPv6 address, with or without a zone (fe80::1%eth0).
local function is_ipv6(host)
  local address = host:gsub("%%[%w._-]+$", "")
  return address:find("^%x*:%x*:[%x:.]*$") ~= nil
end

local function host_fault_of_name(host)
  if host:find("/", 1, true) then
    return "holds a slash, but is no absolute directory"
  elseif host:find(":", 1, true) and not is_ipv6(host) then
    return host:find("^[^:]+:%d+$") and "holds a port: write it as the key port" or "is no IPv6 address"
  elseif host:sub(1, 1) == "@" then
    return "is an abstract socket"
  end
  return nil
end

-- Returns what is wrong with a host, in words; nil: nothing.
local function host_fault(host)
  if host:find("[%s%c]") then
    return "holds blanks or control characters"
  elseif host:find("[%[%]]") then
    return "holds brackets: write an IPv6 address without them"
  elseif host:find(",", 1, true) then
    return "holds a comma: each server is a node of its own"
  elseif host:sub(1, 1) ~= "/" then
    return host_fault_of_name(host)
  end
  return nil
end

local function check_host(ctx, path, value)
  local row = settings.find("nodes[].host")
  return checks.faultless(ctx, path, checks.text(ctx, path, value, row), host_fault, row)
end

-- Reports a host and port that are too long together, for a socket's path or for a node's id.
local function check_length(ctx, path, host, port)
  local socket = host .. SOCKET_NAME:format(port)
  if host:sub(1, 1) == "/" and #socket > MAX_SOCKET_PATH then
    ctx.report:error(path, ("its socket's path has %d bytes"):format(#socket), ("at most %d"):format(MAX_SOCKET_PATH))
  elseif #host + #tostring(port) + 1 > MAX_ID then
    ctx.report:error(path, ("%d bytes are too long"):format(#host), "a host and port of at most 255 bytes together")
  end
end

-- Returns the checked value of a node's key; nil where it is not given, and after an error.
local function read_key(ctx, path, entry, key)
  local given = checks.get(entry, key)
  if given == nil then
    return nil
  end
  local own = keypath.key(path, key)
  if key == "host" then
    return check_host(ctx, own, given)
  elseif key == "connection" then
    return connection.check(ctx, own, given)
  end
  return checks.value(ctx, own, given, settings.find("nodes[]." .. key))
end

-- Returns the node's password, else the file's. "" means that there is none: nil.
local function password_of(entry, global)
  local password = entry.password or global.password
  return password ~= "" and password or nil
end

local function finish_node(entry, port, global, path)
  local id = ("%s:%d"):format(entry.host, port)
  return {
    host = entry.host, port = port, id = id, name = entry.name or id,
    user = entry.user or global.user, dbname = entry.dbname or global.dbname,
    password = password_of(entry, global),
    connection = connection.merge(global.connection, entry.connection or {}),
    max_sync_delay = entry.max_sync_delay, recover_sync_delay = entry.recover_sync_delay,
    ignore_system_id = entry.ignore_system_id, path = path,
  }
end

local function read_node(ctx, path, entry, global)
  if not checks.is_object(ctx, path, entry) then
    local example = ctx.lua and '{host = "db1", port = 5432}' or '{"host": "db1", "port": 5432}'
    ctx.report:error(path, checks.describe(ctx, path, entry) .. " where a node belongs", example)
    return nil
  end
  checks.keys(ctx, path, entry, "nodes[].")
  local read = {}
  for _, row in ipairs(settings.below("nodes[].")) do
    local key = settings.key(row)
    read[key] = read_key(ctx, path, entry, key)
  end
  local host_path = keypath.key(path, "host")
  if checks.get(entry, "host") == nil then
    ctx.report:error(host_path, "is missing", settings.allowed(settings.find("nodes[].host")))
  end
  local port = read.port or settings.find("nodes[].port").default
  if not read.host or (checks.get(entry, "port") ~= nil and not read.port) then
    return nil
  end
  check_length(ctx, host_path, read.host, port)
  return finish_node(read, port, global, path)
end

local function check_unique(ctx, seen, node, path)
  local other = seen[node.id]
  if other then
    ctx.report:error(path, ("the same host and port (%s) as %s"):format(keypath.escape(node.id), other),
      "each host and port once")
  end
  seen[node.id] = other or path
end

--- Checks the list of nodes. `global` holds the file's user, password, dbname and
-- connection (a map). Returns a list of nodes as finish_node() makes them; a wrong one is
-- reported and left out.
function nodes.check(ctx, value, global)
  local path = "nodes"
  if value == nil then
    ctx.report:warning(path, "no nodes are configured: there is nothing to watch")
    return {}
  elseif not checks.is_list(ctx, path, value) then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where a list belongs",
      settings.allowed(settings.find("nodes")))
    return {}
  end
  local list, seen = {}, {}
  for index, entry in ipairs(value) do
    local own = keypath.index(path, index)
    local node = read_node(ctx, own, entry, global)
    if node then
      check_unique(ctx, seen, node, own)
      list[#list + 1] = node
    end
  end
  if #value == 0 then
    ctx.report:warning(path, "no nodes are configured: there is nothing to watch")
  end
  return list
end

--- Returns all secrets of the configuration, each once, so that they can be blanked in logs: the passwords of the file
-- and the nodes, each `sslpassword`, the token of `http` (nil: no window), and the password of `monitors` (nil: none).
function nodes.secrets(list, global, http, monitors)
  local secrets, seen = {}, {}
  local function add(secret)
    if secret and secret ~= "" and not seen[secret] then
      seen[secret] = true
      secrets[#secrets + 1] = secret
    end
  end
  add(global.password)
  add(global.connection.sslpassword)
  add(http and http.token)
  add(monitors and monitors.password)
  for _, node in ipairs(list) do
    add(node.password)
    for _, pair in ipairs(node.connection) do
      add(pair[1] == "sslpassword" and pair[2])
    end
  end
  return secrets
end

return nodes
