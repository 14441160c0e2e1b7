--- Makes the LuaCATS definitions of the ready-made triggers' settings, from what their files declare
-- (lua/plusmoin/api/ready_made.lua). Pure.
local cats = require "plusmoin.lua_types.cats"
local triggers = require "plusmoin.api.ready_made"

local ready_made = {}

-- "pgbouncer", "console" -> "PgbouncerConsole"
local function class_name(...)
  local words = {}
  for i, word in ipairs { ... } do
    words[i] = word:sub(1, 1):upper() .. word:sub(2)
  end
  return table.concat(words)
end

local function base(trigger)
  return trigger.file:match("^(.-)%.lua$")
end

local function words_of(rule)
  local parts = { rule.doc }
  parts[#parts + 1] = rule.allowed and ("Allowed: %s."):format(rule.allowed) or nil
  return table.concat(parts, " ")
end

-- Adds the class of these rules, after the classes of the tables in them. Returns the class's name.
local function add_class(parts, name, doc, rules)
  local fields = {}
  for i, rule in ipairs(rules) do
    local inner = rule.fields or rule.each
    local type = rule.type
    if inner then
      local class = add_class(parts, class_name(name:gsub("Settings$", ""), rule.name), nil, inner)
      type = rule.each and ("table<string, %s>"):format(class) or class
    end
    fields[i] = { name = rule.name, type = type, optional = not rule.required, doc = words_of(rule) }
  end
  parts[#parts + 1] = cats.class(name, doc, fields)
  return name
end

--- Returns the names of the classes for entries of ready-made triggers.
function ready_made.entries()
  local names = {}
  for i, trigger in ipairs(triggers) do
    names[i] = class_name(base(trigger), "entry")
  end
  return names
end

--- Returns the file's text.
function ready_made.text(head)
  local parts = {}
  for i, trigger in ipairs(triggers) do
    local settings = add_class(parts, class_name(base(trigger), "settings"),
      ("The settings of %s: %s"):format(trigger.file, trigger.doc), trigger.settings)
    parts[#parts + 1] = cats.class(ready_made.entries()[i] .. ": LuaEntry", nil, {
      { name = "lua", type = ("%q"):format(trigger.file) },
      { name = "settings", type = settings },
    })
  end
  return cats.file("_", head, parts)
end

return ready_made
