--- Decodes what a node tells of itself, as JSON, and refuses it unless each value has the right type: any program may
-- listen where a server is expected.
local answers = require "plusmoin.answers"
local cjson = require "cjson"

local facts = {}

local NUMBER_MOST = 1e15 -- more than any time, size or count that a server has

local CHECKS = {
  number = function(value) return math.type(value) and value >= -NUMBER_MOST and value <= NUMBER_MOST end,
  string = function(value) return type(value) == "string" end,
  boolean = function(value) return type(value) == "boolean" end,
}

-- Key -> type; with a ? the value may be null or missing. A table describes each element of a list. Keys that are not
-- named here are not checked.
local OF_SERVER = {
  now = "number", recovery = "boolean", read_only = "boolean", default_read_only = "boolean", schema = "string?",
  can_create = "boolean?", table = "boolean", can_select = "boolean?", can_insert = "boolean?",
  can_delete = "boolean?", identity = "boolean?", unlogged = "boolean?", owns = "boolean?", publishing = "string?",
  table_bytes = "number?", dead_rows = "number?", publications = "number", published = "boolean?",
  wal_receiver_timeout_ms = "number?", idle_session_timeout_ms = "number?", max_connections = "number",
  reserved = "number", sessions = "number", system_id = "string?", started = "number?",
  backend_pid = "number?", session_age = "number?", apply_delay_ms = "number?", paused = "boolean?",
}
local OF_TABLE = {
  name = "string?", kind = "string?", path = "string?", path_source = "string?", read_only_source = "string?",
  publication = "string?", public = "boolean?", row_security = "boolean?", triggers = "string", rules = "string",
  columns = { name = "string", type = "string", base = "string", category = "string", length = "number?",
    generated = "boolean", identity = "string", takes = "boolean", may_select = "boolean?", may_insert = "boolean?" },
  policies = { name = "string", command = "string", permissive = "boolean", using = "string?", check = "string?" },
  constraints = { name = "string", of_domain = "boolean", text = "string" },
  event_triggers = { name = "string", enabled = "string" },
}
local LISTS = { triggers = true, rules = true, columns = true, policies = true, constraints = true,
  event_triggers = true } -- an empty one comes as null

local function fits(value, kind)
  if type(kind) == "string" then
    local name, optional = kind:match("^(%a+)(%??)$")
    value = answers.given(value)
    return value == nil and optional == "?" or CHECKS[name](value)
  elseif type(value) ~= "table" then
    return false
  end
  for key, inner in pairs(kind) do
    if not fits(value[key], inner) then
      return false
    end
  end
  return true
end

local function list_fits(value, kind)
  value = answers.given(value)
  if type(value) ~= "table" then
    return value == nil
  end
  for key, item in pairs(value) do
    if math.type(key) ~= "integer" or not fits(item, kind) then
      return false
    end
  end
  return true
end

local function decode(text, kinds)
  local is_json, value = pcall(cjson.decode, text)
  if not is_json or type(value) ~= "table" then
    return nil
  end
  for key, kind in pairs(kinds) do
    if not (LISTS[key] and list_fits(value[key], kind) or not LISTS[key] and fits(value[key], kind)) then
      return nil
    end
  end
  return value
end

--- Decodes the facts of a server (src/pg/survey.c); nil where the text is malformed.
function facts.of_server(text)
  return decode(text, OF_SERVER)
end

--- Decodes the facts of the table heartbeat (src/pg/survey_table.c); nil where the text is malformed.
function facts.of_table(text)
  return decode(text, OF_TABLE)
end

return facts
