-- Prints conf/man/NAME.7.md as lowdown gets it, which makes roff of it: page.lua conf/man/NAME.7.md. The page is
-- Markdown that people read as it is. Three things read better otherwise in a terminal: the first line,
-- "# NAME(7): what it is", becomes the section NAME; a link to a page becomes its name; a table becomes a list.

-- The cells of a row of a table.
local function cells(line)
  local list = {}
  for cell in line:gsub("\\|", "\0"):gmatch("|([^|]+)") do
    list[#list + 1] = cell:gsub("%z", "|"):gsub("^%s+", ""):gsub("%s+$", "")
  end
  return list
end

-- A row as an entry of a list: its first cell, and behind it the others, with their heads where there are several.
local function entry(heads, row)
  local words = {}
  for i = 2, #row do
    if row[i] ~= "" then
      words[#words + 1] = (#row > 2 and heads[i] ~= "") and ("*%s:* %s"):format(heads[i], row[i]) or row[i]
    end
  end
  return ("%s\n: %s\n"):format(row[1], table.concat(words, "\\\n  "))
end

local function with_lists(text)
  local lines, heads, is_code = {}, nil, false
  for line in text:gmatch("([^\n]*)\n") do
    is_code = is_code ~= (line:find("^```") ~= nil)
    if is_code or not line:find("^|") then
      heads = nil
      lines[#lines + 1] = line
    elseif not heads then
      heads = cells(line)
    elseif not line:find("^[|-]+$") then
      lines[#lines + 1] = entry(heads, cells(line))
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

if not arg[1] then
  io.stderr:write("usage: page.lua conf/man/NAME.7.md\n")
  os.exit(2)
end
local file = assert(io.open(arg[1]))
local name, what, rest = file:read("a"):match("^# ([%w-]+)%(7%): ([^\n]+)\n(.*)$")
file:close()
assert(name, arg[1] .. " does not begin with \"# NAME(7): what it is\"")
io.write(("## NAME\n\n%s - %s\n"):format(name, what), (with_lists(rest):gsub("%[([%w.-]+%(%d%))%]%b()", "%1")))
