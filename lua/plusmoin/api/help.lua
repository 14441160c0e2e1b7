--- Renders the API's rows as plain text for people, 80 columns wide. It does not wait.
local help = {}

local WIDTH = 80

-- Breaks a text into lines of at most WIDTH columns. The first one begins with `lead`, the others with `indent` blanks.
local function wrap(text, indent, lead)
  local lines, line = {}, lead or (" "):rep(indent)
  local is_empty = true
  for word in text:gmatch("%S+") do
    if not is_empty and #line + 1 + #word > WIDTH then
      lines[#lines + 1], line, is_empty = line, (" "):rep(indent), true
    end
    line, is_empty = line .. (is_empty and "" or " ") .. word, false
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function plain(text)
  return (text:gsub("`", ""))
end

-- Returns the names of params in a call: "a, [b]", with brackets around those that may be left out.
local function names_of(params)
  local words = {}
  for i, param in ipairs(params) do
    words[i] = param.optional and "[" .. param.name .. "]" or param.name
  end
  return table.concat(words, ", ")
end

-- Returns the fields of a table in a call: "{program, argument, ..., stdin=, env=}".
local function braces(fields)
  local words = {}
  for i, field in ipairs(fields) do
    words[i] = field.list or field.name .. "="
  end
  return "{" .. table.concat(words, ", ") .. "}"
end

--- Returns how a function is called; for other rows the name.
function help.call(row)
  if row.kind ~= "function" or not row.params then
    return row.name
  elseif #row.params == 1 and row.params[1].fields then
    return row.name .. braces(row.params[1].fields)
  end
  return ("%s(%s)"):format(row.name, names_of(row.params))
end

-- Adds a name with its type and meaning: "  timeout     number, or nil: ...".
local function entry(lines, name, type, optional, doc, indent)
  local head = (" "):rep(indent) .. ("%-11s "):format(name)
  local words = type .. (optional and ", or nil" or "") .. (doc and ": " .. doc or "")
  lines[#lines + 1] = wrap(plain(words), indent + 12, head)
end

local function add_fields(lines, fields, indent)
  for _, field in ipairs(fields) do
    entry(lines, field.list and field.list:match("^%a+") or field.name, field.type, field.optional, field.doc, indent)
  end
end

local function add_params(lines, row)
  for _, param in ipairs(row.params or {}) do
    if not (#row.params == 1 and param.fields) then
      entry(lines, param.name, param.type, param.optional, param.doc, 2)
    end
    if param.fields then
      add_fields(lines, param.fields, #row.params == 1 and 2 or 4)
    end
  end
end

local function add_returns(lines, row)
  for i, value in ipairs(row.returns or {}) do
    if i == 1 then
      lines[#lines + 1] = "\nReturns"
    end
    entry(lines, value.name, value.type, value.optional, value.doc, 2)
    add_fields(lines, value.fields or {}, 4)
  end
  if row.fails then
    lines[#lines + 1] = wrap("or nil and a message when " .. plain(row.fails) .. ".", 2)
  end
end

-- Adds an entry for each of the rows below a row: its name, type and sentence.
local function add_below(lines, below)
  if #below == 0 then
    return
  end
  lines[#lines + 1] = ""
  for _, row in ipairs(below) do
    local key = row.name:match("([%w_]+)$")
    local doc = row.kind == "function" and row.doc or (row.type or row.kind) .. (row.optional and ", or nil" or "")
      .. ": " .. row.doc
    lines[#lines + 1] = wrap(plain(doc), 14, ("  %-11s "):format(key))
  end
end

--- Returns the help on a row. `below` is the list of rows below it.
function help.row(row, below)
  local lines = { wrap(help.call(row), 4, "") }
  if row.type then
    lines[#lines] = lines[#lines] .. ": " .. row.type .. (row.optional and ", or nil" or "")
  end
  lines[#lines + 1] = wrap((row.waits and "Waits. " or "") .. plain(row.doc), 2)
  if #(row.params or {}) > 0 then
    lines[#lines + 1] = ""
    add_params(lines, row)
  end
  add_returns(lines, row)
  for _, text in ipairs(row.more or {}) do
    lines[#lines + 1] = "\n" .. wrap(plain(text), 2)
  end
  add_below(lines, below)
  if row.example then
    lines[#lines + 1] = "\nExample\n  " .. row.example:gsub("\n$", ""):gsub("\n", "\n  ")
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Returns the names of those rows that `wanted` accepts, in lines that begin with a word.
local function name_lines(word, rows, wanted)
  local names = {}
  for _, row in ipairs(rows) do
    if wanted(row) then
      names[#names + 1] = row.name
    end
  end
  return wrap(table.concat(names, "  "), 12, ("%-11s "):format(word))
end

--- Returns an overview of the API that fits a screen of 24 lines.
function help.overview(api)
  local function in_group(number, wanted)
    return api.groups[number].rows, wanted
  end
  local function of_pm(row)
    return row.name:find("^pm") ~= nil
  end
  local lines = {
    name_lines("waits:", in_group(1, function() return true end)),
    name_lines("at once:", in_group(2, of_pm)),
    name_lines("tables:", in_group(3, function(row) return row.kind == "class" end)),
    name_lines("refused:", in_group(4, function(row) return row.refused end)),
    name_lines("otherwise:", in_group(4, function(row) return not row.refused end)),
    "",
    wrap('help(pm.query), or help "pm.query", tells of a function; help "Event" of a table\'s fields, help '
      .. '"Event.master" of one of them. What waits lets other triggers run meanwhile. What fails in the ordinary way '
      .. "returns nil and a message; misuse raises an error. The whole: man 7 plusmoin-lua", 0),
  }
  return table.concat(lines, "\n") .. "\n"
end

return help
