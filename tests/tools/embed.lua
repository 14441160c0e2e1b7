-- Prints the C source of the table of embedded Lua modules (src/script/embedded.h)
-- for the files named on the command line: lua/plusmoin/a/b.lua is "plusmoin.a.b".

local function module_name(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function bytes(text)
  local out = {}
  for at = 1, #text, 20 do
    local row = { text:byte(at, math.min(at + 19, #text)) }
    out[#out + 1] = "\t" .. table.concat(row, ",") .. ",\n"
  end
  return table.concat(out)
end

print('#include "script/embedded.h"\n')
for i, path in ipairs(arg) do
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  print(("static const unsigned char text_%d[] = {\n%s};\n"):format(i, bytes(text)))
end
print("const struct embedded_module embedded_modules[] = {")
for i, path in ipairs(arg) do
  print(('\t{ "%s", "%s", text_%d, sizeof(text_%d) },'):format(module_name(path), path, i, i))
end
print("\t{ 0 },\n};")
