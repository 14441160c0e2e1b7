--- The definitions for editors that `plusmoin lua-types` writes: LuaCATS files, as lua-language-server reads them, and
-- its .luarc.json. Pure: the verb (src/command/lua_types.c) and tests/tools/lua-types.lua write what is made here.
local configuration = require "plusmoin.lua_types.configuration"
local events = require "plusmoin.lua_types.events"
local pm = require "plusmoin.lua_types.pm"
local ready_made = require "plusmoin.lua_types.ready_made"

local lua_types = {}

--- The directory beside .luarc.json that the files are in unless somebody says otherwise.
lua_types.directory = ".plusmoin-lua-types"

-- The second line of each file: by it a file is known as one that may be written over.
local HEAD = "-- Made by plusmoin %s lua-types: what is changed here is lost."
local MARK = "^%-%-%-@meta [^\n]*\n%-%- Made by plusmoin "

-- In this order: a reader meets pm first.
local MAKERS = {
  { "plusmoin.lua", pm.text },
  { "events.lua", events.text },
  { "configuration.lua", configuration.text },
  { "triggers.lua", ready_made.text },
}

--- The files of this version of plusmoin: a list of {name =, text =}.
function lua_types.files(version)
  local files = {}
  for i, maker in ipairs(MAKERS) do
    files[i] = { name = maker[1], text = maker[2](HEAD:format(version)) }
  end
  return files
end

--- Whether a file that is there already was made here.
function lua_types.is_ours(text)
  return text:find(MARK) ~= nil
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(char)
    return (char == '"' or char == "\\") and "\\" .. char or ("\\u%04x"):format(char:byte())
  end) .. '"'
end

--- What .luarc.json says of the files in `directory`, relative to the editor's, or absolute.
function lua_types.luarc(directory)
  return ([[
{
  "$schema": "https://raw.githubusercontent.com/LuaLS/vscode-lua/master/setting/schema.json",
  "runtime.version": "Lua 5.4",
  "workspace.library": [%s],
  "workspace.checkThirdParty": false
}
]]):format(quoted(directory))
end

--- What a .luarc.json that is there already lacks for the files in `directory`: a sentence; nil: it names them.
function lua_types.lacks(text, directory)
  local name = quoted(directory)
  if text:find(name, 1, true) then
    return nil
  elseif text:find('library"', 1, true) then
    return ('add %s to its "workspace.library"'):format(name)
  end
  return ('add to it: "workspace.library": [%s]'):format(name)
end

return lua_types
