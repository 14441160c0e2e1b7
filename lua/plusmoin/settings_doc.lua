--- What plusmoin.conf(5) and the definitions for editors say of a setting's values.
local settings_doc = {}

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

return settings_doc
