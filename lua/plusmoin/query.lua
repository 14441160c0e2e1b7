--- pm.query: SQL from a trigger. This file checks its arguments and turns them into
-- strings; src/script/api_query.c talks to the server.
local connection = require "plusmoin.config.connection"
local core = require "plusmoin.query.core"
local json = require "plusmoin.jansson"

local query = {}

local LONGEST_S = 86400   -- as for all times of the configuration
local MOST_PARAMS = 65535 -- the most that the protocol allows

local function misuse(format, ...)
  error("pm.query: " .. format:format(...), 0)
end

local function check_text(what, value)
  if type(value) ~= "string" then
    misuse("%s: a string expected, got %s", what, type(value))
  elseif value:find("\0", 1, true) then
    misuse("%s: a string without NUL bytes expected", what)
  end
  return value
end

local function check_optional(what, value)
  return value ~= nil and check_text(what, value) or nil
end

local function check_connection(what, value)
  if value == nil then
    return nil
  elseif type(value) ~= "table" then
    misuse("%s: a table of libpq keywords expected, got %s", what, type(value))
  end
  local keywords = {}
  for key, word in pairs(value) do
    check_text(what .. ": a keyword", key)
    if connection.refused[key] then
      misuse("%s.%s may not be set here; allowed: %s", what, key, connection.refused[key])
    end
    if type(word) == "boolean" then
      word = word and "1" or "0"
    elseif type(word) == "number" then
      word = tostring(math.tointeger(word) or word)
    end
    keywords[key] = check_text(what .. "." .. key, word)
  end
  return keywords
end

local function check_target(target)
  if type(target) ~= "table" then
    misuse("target: a node, or {host =, port =}, expected, got %s", type(target))
  end
  local port = target.port == nil and 5432 or math.tointeger(target.port)
  if not port or port < 1 or port > 65535 then
    misuse("target.port: an integer from 1 to 65535 expected")
  end
  return check_text("target.host", target.host), port
end

-- Returns a parameter's text; false for NULL. The server finds out the types.
local function param_text(i, value)
  if value == nil or value == json.null then
    return false
  elseif type(value) == "boolean" then
    return value and "t" or "f"
  elseif math.type(value) == "float" then
    return math.tointeger(value) and ("%d"):format(value) or ("%.17g"):format(value)
  elseif type(value) == "number" then
    return ("%d"):format(value)
  end
  return check_text(("params[%d]"):format(i), value)
end

-- Returns how many parameters there are: n, as table.pack sets it, or the highest index.
local function count_params(params)
  local count = params.n
  if count == nil then
    count = 0
    for key in pairs(params) do
      if math.type(key) ~= "integer" or key < 1 then
        misuse("params: a list expected, not one with the key %s", tostring(key))
      end
      count = math.max(count, key)
    end
  end
  count = math.tointeger(count)
  if not count or count < 0 or count > MOST_PARAMS then
    misuse("params: at most %d of them are possible", MOST_PARAMS)
  end
  return count
end

local function check_params(params)
  if params == nil then
    return nil
  elseif type(params) ~= "table" then
    misuse("params: a list expected, got %s", type(params))
  end
  local texts, count = {}, count_params(params)
  for i = 1, count do
    texts[i] = param_text(i, params[i])
  end
  return texts, count
end

local OPTIONS = {
  timeout = function(value)
    if value ~= nil and not (type(value) == "number" and value > 0 and value <= LONGEST_S) then
      misuse("timeout: seconds above 0, at most %d, expected", LONGEST_S)
    end
    return value
  end,
  admin = function(value)
    if value ~= nil and type(value) ~= "boolean" then
      misuse("admin: true or false expected, got %s", type(value))
    end
    return value
  end,
  user = function(value) return check_optional("user", value) end,
  password = function(value) return check_optional("password", value) end,
  dbname = function(value) return check_optional("dbname", value) end,
  connection = function(value) return check_connection("connection", value) end,
}
local OPTION_WORDS = "admin, connection, dbname, password, timeout, user"
-- The keys that a target which is no configured node may have; a node table has none of them.
local OF_TARGET = { "user", "password", "dbname", "connection" }

local function take_options(spec, target, options)
  if options ~= nil and type(options) ~= "table" then
    misuse("options: a table expected, got %s", type(options))
  end
  for key in pairs(options or {}) do
    if not OPTIONS[key] then
      misuse("unknown option %q; allowed: %s", tostring(key), OPTION_WORDS)
    end
  end
  for _, key in ipairs(OF_TARGET) do
    spec[key] = OPTIONS[key](target[key])
  end
  for key, value in pairs(options or {}) do
    spec[key] = OPTIONS[key](value)
  end
end

--- pm.query, as the table of the API says (lua/plusmoin/api/waiting.lua). Parameters never become part of the text.
-- Unless `admin` is set, the session begins with those settings of src/pg/pinned.c that are for triggers.
function query.query(target, sql, params, options)
  local spec = {}
  spec.host, spec.port = check_target(target)
  spec.sql = check_text("sql", sql)
  spec.params, spec.count = check_params(params)
  take_options(spec, target, options)
  return core.ask(spec)
end

return query
