-- Prints README's table of settings; `--update FILE` rewrites it in FILE.
package.path = "./lua/?.lua;" .. package.path
local settings_doc = require "plusmoin.settings_doc"

local function update(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  local new = assert(settings_doc.update(text))
  file = assert(io.open(path, "wb"))
  assert(file:write(new))
  assert(file:close())
end

if arg[1] == "--update" and arg[2] then
  update(arg[2])
elseif arg[1] then
  io.stderr:write("usage: settings-doc.lua [--update README.md]\n")
  os.exit(2)
else
  io.write(settings_doc.markdown())
end
