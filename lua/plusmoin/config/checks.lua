--- Checks of single values against their row of the settings table.
--
-- `ctx` holds what belongs to one load: `report`, `kinds` (of a JSON file's tables),
-- `lua` (true for a Lua file), `dir` (of the configuration, absolute if known) and
-- `env`. A check returns the value to use, or nil after it has reported an error.
local address = require "plusmoin.config.address"
local disk = require "plusmoin.config.disk"
local jsonc = require "plusmoin.jsonc"
local keypath = require "plusmoin.keypath"
local nearest = require "plusmoin.nearest"
local settings = require "plusmoin.settings"
local statement = require "plusmoin.config.statement"

local checks = {}

local NEARBY_KEYS = 12 -- up to so many allowed keys are listed even where the nearest one looks like a typo

--- Reads a key of a table without running metamethods; null and nil are nil.
function checks.get(object, key)
  local value = rawget(object, key)
  if value == jsonc.null then
    return nil
  end
  return value
end

-- Returns the shape of a Lua table: "array", "object", "empty", or words that say why it is none of them.
local function shape_of(value)
  if getmetatable(value) ~= nil then
    return "a table with a metatable"
  end
  local count, highest, named = 0, 0, false
  for key in next, value do
    if math.type(key) == "integer" and key >= 1 then
      count, highest = count + 1, math.max(highest, key)
    elseif type(key) == "string" then
      named = true
    else
      return "a table with keys that are neither names nor numbers from 1"
    end
  end
  if named then
    return count == 0 and "object" or "a table that mixes a list with named keys"
  elseif highest ~= count then
    return "a list with holes (a nil in it?)"
  end
  return count > 0 and "array" or "empty"
end

local function shape(ctx, path, value)
  return ctx.kinds[path] or shape_of(value)
end

function checks.is_list(ctx, path, value)
  if type(value) ~= "table" then
    return false
  end
  local kind = shape(ctx, path, value)
  return kind == "array" or kind == "empty"
end

function checks.is_object(ctx, path, value)
  if type(value) ~= "table" then
    return false
  end
  local kind = shape(ctx, path, value)
  return kind == "object" or kind == "empty"
end

local PLAIN = { boolean = "true or false", ["function"] = "a function", string = "a string" }

--- Returns what a value is, in words. Its text is left out, because it may be a secret.
function checks.describe(ctx, path, value)
  if type(value) == "table" then
    local kind = shape(ctx, path, value)
    if kind == "array" then
      return "a list"
    elseif kind == "object" or kind == "empty" then
      return ctx.lua and "a table" or "an object"
    end
    return kind
  elseif value == nil or value == jsonc.null then
    return "null"
  elseif type(value) == "number" then
    return "a number"
  end
  return PLAIN[type(value)] or "a " .. type(value)
end

-- Returns a number as people would write it.
local function number_text(value)
  return math.type(value) == "integer" and ("%d"):format(value) or ("%.14g"):format(value)
end

local function check_number(ctx, path, value, row)
  local allowed = settings.allowed(row)
  if type(value) == "string" then
    local what = tonumber(value) and "a number in quotes" or "a string"
    ctx.report:error(path, ("%s (%s)"):format(what, keypath.quote(value)), allowed)
    return nil
  elseif type(value) ~= "number" then
    local what = type(value) == "boolean" and tostring(value) or checks.describe(ctx, path, value)
    ctx.report:error(path, what .. " is no number", allowed)
    return nil
  elseif not (value >= row.min and value <= row.max) or (row.min_open and value <= row.min) then
    ctx.report:error(path, number_text(value) .. " is out of range", allowed)
    return nil
  end
  return value
end

local function check_integer(ctx, path, value, row)
  local number = check_number(ctx, path, value, row)
  local integer = number and math.tointeger(number)
  if number and not integer then
    ctx.report:error(path, number_text(number) .. " is not whole", settings.allowed(row))
  end
  return integer
end

--- Checks that a value is a string without NUL bytes, so that C can hold it. Only a secret may be empty.
function checks.text(ctx, path, value, row)
  local allowed = settings.allowed(row)
  if type(value) ~= "string" then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where a string belongs", allowed)
    return nil
  elseif value:find("\0", 1, true) then
    ctx.report:error(path, "holds a NUL byte", allowed .. ", without NUL bytes")
    return nil
  elseif row.type ~= "secret" and not value:find("%S") then
    ctx.report:error(path, "is empty", allowed)
    return nil
  end
  return value
end

-- Checks a string that appears in logs and messages: it must have no control characters.
local function check_string(ctx, path, value, row)
  local text = checks.text(ctx, path, value, row)
  if text and text:find("%c") then
    ctx.report:error(path, "holds control characters: " .. keypath.quote(text), settings.allowed(row))
    return nil
  end
  return text
end

local function check_choice(ctx, path, value, row)
  local allowed = settings.allowed(row)
  if type(value) ~= "string" then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where a word belongs", allowed)
    return nil
  end
  for _, word in ipairs(row.allowed) do
    if value == word then
      return value
    end
  end
  local near, is_typo = nearest.find(value, row.allowed)
  local hint = is_typo and (" (did you mean %s?)"):format(keypath.quote(near)) or ""
  ctx.report:error(path, keypath.quote(value) .. " is not known" .. hint, allowed)
  return nil
end

local function check_words(ctx, path, value, row)
  local words = {}
  if not checks.is_list(ctx, path, value) then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where a list belongs", settings.allowed(row))
    return nil
  end
  for i, word in ipairs(value) do
    words[i] = check_choice(ctx, ("%s[%d]"):format(path, i), word, row)
  end
  return #words == #value and words or nil
end

-- Checks a list of addresses. Returns a list of {text =, host =, port =}.
local function check_addresses(ctx, path, value, row)
  local list, fine = {}, true
  if not checks.is_list(ctx, path, value) then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where a list belongs", settings.allowed(row))
    return nil
  end
  for i, entry in ipairs(value) do
    local own = keypath.index(path, i)
    local text = check_string(ctx, own, entry, row)
    local host, port = address.parse(text or "")
    if text and not host then
      ctx.report:error(own, keypath.quote(text) .. " " .. port, settings.allowed(row))
    end
    list[i] = { text = text, host = host, port = port }
    fine = fine and host ~= nil
  end
  return fine and list or nil
end

--- Returns an absolute path. A relative one counts from the configuration's directory
-- (contract, "Privileges and files").
function checks.absolute(ctx, path)
  return disk.join(ctx.dir, path)
end

local function check_path(ctx, path, value, row)
  local text = check_string(ctx, path, value, row)
  if text and text:sub(-1) == "/" then
    ctx.report:error(path, keypath.quote(text) .. " is a directory", "a path of a file")
    return nil
  end
  return text and checks.absolute(ctx, text)
end

local function check_statement(ctx, path, value, row)
  local text = checks.text(ctx, path, value, row)
  local count = text and statement.count(text)
  if count and count > 1 then
    ctx.report:error(path, ("holds %d statements: it is sent as one"):format(count),
      "one SQL statement, of which a function on the servers may be a part; settings belong into connection.options")
    return nil
  end
  return text
end

local function check_boolean(ctx, path, value, row)
  if type(value) ~= "boolean" then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where true or false belongs", settings.allowed(row))
    return nil
  end
  return value
end

local BY_TYPE = {
  boolean = check_boolean,
  seconds = check_number,
  integer = check_integer,
  string = check_string,
  secret = checks.text,
  statement = check_statement,
  choice = check_choice,
  words = check_words,
  addresses = check_addresses,
  path = check_path,
}

--- Checks a value by its row's type. Only for rows with a single value (not
-- hosts, lists and objects, which have their own files).
function checks.value(ctx, path, value, row)
  return BY_TYPE[row.type](ctx, path, value, row)
end

--- Checks a text once more, by `fault`, a function that returns what is wrong with it, in words that follow its
-- quotation, or nil. `text` is nil where an earlier check has reported an error.
function checks.faultless(ctx, path, text, fault, row)
  local wrong = text and fault(text)
  if wrong then
    ctx.report:error(path, keypath.quote(text) .. " " .. wrong, settings.allowed(row))
    return nil
  end
  return text
end

local HOMES = {
  { prefix = "", words = "the top level" }, { prefix = "nodes[].", words = "an entry of nodes" },
  { prefix = "triggers.", words = "triggers" }, { prefix = "triggers.X.", words = "a trigger's entry" },
  { prefix = "lua.", words = "lua" }, { prefix = "http.", words = "http" },
  { prefix = "monitors.", words = "monitors" },
}

-- Returns where a key that is unknown here would be known, in words; nil: nowhere.
local function other_home(ctx, key, prefix)
  for _, home in ipairs(HOMES) do
    if home.prefix ~= prefix and settings.find(home.prefix .. key) then
      return home.words
    end
  end
  local keywords = ctx.env.libpq_keywords
  return prefix ~= "triggers." and keywords and keywords[key] and "connection" or nil
end

-- True for a key that can be the last word of a row's name ("nodes[].port" cannot).
local function is_word(key)
  return type(key) == "string" and key:find("^[%a_][%w_]*$") ~= nil
end

local function known_keys(prefix)
  local keys = {}
  for _, row in ipairs(settings.below(prefix)) do
    keys[#keys + 1] = settings.key(row)
  end
  return keys
end

--- Finds the nearest of `known` (a list) to an unknown key. Returns what is wrong, and
-- what is allowed (nil: not worth listing), for a report.
function checks.unknown(key, known)
  local near, is_typo = nearest.find(key, known)
  if not near then
    return "unknown key"
  end
  local wrong = "unknown key; the nearest known key is " .. keypath.quote(near)
  if is_typo and #known > NEARBY_KEYS then
    return wrong
  end
  return wrong, table.concat(known, ", ")
end

-- Reports one key that the table of settings does not have below this prefix.
local function report_unknown(ctx, path, key, prefix)
  local name = prefix .. tostring(key)
  local own = keypath.key(path, key)
  if settings.ignored[name] then
    ctx.report:warning(own, settings.ignored[name])
  elseif type(key) ~= "string" then
    ctx.report:error(own, "a key that is no name", table.concat(known_keys(prefix), ", "))
  else
    local home = other_home(ctx, key, prefix)
    if home then
      ctx.report:error(own, "unknown key here", "as a key of " .. home)
    else
      ctx.report:error(own, checks.unknown(key, known_keys(prefix)))
    end
    ctx.unknown[#ctx.unknown + 1] = name
  end
end

--- Reports the keys of `object` that have no row below `prefix` ("", "nodes[].",
-- ...), in order of their names.
function checks.keys(ctx, path, object, prefix)
  local strange = {}
  for key in next, object do
    if not (is_word(key) and settings.find(prefix .. key)) then
      strange[#strange + 1] = key
    end
  end
  table.sort(strange, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(strange) do
    report_unknown(ctx, path, key, prefix)
  end
end

return checks
