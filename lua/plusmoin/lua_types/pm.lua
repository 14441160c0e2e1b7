--- Makes the LuaCATS definitions of pm, from the table of the API. Pure.
local api = require "plusmoin.api"
local cats = require "plusmoin.lua_types.cats"

local pm = {}

local function words_of(row)
  local parts = { row.doc }
  if row.waits then
    parts[#parts + 1] = "It waits: other triggers run meanwhile, and it cannot be called while a configuration is "
      .. "loaded."
  end
  if row.fails then
    parts[#parts + 1] = "It returns nil and a message when " .. row.fails .. "."
  end
  for _, text in ipairs(row.more or {}) do
    parts[#parts + 1] = text
  end
  parts[#parts + 1] = "```lua\n" .. row.example .. "```"
  return cats.comment(table.concat(parts, "\n\n"))
end

-- Adds the classes of the tables that a function takes and returns.
local function add_classes(parts, row)
  for _, list in ipairs { row.params or {}, row.returns or {} } do
    for _, one in ipairs(list) do
      if one.fields then
        parts[#parts + 1] = cats.class(one.fields_of or one.type, nil, one.fields)
      end
    end
  end
end

local function function_text(row)
  local lines, names = { words_of(row) }, {}
  for i, param in ipairs(row.params) do
    names[i] = param.name
    local name = param.name .. (param.optional and param.name ~= "..." and "?" or "")
    lines[#lines + 1] = ("---@param %s %s%s"):format(name, param.type, param.doc and " # " .. param.doc or "")
  end
  for _, value in ipairs(row.returns) do
    local type = value.type .. ((value.optional or row.fails) and "|nil" or "")
    lines[#lines + 1] = ("---@return %s %s"):format(type, value.name) .. (value.doc and " # " .. value.doc or "")
  end
  if row.fails then
    lines[#lines + 1] = "---@return string|nil why"
  end
  lines[#lines + 1] = ("function %s(%s) end"):format(row.name, table.concat(names, ", "))
  return table.concat(lines, "\n")
end

local function table_text(row)
  local head = words_of(row)
  if row.name == "pm" then
    return head .. "\n---@class pm\nlocal pm = {}"
  elseif row.type then
    return ("%s\n---@type %s\n%s = %s"):format(head, row.type, row.name, row.kind == "value" and "nil" or "{}")
  end
  return ("%s\n---@class %s\n%s = {}"):format(head, row.name, row.name)
end

--- Returns the file's text.
function pm.text(head)
  local parts, tables = {}, {}
  for _, row in ipairs(api.rows) do
    if row.name:find("^pm") and not row.standard then
      if row.kind == "function" then
        add_classes(parts, row)
        parts[#parts + 1] = function_text(row)
      else
        tables[#tables + 1] = table_text(row)
      end
    end
  end
  table.move(parts, 1, #parts, #tables + 1, tables) -- pm itself first
  tables[#tables + 1] = "return pm"
  return cats.file("plusmoin", head, tables)
end

return pm
