--- Collects what is wrong with one configuration file, as complete lines:
-- `FILE:LINE: key.path: what is wrong; allowed: ...` (without the line for Lua
-- files, whose tables know none).
local keypath = require "plusmoin.keypath"

local report = {}

local Report = {}
Report.__index = Report

--- The most lines of one kind that are given; the rest is counted.
report.MAX_LINES = 200

--- A new report on `file` (as the user wrote its name). `lines` maps key paths
-- to lines, `bad` holds the paths that have their error already; both may be nil.
function report.new(file, lines, bad)
  return setmetatable({ file = file, lines = lines or {}, bad = bad or {}, errors = {}, warnings = {} }, Report)
end

-- The line of a path, or of the nearest thing around it.
function Report:line_of(path)
  while path and not self.lines[path] do
    path = keypath.parent(path)
  end
  return path and self.lines[path]
end

function Report:add(list, path, text)
  local line = self:line_of(path)
  local place = line and ("%s:%d: "):format(self.file, line) or self.file .. ": "
  local what = path == "" and text or path .. ": " .. text
  list[#list + 1] = { line = line or 0, column = 0, order = #list, text = place .. what }
end

--- Notes that the value at `path` is wrong; `allowed` says what may stand there
-- (nil where `wrong` says it). A place that has its syntax error gets no second one.
function Report:error(path, wrong, allowed)
  if not self.bad[path] then
    self:add(self.errors, path, allowed and wrong .. "; allowed: " .. allowed or wrong)
  end
end

--- Notes what works, but hardly as meant.
function Report:warning(path, text)
  self:add(self.warnings, path, text)
end

--- Notes an error of the file's syntax, with the column where it has one.
function Report:syntax(line, column, text)
  self.errors[#self.errors + 1] = {
    line = line, column = column, order = #self.errors,
    text = ("%s:%d:%d: %s"):format(self.file, line, column, text),
  }
end

--- Notes a line that is complete as it is.
function Report:raw(text)
  self.errors[#self.errors + 1] = { line = 0, column = 0, order = #self.errors, text = text }
end

local function by_place(a, b)
  if a.line ~= b.line then
    return a.line < b.line
  elseif a.column ~= b.column then
    return a.column < b.column
  end
  return a.order < b.order
end

--- The texts of a list of this report (`errors` or `warnings`), by line.
function Report:texts(list)
  table.sort(list, by_place)
  local texts = {}
  for i = 1, math.min(#list, report.MAX_LINES) do
    texts[i] = list[i].text
  end
  if #list > report.MAX_LINES then
    texts[#texts + 1] = ("%s: and %d more"):format(self.file, #list - report.MAX_LINES)
  end
  return texts
end

return report
