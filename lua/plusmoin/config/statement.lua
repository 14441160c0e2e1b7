--- Counts the statements of `is_slave_statement`: it is sent as one, while the daemon of 2015 took several.
local statement = {}

-- Returns the place behind a comment of /* */ that begins at `at`. Such comments nest.
local function past_comment(sql, at)
  local depth, from = 0, at
  repeat
    local open, close = sql:find("/*", from, true), sql:find("*/", from, true)
    if not close then
      return #sql + 1
    elseif open and open < close then
      depth, from = depth + 1, open + 2
    else
      depth, from = depth - 1, close + 2
    end
  until depth == 0
  return from
end

local function past(sql, text, from)
  local _, stop = sql:find(text, from, true)
  return (stop or #sql) + 1
end

local function past_dollars(sql, at, stop)
  return past(sql, sql:sub(at, stop), stop + 1)
end

-- The parts of SQL that have more than one character: a pattern, a function that returns the place behind the part,
-- and whether the part belongs to a statement (blanks and comments do not).
local PARTS = {
  { "^%s+", function(_, _, stop) return stop + 1 end, false },
  { "^%-%-", function(sql, at) return past(sql, "\n", at) end, false },
  { "^/%*", past_comment, false },
  { "^[\"']", function(sql, at) return past(sql, sql:sub(at, at), at + 1) end, true }, -- "" begins another part
  { "^%$%$", past_dollars, true },
  { "^%$[%a_\128-\255][%w_\128-\255]*%$", past_dollars, true },
  { "^[%w_\128-\255][%w_$\128-\255]*", function(_, _, stop) return stop + 1 end, true },
}

-- Returns the place behind the part at `at`, and whether the part belongs to a statement.
local function next_part(sql, at)
  for _, part in ipairs(PARTS) do
    local _, stop = sql:find(part[1], at)
    if stop then
      return part[2](sql, at, stop), part[3]
    end
  end
  return at + 1, true
end

--- Returns how many statements a server finds in an SQL text; nil where the text has backslashes, whose meaning in
-- strings depends on the server's settings.
function statement.count(sql)
  if sql:find("\\", 1, true) then
    return nil
  end
  local count, at, said = 0, 1, false
  while at <= #sql do
    if sql:sub(at, at) == ";" then
      said, at = false, at + 1
    else
      local behind, says = next_part(sql, at)
      if says and not said then
        count, said = count + 1, true
      end
      at = behind
    end
  end
  return count
end

return statement
