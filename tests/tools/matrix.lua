-- Prints the results of spec/program/matrix_spec.lua (lines "row TAB column TAB outcome" on stdin) as a table.
-- Where row or column is empty, the line only says what comes next in the table.
local rows, columns, cells = {}, {}, {}

local function remember(list, name)
  if name ~= "" and not list[name] then
    list[name] = true
    list[#list + 1] = name
  end
end

for line in io.lines() do
  local row, column, outcome = line:match("^([^\t]*)\t([^\t]*)\t(.*)$")
  if row then
    remember(rows, row)
    remember(columns, column)
    cells[row .. "\t" .. column] = outcome
  end
end
print("| what happens | " .. table.concat(columns, " | ") .. " |")
print("|---|" .. ("---|"):rep(#columns))
for _, row in ipairs(rows) do
  local line = {}
  for i, column in ipairs(columns) do
    line[i] = cells[row .. "\t" .. column] or ""
  end
  print("| " .. row .. " | " .. table.concat(line, " | ") .. " |")
end

-- Cells that make no sense, and those that could not be run here, are none.
local right, run = 0, 0
for _, outcome in pairs(cells) do
  local is_cell = outcome ~= "" and not outcome:find("^%- ") and not outcome:find("^not run")
  run = run + (is_cell and 1 or 0)
  right = right + (is_cell and outcome ~= "WRONG" and 1 or 0)
end
print(("\n%d of %d cells right"):format(right, run))
