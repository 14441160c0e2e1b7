--- The cores, for tests without a daemon: they stand for the modules that the daemon has in C
-- (plusmoin.core, plusmoin.exec, ...) and get each answer from a `world`
-- (lua/plusmoin/testing.lua). The code above them is the daemon's own, so tests run the
-- same checks of arguments.
local json = require "plusmoin.testing.json"

local cores = {}

local LONGEST_S = 86400

-- Returns a deep copy of plain values, as pm.state makes it.
local function copy(value, depth)
  local kind = type(value)
  if depth > 100 then
    error("pm.state: nested deeper than 100 (a cycle?)", 0)
  elseif kind == "table" and value ~= json.null then
    local made = {}
    for key, item in next, value do
      made[copy(key, depth + 1)] = copy(item, depth + 1)
    end
    return made
  elseif kind == "function" or kind == "thread" or kind == "userdata" then
    error(("pm.state keeps plain values: a %s is none"):format(kind), 0)
  end
  return value
end

-- Returns a deep copy in which marked arrays stay marked.
local function picture(value)
  if type(value) ~= "table" then
    return value
  end
  local made = json.is_array(value) and json.array {} or {}
  for key, item in next, value do
    made[key] = picture(item)
  end
  return made
end

local function core_of(world)
  local core = {}
  function core.sleep(seconds)
    if type(seconds) ~= "number" then
      error(("bad argument #1 to 'sleep' (number expected, got %s)"):format(seconds == nil and "no value"
        or type(seconds)), 2)
    elseif not (seconds >= 0 and seconds <= LONGEST_S) then
      error("bad argument #1 to 'sleep' (seconds from 0 to 86400 expected)", 2)
    end
    world:wait("pm.sleep", seconds)
  end
  function core.now() return world.time end
  function core.log(level, text) world:note(level, text) end
  function core.in_trigger() return world.running end
  function core.cluster(id)
    for _, cluster in ipairs(core.clusters()) do
      if cluster.cluster_id == id then
        return cluster
      end
    end
  end
  function core.clusters()
    return picture(world.clusters)
  end
  return core
end

local function store_of(world)
  local store = {}
  function store.get(key) return copy(world.state[key], 0) end
  function store.set(key, value)
    if type(key) ~= "string" then
      error("bad argument #1 to 'set' (pm.state has names as keys)", 2)
    end
    world.state[key] = copy(value, 0)
  end
  function store.next(key)
    local names = {}
    for name in pairs(world.state) do
      names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
      if key == nil or name > key then
        return name, store.get(name)
      end
    end
  end
  return store
end

local function plain_string(what, value)
  if type(value) ~= "string" and type(value) ~= "number" then
    error(("pm.exec: %s: a string expected, got %s"):format(what, type(value)), 0)
  elseif tostring(value):find("\0", 1, true) then
    error(("pm.exec: %s: a string without NUL bytes expected"):format(what), 0)
  end
end

local function check_env(env)
  if type(env) ~= "table" then
    error(("pm.exec: env: a table expected, got %s"):format(type(env)), 0)
  end
  for name, value in pairs(env) do
    if type(name) ~= "string" or name == "" or name:find("[=\0]") then
      error("pm.exec: env: names without '=' expected as keys", 0)
    elseif value ~= false then
      plain_string("env", value)
    end
  end
end

local function check_exec(spec)
  if type(spec) ~= "table" then
    error(("bad argument #1 to 'run' (table expected, got %s)"):format(type(spec)), 0)
  elseif #spec == 0 then
    error("pm.exec: no program: pm.exec{\"program\", \"argument\", ...} expected", 0)
  end
  for _, word in ipairs(spec) do
    plain_string("an argument", word)
  end
  local timeout = tonumber(spec.timeout)
  if spec.timeout ~= nil and not (timeout and timeout > 0 and timeout <= LONGEST_S) then
    error("pm.exec: timeout: seconds above 0, at most 86400, expected", 0)
  elseif spec.stdin ~= nil and type(spec.stdin) ~= "string" then
    error(("pm.exec: stdin: a string expected, got %s"):format(type(spec.stdin)), 0)
  elseif spec.cwd ~= nil then
    plain_string("cwd", spec.cwd)
  end
  if spec.env ~= nil then
    check_env(spec.env)
  end
end

-- Returns a program's result out of an answer: {code = 0, stdout = "", ...}, or a text for stdout.
local function exec_result(answer)
  answer = type(answer) == "string" and { stdout = answer } or answer
  local result = { code = not answer.signal and (answer.code or 0) or nil, signal = answer.signal,
    stdout = answer.stdout or "", stderr = answer.stderr or "", timed_out = answer.timed_out or false,
    truncated = answer.truncated or false }
  return result
end

local function exec_of(world)
  local function run(spec)
    world:check_wait("pm.exec")
    check_exec(spec)
    local answer, why = world:ask("exec", copy(spec, 0), spec.timeout)
    if answer == nil then
      return nil, why or ("cannot start %s: No such file or directory"):format(spec[1])
    end
    return exec_result(answer)
  end
  return { run = run, read = run }
end

local function http_of(world)
  return { fetch = function(order)
    world:check_wait("pm.http")
    local headers = {}
    for _, line in ipairs(order.headers) do
      local name, value = line:match("^([^:;]+)[:;] ?(.*)$")
      headers[name] = value
    end
    local answer, why = world:ask("http", { url = order.url, method = order.method, headers = headers,
      body = order.body, cafile = order.cafile, verify = order.verify, redirects = order.redirects }, order.timeout)
    if answer == nil then
      return nil, why or "Could not connect to server"
    end
    answer = type(answer) == "string" and { body = answer } or answer
    local head = {}
    for name, value in pairs(answer.headers or {}) do
      head[#head + 1] = name .. ": " .. value
    end
    return answer.status or 200, answer.body or "", table.concat(head, "\r\n")
  end }
end

local function request_of(world)
  return { exchange = function(order)
    world:check_wait("pm.request")
    local to = order.path or (order.host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(order.host, order.port)
    local answer, why = world:ask("request", { to = to, data = order.data }, order.timeout)
    if answer == nil then
      return nil, why or "connection refused"
    end
    return answer
  end }
end

-- Returns the rows out of an answer. Where it lacks n and command, they are those of a SELECT.
local function query_rows(answer)
  local rows = { n = answer.n or #answer, command = answer.command or "SELECT " .. #answer }
  for i, row in ipairs(answer) do
    rows[i] = row
  end
  return rows
end

local function query_of(world)
  return { ask = function(spec)
    world:check_wait("pm.query")
    local params = {}
    for i = 1, spec.count or 0 do
      params[i] = spec.params[i] or json.null
    end
    local answer, why = world:ask("query", { host = spec.host, port = spec.port, sql = spec.sql,
      params = spec.params and params or nil, user = spec.user, password = spec.password, dbname = spec.dbname,
      connection = spec.connection, admin = spec.admin }, spec.timeout)
    if answer == nil then
      return nil, why or "connection refused"
    end
    return query_rows(answer)
  end }
end

--- Returns the modules by name; `world` answers their calls.
function cores.of(world)
  return {
    ["plusmoin.core"] = core_of(world),
    ["plusmoin.store"] = store_of(world),
    ["plusmoin.exec"] = exec_of(world),
    ["plusmoin.http.core"] = http_of(world),
    ["plusmoin.request.core"] = request_of(world),
    ["plusmoin.query.core"] = query_of(world),
    ["plusmoin.jansson"] = json,
  }
end

return cores
