--- Makes the LuaCATS definitions of events, nodes, clusters and votes, from the table of the API. Pure.
local api = require "plusmoin.api"
local cats = require "plusmoin.lua_types.cats"

local events = {}

local function fields_of(class)
  local fields = {}
  for i, row in ipairs(api.below(class.name)) do
    fields[i] = { name = api.key(row), type = row.type, optional = row.optional, doc = row.doc }
  end
  return fields
end

--- Returns the file's text.
function events.text(head)
  local parts = {}
  for _, row in ipairs(api.words) do
    local choices = {}
    for i, value in ipairs(row.values) do
      choices[i] = { ("%q"):format(value) }
    end
    parts[#parts + 1] = cats.alias(row.name, row.doc, choices)
  end
  for _, row in ipairs(api.rows) do
    if row.kind == "class" then
      local words = { row.doc, table.unpack(row.more or {}) }
      words[#words + 1] = "```lua\n" .. row.example .. "```"
      parts[#parts + 1] = cats.class(row.name, table.concat(words, "\n\n"), fields_of(row))
    end
  end
  parts[#parts + 1] = cats.alias("TriggerFunction", "A TriggerFunction is run when an event happens.",
    { { "fun(event: Event)" } })
  return cats.file("_", head, parts)
end

return events
