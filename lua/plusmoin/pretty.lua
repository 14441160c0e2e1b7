--- Prints values for people at the console: a table with its fields in order, nested tables indented.
local pretty = {}

local DEEPEST = 6 -- tables within tables
local MOST_FIELDS = 200 -- fields of one table that are printed; the rest is counted
local WIDTH = 100 -- characters; a table that fits is printed on one line

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", ['"'] = '\\"' }

local function quoted(text)
  return '"' .. text:gsub('[%c\\"]', function(c)
    return ESCAPES[c] or ("\\%d"):format(c:byte())
  end) .. '"'
end

local function is_name(key)
  return type(key) == "string" and key:find("^[%a_][%w_]*$") ~= nil
end

-- Numbers are sorted before names, and names before all other keys.
local RANKS = { number = 1, string = 2 }

local function comes_before(a, b)
  local rank_a, rank_b = RANKS[type(a)] or 3, RANKS[type(b)] or 3
  if rank_a ~= rank_b then
    return rank_a < rank_b
  end
  return rank_a < 3 and a < b
end

-- Returns at most MOST_FIELDS keys of a table, in order, and how many more it has.
local function keys_of(value)
  local keys, more = {}, 0
  for key in pairs(value) do
    if #keys < MOST_FIELDS then
      keys[#keys + 1] = key
    else
      more = more + 1
    end
  end
  table.sort(keys, comes_before)
  return keys, more
end

local table_text

local function inner_text(value, indent, parents)
  if type(value) == "string" then
    return quoted(value)
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  return table_text(value, indent, parents)
end

-- Returns the texts of a table's fields: `name = value`, or the value alone where keys count up from 1.
local function fields_of(value, indent, parents)
  local keys, more = keys_of(value)
  local words = {}
  for i, key in ipairs(keys) do
    local text = inner_text(value[key], indent .. "  ", parents)
    if key ~= i then
      text = (is_name(key) and key or "[" .. inner_text(key, indent, parents) .. "]") .. " = " .. text
    end
    words[i] = text
  end
  if more > 0 then
    words[#words + 1] = ("... %d more"):format(more)
  end
  return words
end

function table_text(value, indent, parents)
  local meta = getmetatable(value)
  if type(meta) == "table" and rawget(meta, "__tostring") then
    return tostring(value)
  elseif parents[value] then
    return "{... itself}"
  elseif parents.depth >= DEEPEST then
    return "{...}"
  end
  parents[value], parents.depth = true, parents.depth + 1
  local words = fields_of(value, indent, parents)
  parents[value], parents.depth = nil, parents.depth - 1
  local line = "{ " .. table.concat(words, ", ") .. " }"
  if #words == 0 then
    return "{}"
  elseif #line + #indent <= WIDTH and not line:find("\n", 1, true) then
    return line
  end
  return "{\n" .. indent .. "  " .. table.concat(words, ",\n" .. indent .. "  ") .. "\n" .. indent .. "}"
end

--- Returns a value's text. A string stays as it is, so that a shell script can use it; in a table it is quoted.
function pretty.text(value)
  if type(value) == "table" then
    return table_text(value, "", { depth = 0 })
  end
  return tostring(value)
end

--- Returns the texts of `n` values on one line with tabs between them, or on a line each where one has line breaks.
function pretty.line(values, n)
  local words, several = {}, false
  for i = 1, n do
    words[i] = pretty.text(values[i])
    several = several or words[i]:find("\n", 1, true) ~= nil
  end
  return table.concat(words, several and "\n" or "\t")
end

return pretty
