--- Makes the definitions for editors that `plusmoin lua-types` writes: LuaCATS files for lua-language-server, and its
-- .luarc.json. Pure: the verb (src/command/lua_types.c) and tests/tools/lua-types.lua write the files.
local configuration = require "plusmoin.lua_types.configuration"
local events = require "plusmoin.lua_types.events"
local pm = require "plusmoin.lua_types.pm"
local ready_made = require "plusmoin.lua_types.ready_made"

local lua_types = {}

--- The default directory of the files, beside .luarc.json.
lua_types.directory = ".plusmoin-lua-types"

-- The second line of each file. A file that has it may be written over.
local HEAD = "-- Made by plusmoin %s lua-types: what is changed here is lost."
local MARK = "^%-%-%-@meta [^\n]*\n%-%- Made by plusmoin "

-- The files, in the order in which people should read them.
local MAKERS = {
  { "plusmoin.lua", pm.text },
  { "events.lua", events.text },
  { "configuration.lua", configuration.text },
  { "triggers.lua", ready_made.text },
}

--- Returns the files for this version of plusmoin: a list of {name =, text =}.
function lua_types.files(version)
  local files = {}
  for i, maker in ipairs(MAKERS) do
    files[i] = { name = maker[1], text = maker[2](HEAD:format(version)) }
  end
  return files
end

--- Returns whether an existing file was made by `plusmoin lua-types`.
function lua_types.is_ours(text)
  return text:find(MARK) ~= nil
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(char)
    return (char == '"' or char == "\\") and "\\" .. char or ("\\u%04x"):format(char:byte())
  end) .. '"'
end

--- Returns a .luarc.json that names `directory`, which is absolute or relative to .luarc.json.
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

--- Returns a sentence that says what an existing .luarc.json lacks to name `directory`; nil: it lacks nothing.
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
