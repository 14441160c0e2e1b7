--- A small reader of LuaCATS files: what the definitions for editors say, for specs.
local cats = {}

local BUILTIN = { any = true, ["nil"] = true, boolean = true, ["true"] = true, ["false"] = true, string = true,
  number = true, integer = true, table = true, ["function"] = true, userdata = true, lightuserdata = true,
  fun = true, ["file*"] = true }

-- A type up to its end, and what follows: brackets and quotes are whole, a blank or # ends it.
local function take_type(text)
  local at, depth = 1, 0
  while at <= #text do
    local char = text:sub(at, at)
    if char == '"' then
      at = assert(text:find('"', at + 1, true), text)
    elseif char:find("[<({]") then
      depth = depth + 1
    elseif char:find("[>)}]") then
      depth = depth - 1
    elseif char == " " and depth == 0 then
      break
    end
    at = at + 1
  end
  assert(depth == 0, text)
  return text:sub(1, at - 1), text:sub(at + 1)
end

--- The names of types in a type that are no builtin ones.
function cats.names_in(type)
  local names = {}
  for name in type:gsub('"[^"]*"', ""):gsub("%w+:", ""):gmatch("[%a_][%w_.*]*") do
    if not BUILTIN[name] then
      names[#names + 1] = name
    end
  end
  return names
end

local function words_after(rest)
  return rest:match("^#%s*(.*)$") or rest
end

-- What stands above something: the lines of one block.
local READERS = {
  class = function(read, block, rest)
    local name, parent = rest:match("^([%w_.]+): ([%w_.]+)$")
    block.class = { name = name or assert(rest:match("^[%w_.]+$"), rest), parent = parent, fields = {}, order = {} }
    assert(not read.classes[block.class.name], block.class.name .. " is there twice")
    read.classes[block.class.name] = block.class
  end,
  field = function(_, block, rest)
    local name, optional, tail = rest:match("^([%w_%[%]]+)(%??) (.*)$")
    local type, words = take_type(assert(tail, rest))
    block.class.fields[name] = { type = type, optional = optional == "?", doc = words_after(words) }
    table.insert(block.class.order, name)
  end,
  alias = function(read, block, rest)
    block.alias = { name = rest, choices = {} }
    read.aliases[rest] = block.alias
  end,
  param = function(_, block, rest)
    local name, optional, tail = rest:match("^([%w_.]+)(%??) (.*)$")
    local type, words = take_type(assert(tail, rest))
    table.insert(block.params, { name = name, type = type, optional = optional == "?", doc = words_after(words) })
  end,
  ["return"] = function(_, block, rest)
    local type, name = take_type(rest)
    table.insert(block.returns, { type = type, name = name:match("^[%w_]+") })
  end,
  type = function(_, block, rest)
    block.type = take_type(rest)
  end,
  meta = function(read, _, rest)
    read.module = rest
  end,
}

local function new_block()
  return { params = {}, returns = {}, words = {} }
end

-- One line; the block that the next one belongs to.
local function take_line(read, block, line)
  local tag, rest = line:match("^%-%-%-@(%w+)%s*(.*)$")
  if tag then
    assert(READERS[tag], "no such annotation: " .. line)(read, block, rest)
  elseif line:find("^%-%-%-|") then
    table.insert(block.alias.choices, (take_type(line:match("^%-%-%-| (.*)$"))))
  elseif line:find("^%-%-%-") then
    table.insert(block.words, line:sub(5))
  elseif line ~= "" and not line:find("^%-%-") then
    local name = line:match("^function ([%w_.]+)%(") or line:match("^local ([%w_]+) =") or line:match("^([%w_.]+) =")
    if name then
      read.values[name] = block
    end
    return new_block()
  elseif line == "" then
    return new_block()
  end
  return block
end

--- What the text says: {module, classes = {name -> {fields, order, parent}}, aliases = {name -> {choices}}, values =
-- {"pm.query" -> {params, returns, type, words}}, result = what it returns as Lua}; added to `into`. Raises for what it
-- does not understand.
function cats.read(text, into)
  local read = into or { classes = {}, aliases = {}, values = {} }
  local block = new_block()
  for line in text:gmatch("([^\n]*)\n") do
    block = take_line(read, block, line)
  end
  read.result = assert(load(text, "=types", "t", {}))() or read.result
  return read
end

return cats
