-- plusmoin-lua(7), made from the table of the API; for tests/tools/man.lua.
local api = require "plusmoin.api"
local roff = require "tests.tools.roff"

local bold, put = roff.bold, roff.put

local FILE = [[
-- notify.lua
local pm = require "plusmoin"
local settings = ...

return function(event)
  pm.exec { "logger", "-t", settings.channel, event.name }
end
]]

local EDITED = [[
---@param event Event
return function(event)
]]

local CONFIGURED = [[
---@type Configuration
return {
]]

local function italic(text)
  return "\\fI" .. roff.text(text) .. "\\fR"
end

-- "name  type, or nil": a term for one of several named things.
local function term(one)
  local name = one.list and one.list:match("^%w+") or one.name
  return bold(name) .. " " .. italic(one.type) .. (one.optional and ", or nil" or "")
end

-- An indented list of named things, those in a table of theirs behind it.
local function named(list)
  put(".RS 7")
  for _, one in ipairs(list) do
    put(".TP")
    put(term(one))
    put(roff.text(one.doc or one.fields and "It has:" or ""))
    if one.fields then
      named(one.fields)
    end
  end
  put(".RE")
end

local function put_params(row)
  if #(row.params or {}) == 1 and row.params[1].fields then
    named(row.params[1].fields)
  elseif #(row.params or {}) > 0 then
    named(row.params)
  end
end

local function put_returns(row)
  if #(row.returns or {}) > 0 then
    put(".IP\nReturns:")
    named(row.returns)
  end
  if row.fails then
    put(".IP")
    put(roff.text("Returns nil and a message when " .. row.fails .. "."))
  end
end

local function put_example(row)
  put(".IP\n.nf")
  put((roff.text(row.example):gsub("\n$", "")))
  put(".fi")
end

local function entry(row)
  put(".TP")
  if row.kind == "function" then
    put(bold(api.call(row)))
  else
    put(bold(row.name) .. (row.type and " " .. italic(row.type) .. (row.optional and ", or nil" or "") or ""))
  end
  put(roff.text((row.waits and "Waits. " or "") .. row.doc))
  put_params(row)
  put_returns(row)
  for _, text in ipairs(row.more or {}) do
    put(".IP")
    put(roff.text(text))
  end
  put_example(row)
end

local function words()
  for _, row in ipairs(api.words) do
    put(".TP")
    put(bold(row.name))
    put(roff.text(("%s: `%s`"):format(row.doc:gsub("%.$", ""), table.concat(row.values, "`, `"))))
  end
end

return function()
  roff.section("NAME")
  put("plusmoin\\-lua \\- the API of plusmoin's triggers written in Lua")
  roff.section("SYNOPSIS")
  put("\\fBlocal pm = require \"plusmoin\"\\fR")
  roff.section("DESCRIPTION")
  roff.paragraphs("A trigger in Lua is a function in a Lua configuration, or a file that is named by "
    .. "`{\"lua\": \"notify.lua\", \"settings\": {\"channel\": \"db\"}}`. The file is run once when it is loaded, "
    .. "with its "
    .. "settings as `...`, and returns the function, which gets the event:")
  roff.example(FILE)
  roff.paragraphs("Its Lua is 5.4. What fails in the ordinary way (refused, timed out, no such file) returns nil and a "
    .. "message; misuse raises an error, and an error fails the run, which the log tells with a traceback. What waits "
    .. "lets other triggers run meanwhile; it cannot wait while a configuration is loaded, nor where Lua itself "
    .. "cannot (a "
    .. "callback of table.sort or string.gsub, a metamethod called from C, a module's body). Types stand as in "
    .. "LuaCATS.")
  for _, group in ipairs(api.groups) do
    roff.section(group.title:upper())
    for _, row in ipairs(group.rows) do
      entry(row)
    end
  end
  roff.section("WORDS")
  words()
  roff.section("EDITORS")
  roff.paragraphs("`plusmoin lua-types` writes definitions of all this for lua-language-server into the directory of "
    .. "the "
    .. "triggers, with the `.luarc.json` by which it finds them. It cannot know by itself what a file's function gets; "
    .. "a line above says so:")
  roff.example(EDITED)
  roff.paragraphs("In a Lua configuration it is this line, after which it knows every setting:")
  roff.example(CONFIGURED)
  roff.section("CONSOLE")
  roff.paragraphs("`plusmoin console` tries all this in the running daemon; `help()` there tells what this page tells, "
    .. "`help(pm.query)` of one function, `help \"Event\"` of a table's fields.")
  roff.see_also("plusmoin(8)", "plusmoin.conf(5)", "plusmoin-triggers(7)", "plusmoin-recipes(7)")
end
