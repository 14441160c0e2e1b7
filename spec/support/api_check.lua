-- For triggers of specs, in the daemon: whether what they get is what the table of the API says. A configuration that
-- has this file beside it calls require("api_check").event(event); what does not fit is an error.
local api = require "plusmoin.api"

local check = {}

local words = {}
for _, row in ipairs(api.words) do
  words[row.name] = {}
  for _, value in ipairs(row.values) do
    words[row.name][value] = true
  end
end

local fits

-- Whether the table has the keys of the class, each of its type, and no other.
local function check_class(where, class, value, seen)
  local known = {}
  for _, row in ipairs(api.below(class)) do
    local key = api.key(row)
    known[key] = true
    if value[key] == nil then
      assert(row.optional, ("%s.%s is missing"):format(where, key))
    else
      assert(fits(where .. "." .. key, row.type, value[key], seen),
        ("%s.%s is %s, a %s expected"):format(where, key, tostring(value[key]), row.type))
      seen[row.name] = true
    end
  end
  for key in pairs(value) do
    assert(known[key], ("%s has %s, of which the table of the API says nothing"):format(where, tostring(key)))
  end
  return true
end

function fits(where, wanted, value, seen)
  local item = wanted:match("^(.*)%[%]$")
  local row = api.find(wanted)
  if item then
    for i, one in ipairs(value) do
      assert(fits(("%s[%d]"):format(where, i), item, one, seen))
    end
    return type(value) == "table" and getmetatable(value) == false -- a marked list
  elseif row and row.kind == "class" then
    return type(value) == "table" and check_class(where, wanted, value, seen)
  elseif words[wanted] then
    return words[wanted][value]
  elseif wanted == "true" then
    return value == true
  end
  return math.type(value) == wanted or type(value) == wanted
end

local function list_of(seen)
  local names = {}
  for name in pairs(seen) do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, " ")
end

--- Checks an event, and the clusters as pm.clusters has them; the log tells which fields there were: "rows of
-- slave_down: Event.id ...".
function check.event(event)
  local pm = require "plusmoin"
  local seen = {}
  check_class("event", "Event", event, seen)
  for i, cluster in ipairs(pm.clusters()) do
    check_class(("pm.clusters()[%d]"):format(i), "Cluster", cluster, seen)
  end
  print(("rows of %s: %s."):format(event.name, list_of(seen)))
end

--- Runs the examples of the rows that are for this kind of event; `puts`: texts in them -> what stands there instead.
-- The log tells of each: "example of pm.query ran", or the error.
function check.examples(event, puts)
  local pm = require "plusmoin"
  for _, row in ipairs(api.rows) do
    if (row.on or "plusmoin_up") == event.name then
      local code = row.example
      for text, put in pairs(puts) do
        code = code:gsub(text:gsub("%p", "%%%0"), (put:gsub("%%", "%%%%")))
      end
      local env = setmetatable({ pm = pm, event = event }, { __index = _G })
      local ok, why = xpcall(assert(load(code, "=" .. row.name, "t", env)), debug.traceback)
      print(ok and ("example of %s ran"):format(row.name) or ("example of %s failed: %s"):format(row.name, why))
    end
  end
end

return check
