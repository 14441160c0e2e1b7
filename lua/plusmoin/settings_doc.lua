--- README's table of settings, made from the settings table.
local settings = require "plusmoin.settings"

local settings_doc = {}

local BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"

local function number_text(value)
  return ("%.14g"):format(value)
end

--- The values a setting may have, in words; "" where its type says it all.
function settings_doc.range(row)
  if type(row.allowed) == "table" then
    return table.concat(row.allowed, ", ")
  elseif row.min then
    return ("%s%s to %s"):format(row.min_open and "above " or "", number_text(row.min), number_text(row.max))
  end
  return row.allowed or ""
end

--- Its default in words, or "required".
function settings_doc.default(row)
  if row.required then
    return "required"
  elseif row.default_doc then
    return row.default_doc
  end
  return "`" .. (type(row.default) == "number" and number_text(row.default) or tostring(row.default)) .. "`"
end

local function line(cells)
  return "| " .. table.concat(cells, " | ") .. " |"
end

--- The table as Markdown, one row a setting.
function settings_doc.markdown()
  local lines = { line { "name", "type", "range", "default", "reload", "meaning" }, "|---|---|---|---|---|---|" }
  for _, row in ipairs(settings.rows) do
    local cells = { "`" .. row.name .. "`", row.type, settings_doc.range(row), settings_doc.default(row), row.reload,
      row.doc }
    for i, cell in ipairs(cells) do
      cells[i] = cell:gsub("|", "\\|")
    end
    lines[#lines + 1] = line(cells)
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The text between the markers of a document, or nil.
function settings_doc.extract(document)
  local _, first = document:find(BEGIN .. "\n", 1, true)
  local last = first and document:find(END, first, true)
  return last and document:sub(first + 1, last - 1)
end

--- The document with the table between its markers made anew; nil and what is
-- wrong where it has no markers.
function settings_doc.update(document)
  local _, first = document:find(BEGIN .. "\n", 1, true)
  local last = first and document:find(END, first, true)
  if not last then
    return nil, ("no %s and %s in it"):format(BEGIN, END)
  end
  return document:sub(1, first) .. settings_doc.markdown() .. document:sub(last)
end

return settings_doc
