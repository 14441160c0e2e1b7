--- Collects what is wrong with one configuration file, as complete lines:
-- `FILE:LINE: key.path: what is wrong; allowed: ...` (without the line for Lua
-- files, whose tables know none).
local keypath = require "plusmoin.keypath"

local report = {}

local Report = {}
Report.__index = Report

--- At most so many errors, and so many warnings, are returned; the rest are counted.
report.MAX_LINES = 200

--- Makes a report on `file` (as the user wrote its name). `lines` maps key paths to
-- lines, `bad` is the set of paths that have a syntax error; both may be nil.
function report.new(file, lines, bad)
  return setmetatable({ file = file, lines = lines or {}, bad = bad or {}, errors = {}, warnings = {} }, Report)
end

-- Returns the line of a path, else that of the nearest object or list around it.
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

--- Notes that the value at `path` is wrong. `allowed` says what may stand there; nil where
-- `wrong` says it. A path that has a syntax error already gets no second error.
function Report:error(path, wrong, allowed)
  if not self.bad[path] then
    self:add(self.errors, path, allowed and wrong .. "; allowed: " .. allowed or wrong)
  end
end

--- Notes a warning: the value works, but perhaps not as it was meant.
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

--- Notes an error whose line is complete as it is.
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

--- Returns the texts of a list of this report (`errors` or `warnings`), in order of their lines.
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
