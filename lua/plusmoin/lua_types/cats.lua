--- Makes lines of LuaCATS for the files of lua_types/. Pure.
local cats = {}

--- Returns the text as comment lines.
function cats.comment(text)
  return (("--- " .. text:gsub("\n$", ""):gsub("\n", "\n--- ")):gsub("%-%-%- \n", "---\n"))
end

--- Returns a class and its fields. `fields` is a list of {name =, type =, doc =, optional =}; the name `[1]` stands for
-- all values without names.
function cats.class(name, doc, fields)
  local lines = { doc and cats.comment(doc) or nil }
  lines[#lines + 1] = "---@class " .. name
  for _, field in ipairs(fields or {}) do
    local key = field.name == "[1]" and "[integer]" or field.name .. (field.optional and "?" or "")
    lines[#lines + 1] = ("---@field %s %s%s"):format(key, field.type, field.doc and " # " .. field.doc or "")
  end
  return table.concat(lines, "\n")
end

--- Returns a name for one of several types or texts. `choices` is a list of {type, doc or nil}.
function cats.alias(name, doc, choices)
  local lines = { cats.comment(doc), "---@alias " .. name }
  for _, choice in ipairs(choices) do
    lines[#lines + 1] = "---| " .. choice[1] .. (choice[2] and " # " .. choice[2] or "")
  end
  return table.concat(lines, "\n")
end

--- Returns a file with an empty line between its parts. `module` is the name by which `require` finds it, "_" for none;
-- `head` is a comment line.
function cats.file(module, head, parts)
  return ("---@meta %s\n%s\n\n%s\n"):format(module, head, table.concat(parts, "\n\n"))
end

return cats
