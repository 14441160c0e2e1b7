--- Checks the settings of a trigger file. Its errors use the names that stand in the
-- configuration. It does not wait.
local nearest = require "plusmoin.nearest"

local given = {}

local types = setmetatable({}, { __mode = "k" }) -- a rule's `ok` -> LuaCATS's type of the values that it accepts

local function of_type(type_text, ok)
  types[ok] = type_text
  return ok
end

local function show(value)
  if type(value) == "string" then
    return ("%q"):format(value)
  elseif type(value) == "table" then
    return "a table"
  end
  return tostring(value)
end

--- Returns the names of the rules (a table, keyed by name), in order.
function given.sorted_keys(rules)
  local keys = {}
  for key in pairs(rules) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function check_keys(name, settings, rules, keys, where)
  for key in pairs(settings) do
    if not rules[key] then
      local near, is_typo = nearest.find(tostring(key), keys)
      error(("%s: unknown setting %s; %sallowed: %s"):format(name,
        where and where .. tostring(key) or show(key),
        is_typo and ("did you mean %q? "):format(near) or "", table.concat(keys, ", ")), 0)
    end
  end
end

-- Checks the tables in a setting by rule.fields or rule.each. Returns them with defaults filled in.
local function check_inner(name, value, rule, where)
  if value == nil then
    return nil
  elseif rule.fields then
    return given.check(name, value, rule.fields, where .. ".")
  elseif rule.each then
    local checked = {}
    for key, one in pairs(value) do
      checked[key] = given.check(name, one, rule.each, ("%s.%s."):format(where, key))
    end
    return checked
  end
  return value
end

--- Returns the settings with defaults filled in. Raises an error that begins with `name`, the trigger's. `rules` is key
-- -> {allowed = the values that may stand there, in words, ok = function(value) -> boolean, default = value or nil,
-- required = boolean, type = LuaCATS's type where `ok` is none of those below, fields = the rules of a table's own
-- settings, each = the rules of each table in a table by name}. `where` is the prefix of keys in errors, such as
-- "settings.console."; nil for the trigger's own settings.
function given.check(name, settings, rules, where)
  local checked, keys = {}, given.sorted_keys(rules)
  check_keys(name, settings, rules, keys, where)
  where = where or "settings."
  for _, key in ipairs(keys) do
    local rule, value = rules[key], settings[key]
    if value == nil and rule.required then
      error(("%s: %s%s is missing; allowed: %s"):format(name, where, key, rule.allowed), 0)
    elseif value ~= nil and not rule.ok(value) then
      error(("%s: %s%s is %s; allowed: %s"):format(name, where, key, show(value), rule.allowed), 0)
    elseif value == nil then
      value = rule.default
    end
    checked[key] = check_inner(name, value, rule, where .. key)
  end
  return checked
end

--- Returns LuaCATS's type of a rule's values: "string", "integer[]"; "any" where the rule does not say.
function given.type_of(rule)
  return rule.type or types[rule.ok] or "any"
end

--- A rule's `ok`: a string that is not empty.
given.is_text = of_type("string", function(value)
  return type(value) == "string" and value ~= ""
end)

--- A rule's `ok`: an absolute path.
given.is_path = of_type("string", function(value)
  return given.is_text(value) and value:sub(1, 1) == "/"
end)

--- A rule's `ok`: a table.
given.is_table = of_type("table", function(value)
  return type(value) == "table"
end)

--- A rule's `ok`: an integer from 1 to 65535.
given.is_port = of_type("integer", function(value)
  return math.type(value) == "integer" and value >= 1 and value <= 65535
end)

--- A rule's `ok`: a number of seconds, from 0.01 to 3600.
given.is_seconds = of_type("number", function(value)
  return type(value) == "number" and value >= 0.01 and value <= 3600
end)

--- A rule's `ok`: true or false.
given.is_boolean = of_type("boolean", function(value)
  return type(value) == "boolean"
end)

--- Makes a rule's `ok`: one of `words`.
function given.one_of(...)
  local set, words = {}, {}
  for i, word in ipairs { ... } do
    set[word], words[i] = true, ("%q"):format(word)
  end
  return of_type(table.concat(words, "|"), function(value)
    return set[value] == true
  end)
end

--- Makes a rule's `ok`: a list of values that `item_ok` accepts.
function given.list_of(item_ok)
  return of_type((types[item_ok] or "any") .. "[]", function(value)
    if type(value) ~= "table" then
      return false
    end
    for key, item in pairs(value) do
      if math.type(key) ~= "integer" or not item_ok(item) then
        return false
      end
    end
    return true
  end)
end

--- Makes a rule's `ok`: a table whose keys and values `key_ok` and `value_ok` accept.
function given.map_of(key_ok, value_ok)
  return of_type(("table<%s, %s>"):format(types[key_ok] or "string", types[value_ok] or "any"), function(value)
    if type(value) ~= "table" then
      return false
    end
    for key, item in pairs(value) do
      if not (key_ok(key) and value_ok(item)) then
        return false
      end
    end
    return true
  end)
end

return given
