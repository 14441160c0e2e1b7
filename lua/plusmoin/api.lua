--- The table of the API of triggers written in Lua, a row for each function, table and field.
--
-- plusmoin-lua.7, the definitions for editors (`plusmoin lua-types`) and the help of
-- `plusmoin console` are made from these rows. Specs compare the real `pm` and src/script/tables.c with them, and run
-- each example. A row:
--   name      "pm.query", "Event.master", "os.exit"
--   kind      "function"; "table" (pm.log); "value" (pm.json.null); "class" (Event); "field" (Event.master)
--   doc       one sentence
--   more      further paragraphs, or nil
--   example   a function's body with `pm` and `event` at hand
--   on        the kind of event that the example is for; nil: plusmoin_up
--   params    of a function: a list of {name =, type =, doc =, optional =}; one that is a table of named values has
--             `fields`, a list of the same kind ([1] with `list`: the values without names)
--   returns   of a function, a list as `params`; nil: it returns what Lua's own does
--   fails     when the function returns nil and a message
--   waits     true: other triggers run meanwhile; it cannot be called while a configuration is loaded
--   type      of a field, a value, a table
--   optional  of a field: it may be nil
--   made      of a class: "by users"; nil: plusmoin makes such tables
--   standard  true: Lua has a function of that name that does something else
--   refused   true: Lua has it; here it raises an error or is nil
-- Types are those of LuaCATS; `code` stands in backticks. Nothing here waits.
local help = require "plusmoin.api.help"
local nearest = require "plusmoin.nearest"

local api = {}

--- The rows' groups, in order: {title =, rows =}.
api.groups = {
  { title = "Functions that wait", rows = require "plusmoin.api.waiting" },
  { title = "Functions and tables that do not wait", rows = require "plusmoin.api.immediate" },
  { title = "Events, nodes and clusters", rows = require "plusmoin.api.tables" },
  { title = "Where Lua is another here", rows = require "plusmoin.api.standard" },
}

--- Types of fields that are one of several texts: {name = "Reason", doc =, values = {"refused", ...}}.
api.words = require "plusmoin.api.words"

--- All rows, in order.
api.rows = {}

local by_name = {}
for _, group in ipairs(api.groups) do
  for _, row in ipairs(group.rows) do
    api.rows[#api.rows + 1] = row
    by_name[row.name] = row
  end
end

--- Returns the row of a name ("pm.query", "Event.master"), or nil.
function api.find(name)
  return by_name[name]
end

--- Returns the rows directly below a name, in order: for "Event" those of Event.name, Event.id, ...
function api.below(name)
  local found, start = {}, name .. "."
  for _, row in ipairs(api.rows) do
    if row.name:sub(1, #start) == start and not row.name:find(".", #start + 1, true) then
      found[#found + 1] = row
    end
  end
  return found
end

--- Returns the last word of a row's name: "pm.json.null" -> "null".
function api.key(row)
  return row.name:match("([%w_]+)$")
end

--- Returns how a function is called: "pm.sleep(seconds)", "pm.http{url=, method=, ...}"; else the row's name.
function api.call(row)
  return help.call(row)
end

--- Returns the name of a function or table of the API, by its place in `pm`; nil where the value is not in there.
function api.name_of(pm, value)
  for _, row in ipairs(api.rows) do
    local path = row.name:match("^pm(.*)$")
    local at = path and pm
    for key in (path or ""):gmatch("[^.]+") do
      at = type(at) == "table" and at[key] or nil
    end
    if at and rawequal(at, value) then
      return row.name
    end
  end
end

local MOST_NEAR = 3
local LONGEST = 64 -- bytes of a word that are compared

-- Returns the distance of a word from a row's name, or from the end of the name that has as many dots, if that is
-- less ("log.inf" is near pm.log.info).
local function distance(word, name)
  local ending, dots = name, select(2, word:gsub("%.", ""))
  while select(2, ending:gsub("%.", "")) > dots do
    ending = ending:match("%.(.*)$")
  end
  return math.min(nearest.distance(word, name), nearest.distance(word, ending))
end

--- Returns the names that are nearest to an unknown one, at most three, the nearest first.
function api.near(word)
  local found, names = {}, {}
  word = word:sub(1, LONGEST):lower()
  for i, row in ipairs(api.rows) do
    found[i] = { name = row.name, at = i, distance = distance(word, row.name:lower()) }
  end
  table.sort(found, function(a, b)
    if a.distance ~= b.distance then
      return a.distance < b.distance
    end
    return a.at < b.at
  end)
  for i = 1, MOST_NEAR do
    if found[i].distance <= found[1].distance + 1 then
      names[i] = found[i].name
    end
  end
  return names
end

--- Returns the help on a name as text for people, 80 columns wide; without a name an overview that fits a screen.
-- For an unknown name returns nil and a list of the nearest names.
function api.help(name)
  if name == nil then
    return help.overview(api)
  end
  local row = by_name[name]
  if not row then
    return nil, api.near(tostring(name))
  end
  return help.row(row, api.below(name))
end

return api
