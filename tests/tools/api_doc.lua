-- README's tables of the API, made from lua/plusmoin/api.lua; for tests/tools/api-doc.lua and the spec.
local api = require "plusmoin.api"

local api_doc = {}

local function cell(text)
  return (text:gsub("|", "\\|"))
end

local function line(...)
  local cells = {}
  for i, text in ipairs { ... } do
    cells[i] = cell(text)
  end
  return "| " .. table.concat(cells, " | ") .. " |"
end

local function type_of(row)
  return "`" .. row.type .. "`" .. (row.optional and " or nil" or "")
end

-- What a function gives: the keys of a table, or a type.
local function returns_of(row)
  local parts = {}
  for _, value in ipairs(row.returns or {}) do
    local words = {}
    for i, field in ipairs(value.fields or {}) do
      words[i] = field.list and "rows keyed by column" or "`" .. field.name .. "`"
    end
    parts[#parts + 1] = #words > 0 and table.concat(words, ", ") or type_of(value)
  end
  return table.concat(parts, "; ")
end

local function words_of(row)
  return row.doc .. (row.fails and " Nil and a message come back when " .. row.fails .. "." or "")
end

-- What there is to say besides, a paragraph a row.
local function add_more(lines, rows)
  for _, row in ipairs(rows) do
    if row.more then
      lines[#lines + 1] = ("\n`%s`: %s"):format(row.name, table.concat(row.more, " "))
    end
  end
end

local function functions(number, wanted)
  local lines, rows = { line("what", "gives", "meaning"), "|---|---|---|" }, {}
  for _, row in ipairs(api.groups[number].rows) do
    if wanted(row) then
      rows[#rows + 1] = row
      local gives = row.kind == "function" and returns_of(row) or row.type and type_of(row) or ""
      lines[#lines + 1] = line("`" .. api.call(row) .. "`", gives, words_of(row))
    end
  end
  add_more(lines, rows)
  return table.concat(lines, "\n") .. "\n"
end

local function fields(class, what)
  local lines = { line("field of " .. what, "type", "meaning"), "|---|---|---|" }
  for _, row in ipairs(api.below(class)) do
    lines[#lines + 1] = line("`" .. api.key(row) .. "`", type_of(row), row.doc)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function standard()
  local lines = { line("of Lua's own", "meaning"), "|---|---|" }
  for _, row in ipairs(api.groups[4].rows) do
    lines[#lines + 1] = line("`" .. row.name .. "`", row.doc)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function all()
  return true
end

--- The tables by the names of their markers.
api_doc.tables = {
  event = function() return fields("Event", "`event`") end,
  node = function() return fields("Node", "a node") end,
  vote = function() return fields("Vote", "a vote") end,
  waiting = function() return functions(1, all) end,
  immediate = function() return functions(2, function(row) return row.name ~= "pm" end) end,
  standard = standard,
}

local function marker(name, which)
  return ("<!-- api %s:%s -->"):format(name, which)
end

--- The text between a table's markers in a document; nil: it has none.
function api_doc.extract(document, name)
  local _, first = document:find(marker(name, "begin") .. "\n", 1, true)
  local last = first and document:find(marker(name, "end"), first, true)
  return last and document:sub(first + 1, last - 1)
end

--- The document with all tables made anew; raises where a table's markers are not in it.
function api_doc.update(document)
  for name, made in pairs(api_doc.tables) do
    local old = assert(api_doc.extract(document, name), marker(name, "begin") .. " is not in it")
    local first = select(2, document:find(marker(name, "begin") .. "\n", 1, true))
    document = document:sub(1, first) .. made() .. document:sub(first + #old + 1)
  end
  return document
end

return api_doc
