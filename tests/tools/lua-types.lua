-- Writes what `plusmoin lua-types DIR` writes, for `make install`: lua-types.lua DIR ITS-PLACE-ONCE-INSTALLED VERSION.
package.path = "./lua/?.lua;" .. package.path
local lua_types = require "plusmoin.lua_types"

local dir, place, version = arg[1], arg[2], arg[3]
if not version then
  io.stderr:write("usage: lua-types.lua DIR PLACE VERSION\n")
  os.exit(2)
end

local function write(name, text)
  local file = assert(io.open(dir .. "/" .. name, "w"))
  assert(file:write(text))
  assert(file:close())
end

for _, file in ipairs(lua_types.files(version)) do
  write(file.name, file.text)
end
write(".luarc.json", lua_types.luarc(place)) -- the last one: what make goes by
