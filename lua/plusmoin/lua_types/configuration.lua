--- Makes the LuaCATS definitions of a Lua configuration's table, from the table of settings. Pure.
local cats = require "plusmoin.lua_types.cats"
local ready_made = require "plusmoin.lua_types.ready_made"
local settings = require "plusmoin.settings"
local settings_doc = require "plusmoin.settings_doc"

local configuration = {}

-- Settings that are objects -> the class of the object.
local CLASSES = {
  triggers = "Triggers", lua = "LuaSettings", http = "HttpSettings", monitors = "MonitorsSettings",
  ["triggers.X.settings"] = "table<string, any>",
}

local function texts(words)
  local list = {}
  for i, word in ipairs(words) do
    list[i] = ("%q"):format(word)
  end
  return table.concat(list, "|")
end

-- A type in the table of settings -> LuaCATS's type, or a function that returns it.
local TYPES = {
  seconds = "number", integer = "integer", string = "string", secret = "string", path = "string", host = "string",
  statement = "string", listen = "string", boolean = "boolean", listens = "string|string[]", urls = "string|string[]",
  names = "string[]", addresses = "string[]", command = "string|string[]", nodes = "NodeSettings[]",
  connection = "table<string, string|number|boolean>", trigger = "Triggered", votes = '"majority"|"any"|integer',
  choice = function(row) return texts(row.allowed) end,
  words = function(row) return "(" .. texts(row.allowed) .. ")[]" end,
  object = function(row) return CLASSES[row.name] end,
  triggers = function(row) return CLASSES[row.name] end,
}

-- Returns a setting's doc, followed by its allowed values and its default.
local function words_of(row)
  local parts, range = { row.doc }, settings_doc.range(row)
  if range ~= "" and row.type ~= "choice" and row.type ~= "words" then
    parts[#parts + 1] = ("Allowed: %s."):format(range)
  end
  if not row.required then
    parts[#parts + 1] = ("Default: %s."):format(settings_doc.default(row))
  end
  return table.concat(parts, " ")
end

--- Returns LuaCATS's type of a row of settings.
function configuration.type(row)
  local found = TYPES[row.type]
  return type(found) == "function" and found(row) or found
end

-- Returns the settings below a prefix as a class's fields.
local function fields_of(prefix)
  local fields = {}
  for i, row in ipairs(settings.below(prefix)) do
    fields[i] = { name = settings.key(row), type = configuration.type(row), optional = not row.required,
      doc = words_of(row) }
  end
  return fields
end

-- Returns the class of a trigger's entry of one kind, "command" or "lua", without the fields of the other kind.
local function entry_class(name, doc, kind)
  local fields, others = {}, kind == "lua" and { command = true } or { lua = true, settings = true }
  for _, field in ipairs(fields_of("triggers.X.")) do
    if field.name == kind then
      field.optional = false
    end
    fields[#fields + 1] = not others[field.name] and field or nil
  end
  return cats.class(name, doc, fields)
end

--- Returns the file's text.
function configuration.text(head)
  local entries = { { "TriggerFunction" }, { "string", "a command line" }, { "CommandEntry" }, { "LuaEntry" } }
  for _, name in ipairs(ready_made.entries()) do
    entries[#entries + 1] = { name }
  end
  return cats.file("_", head, {
    cats.class("Configuration", "A Configuration is what a Lua configuration returns:\n\n"
      .. "```lua\n---@type Configuration\nreturn {\n  dbname = \"plusmoin\", user = \"plusmoin\",\n"
      .. "  nodes = { { host = \"db1.example.com\" } },\n}\n```", fields_of("")),
    cats.class("NodeSettings", "A NodeSettings is one server of `nodes`.", fields_of("nodes[].")),
    cats.class("Triggers", "A Triggers says what runs on which event.", fields_of("triggers.")),
    cats.alias("TriggerEntry", "A TriggerEntry is one thing that runs on an event.", entries),
    cats.alias("Triggered", "A Triggered is what runs on an event: one entry, or a list of entries, run in order.",
      { { "TriggerEntry" }, { "TriggerEntry[]" } }),
    entry_class("CommandEntry", "A CommandEntry runs a program.", "command"),
    entry_class("LuaEntry", "A LuaEntry runs the function that a Lua file returns.", "lua"),
    cats.class("LuaSettings", "A LuaSettings is what Lua triggers have at hand.", fields_of("lua.")),
    cats.class("HttpSettings", "An HttpSettings is where and how the window is shown by HTTP.", fields_of("http.")),
    cats.class("MonitorsSettings", "A MonitorsSettings is how several monitors of one fleet agree.",
      fields_of("monitors.")),
  })
end

return configuration
