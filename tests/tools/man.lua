-- Prints a manual page: man.lua plusmoin.8|plusmoin.conf.5|plusmoin-lua.7 VERSION. They are made
-- from the tables of settings, of verbs and of the API.
package.path = "./lua/?.lua;./?.lua;" .. package.path
local settings = require "plusmoin.settings"
local settings_doc = require "plusmoin.settings_doc"
local verbs = require "plusmoin.verbs"
local lua_page = require "tests.tools.man_lua"
local roff = require "tests.tools.roff"

local bold, entry, example, list, paragraphs, put, section = roff.bold, roff.entry, roff.example, roff.list,
  roff.paragraphs, roff.put, roff.section

local function option_term(option)
  local term = bold(option.name) .. (option.value and " \\fI" .. option.value .. "\\fR" or "")
  return option.long and term .. ", " .. bold(option.long) or term
end

local function program_page()
  section("NAME")
  put("plusmoin \\- watches clusters of PostgreSQL servers and runs triggers")
  section("SYNOPSIS")
  for _, row in ipairs(verbs.rows) do
    local words = { "\\fBplusmoin\\fR [\\fB\\-c\\fR \\fIFILE\\fR] " .. bold(row.name) }
    for _, option in ipairs(row.options) do
      words[#words + 1] = "[" .. bold(option) .. "]"
    end
    words[#words + 1] = row.words and "\\fI" .. row.words .. "\\fR"
    put(table.concat(words, " "))
    put(".br")
  end
  put("\\fBplusmoin\\fR \\fB\\-\\-help\\fR | \\fB\\-\\-version\\fR")
  section("DESCRIPTION")
  paragraphs("plusmoin watches clusters of PostgreSQL servers in master/slave replication. It finds out which "
    .. "servers are masters and which slaves, groups them into clusters, checks that slaves are in sync, and runs "
    .. "commands and Lua functions when a master or a slave goes down or comes up. It promotes nobody.")
  section("COMMANDS")
  for _, row in ipairs(verbs.rows) do
    local words = { bold(row.name) }
    for _, option in ipairs(row.options) do
      words[#words + 1] = "[" .. bold(option) .. "]"
    end
    words[#words + 1] = row.words and "\\fI" .. row.words .. "\\fR"
    entry(table.concat(words, " "), row.doc)
  end
  section("OPTIONS")
  paragraphs("They may stand before or after the command.")
  for _, option in ipairs(verbs.options) do
    entry(option_term(option), option.doc)
  end
  section("TRIGGERS")
  paragraphs("What the configuration names for an event is run when it happens. A command gets the event as one "
    .. "JSON object on stdin, and what it needs most in its environment.")
  for _, row in ipairs(settings.below("triggers.")) do
    entry(bold(settings.key(row)), row.doc)
  end
  list("ENVIRONMENT", verbs.environment)
  list("SIGNALS", verbs.signals)
  list("EXIT STATUS", verbs.exits)
  list("FILES", verbs.files)
  for _, row in ipairs(settings.rows) do
    if row.type == "path" and type(row.default) == "string" then
      entry(bold(row.default), row.doc .. " (`" .. row.name .. "`)")
    end
  end
  roff.see_also("plusmoin.conf(5)", "plusmoin-lua(7)", "plusmoin-rules(7)", "plusmoin-triggers(7)",
    "plusmoin-recipes(7)", "plusmoin-window(7)", "plusmoin-monitors(7)", "plusmoin-operations(7)")
end

local EXAMPLE = [[
{
  // JSON with comments
  "dbname": "plusmoin", "user": "plusmoin", "password": "carrotcake",
  "log_level": "info",
  "nodes": [ {"host": "db1.example.com", "port": 5432},
             {"host": "db2.example.com", "port": 5432} ],
  "triggers": { "master_down": "/usr/local/bin/page-somebody" }
}
]]

local function configuration_page()
  section("NAME")
  put("plusmoin.conf \\- the configuration of plusmoin: plusmoin.json or plusmoin.lua")
  section("DESCRIPTION")
  paragraphs("JSON with `//` and `/* */` comments, or a Lua file (`*.lua`) that returns one table with the same "
    .. "keys, in which functions may be triggers. Unknown and duplicate keys are errors. Times are numbers of "
    .. "seconds and may be fractional. Paths are relative to the configuration's directory.",
    "`plusmoin check` says whether a configuration is good; `plusmoin reload` has the running daemon take it, but "
    .. "for what is marked below as needing a restart.")
  section("EXAMPLE")
  example(EXAMPLE)
  section("SETTINGS")
  paragraphs("`nodes[].` stands before the keys of a node, `triggers.X.` before those of an entry of any event.")
  for _, row in ipairs(settings.rows) do
    local range = settings_doc.range(row)
    entry(bold(row.name), row.doc,
      ("%s%s. %s.%s"):format(row.type, range ~= "" and ": " .. range or "",
        row.required and "Required" or "Default: " .. settings_doc.default(row),
        row.reload == "restart" and " A change needs a restart." or ""))
  end
  roff.see_also("plusmoin(8)", "plusmoin-rules(7)", "plusmoin-triggers(7)", "plusmoin-lua(7)", "plusmoin-operations(7)")
  paragraphs("Complete samples are in the examples beside README.md.")
end

local pages = { ["plusmoin.8"] = program_page, ["plusmoin.conf.5"] = configuration_page,
  ["plusmoin-lua.7"] = lua_page }

if not pages[arg[1]] or not arg[2] then
  io.stderr:write("usage: man.lua plusmoin.8|plusmoin.conf.5|plusmoin-lua.7 VERSION\n")
  os.exit(2)
end
local name, number = arg[1]:match("^(.*)%.(%d)$")
put('.\\" made by tests/tools/man.lua')
put((".TH %s %s \"\" \"plusmoin %s\""):format(roff.text(name:upper()), number, roff.text(arg[2])))
put(".nh\n.ad l")
pages[arg[1]]()
print(roff.page())
