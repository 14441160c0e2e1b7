-- Makes README's tables of the API anew: api-doc.lua --update README.md.
package.path = "./lua/?.lua;./?.lua;" .. package.path
local api_doc = require "tests.tools.api_doc"

if arg[1] ~= "--update" or not arg[2] then
  io.stderr:write("usage: api-doc.lua --update README.md\n")
  os.exit(2)
end
local file = assert(io.open(arg[2], "rb"))
local text = file:read("a")
file:close()
text = api_doc.update(text)
file = assert(io.open(arg[2], "wb"))
assert(file:write(text))
assert(file:close())
