--- LuaCATS's lines, as the makers of the files need them. Pure.
local cats = {}

--- The text as comment lines, one a line of it.
function cats.comment(text)
  return (("--- " .. text:gsub("\n$", ""):gsub("\n", "\n--- ")):gsub("%-%-%- \n", "---\n"))
end

--- A class's head and its fields: a list of {name =, type =, doc =, optional =}; `[1]` are those without names.
function cats.class(name, doc, fields)
  local lines = { doc and cats.comment(doc) or nil }
  lines[#lines + 1] = "---@class " .. name
  for _, field in ipairs(fields or {}) do
    local key = field.name == "[1]" and "[integer]" or field.name .. (field.optional and "?" or "")
    lines[#lines + 1] = ("---@field %s %s%s"):format(key, field.type, field.doc and " # " .. field.doc or "")
  end
  return table.concat(lines, "\n")
end

--- A name for one of several types or texts: a list of {type, doc or nil}.
function cats.alias(name, doc, choices)
  local lines = { cats.comment(doc), "---@alias " .. name }
  for _, choice in ipairs(choices) do
    lines[#lines + 1] = "---| " .. choice[1] .. (choice[2] and " # " .. choice[2] or "")
  end
  return table.concat(lines, "\n")
end

--- The parts with an empty line between them, as a file; `module`: what `require` finds it by, "_" for nothing; `head`:
-- a comment line.
function cats.file(module, head, parts)
  return ("---@meta %s\n%s\n\n%s\n"):format(module, head, table.concat(parts, "\n\n"))
end

return cats
