--- Decodes JSON with comments. It returns all errors with line and column, and the line
-- of every value.
--
-- Comments (`//` to the end of the line, `/* */`) are replaced by blanks of equal length,
-- so that line and column of all else stay as they are.
local cjson = require "cjson"
local keypath = require "plusmoin.keypath"
local scan = require "plusmoin.jsonc.scan"

local jsonc = {}

--- What null decodes to.
jsonc.null = cjson.null

local codec = cjson.new()
codec.decode_invalid_numbers(false)
codec.decode_max_depth(scan.MAX_DEPTH)

local function blanks(text)
  return (text:gsub("[^\r\n]", " "))
end

-- Returns the place behind a string that begins at `at`: behind its closing quote, or at
-- the end of its line, where the scan then reports that it is not closed.
local function skip_string(text, at)
  local stop = at + 1
  while true do
    stop = text:find('["\\\r\n]', stop)
    if not stop then
      return #text + 1
    end
    local char = text:sub(stop, stop)
    if char == '"' then
      return stop + 1
    elseif char ~= "\\" then
      return stop
    end
    stop = stop + 2
  end
end

local function comment_end(text, at)
  if text:sub(at + 1, at + 1) == "/" then
    return (text:find("[\r\n]", at) or #text + 1) - 1
  end
  local _, last = text:find("*/", at + 2, true)
  return last
end

--- Replaces the comments of a text by blanks. Returns the text, of equal length, and the
-- offset of a comment that is never closed, if there is one.
function jsonc.blank_comments(text)
  local out, at = {}, 1
  while at <= #text do
    local stop = text:find('["/]', at)
    if not stop then
      break
    end
    out[#out + 1] = text:sub(at, stop - 1)
    if text:sub(stop, stop) == '"' then
      at = skip_string(text, stop)
      out[#out + 1] = text:sub(stop, at - 1)
    elseif not text:find("^/[/*]", stop) then
      out[#out + 1] = "/"
      at = stop + 1
    else
      local last = comment_end(text, stop)
      out[#out + 1] = blanks(text:sub(stop, last or #text))
      at = (last or #text) + 1
      if not last then
        return table.concat(out), stop
      end
    end
  end
  out[#out + 1] = text:sub(at)
  return table.concat(out)
end

-- Returns the offsets at which lines begin.
local function line_starts(text)
  local starts = { 1 }
  for at in text:gmatch("\n()") do
    starts[#starts + 1] = at
  end
  return starts
end

local function line_number(starts, offset)
  local low, high = 1, #starts
  while low < high do
    local middle = (low + high + 1) // 2
    if starts[middle] <= offset then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

-- Returns the column in characters; in bytes where the line is not UTF-8.
local function column(text, start, offset)
  local before = text:sub(start, offset - 1)
  return (utf8.len(before) or #before) + 1
end

local function apply_patches(text, patches)
  if #patches == 0 then
    return text
  end
  table.sort(patches, function(a, b) return a.first < b.first end)
  local out, at = {}, 1
  for _, patch in ipairs(patches) do
    out[#out + 1] = text:sub(at, patch.first - 1)
    out[#out + 1] = patch.new
    at = patch.last + 1
  end
  out[#out + 1] = text:sub(at)
  return table.concat(out)
end

-- Turns numbers that were written as integers back into integers, because cjson decodes all as floats.
local function restore_integers(value, path, integers)
  if type(value) == "number" then
    return integers[path] or value
  elseif type(value) ~= "table" then
    return value
  end
  for key, inner in pairs(value) do
    local own = type(key) == "number" and keypath.index(path, math.tointeger(key)) or keypath.key(path, key)
    value[key] = restore_integers(inner, own, integers)
  end
  return value
end

-- Returns the offset and words of a fault that leaves nothing to scan; nil: there is none.
-- A comment that is never closed is reported elsewhere.
local function not_text(text, blanked, open_comment)
  local nul = text:find("\0", 1, true)
  if nul then
    return nul, "a NUL byte: this is not a text file; allowed: JSON in UTF-8"
  end
  if open_comment then
    return nil
  end
  if not text:find("%S") then
    return 1, "the file is empty; allowed: one JSON object"
  end
  if not blanked:find("%S") then
    return 1, "the file holds nothing but comments; allowed: one JSON object"
  end
  return nil
end

local function empty_doc()
  return { lines = {}, kinds = {}, bad = {}, strings = {}, complete = false }
end

-- Returns the scan's errors before an unclosed comment, and that comment's own error.
local function merge_errors(errors, open_comment)
  if not open_comment then
    return errors
  end
  local kept = {}
  for _, err in ipairs(errors) do
    if err.at < open_comment then
      kept[#kept + 1] = err
    end
  end
  kept[#kept + 1] = { at = open_comment, text = "a comment that is never closed; allowed: /* ... */" }
  return kept
end

local function with_places(errors, text, starts)
  local list = {}
  for _, err in ipairs(errors) do
    local line = line_number(starts, err.at)
    list[#list + 1] = { line = line, column = column(text, starts[line], err.at), text = err.text }
  end
  return list
end

local function decode_scanned(doc, text, patches, errors)
  local ok, value = pcall(codec.decode, apply_patches(text, patches))
  if ok then
    doc.value = restore_integers(value, "", doc.integers)
  else
    local at = tonumber(tostring(value):match("at character (%d+)")) or 1
    errors[#errors + 1] = { at = at, text = tostring(value) }
  end
end

--- Decodes JSON with comments. Returns doc and a list of errors, each
-- {line=, column=, text=}; raises nothing. doc:
--   value     the decoded value (null is jsonc.null, integers are integers); nil
--             where the structure is broken; a single value that is bad is 0, and
--             its path is in `bad`
--   lines     key path -> line (of the key, for a member of an object)
--   kinds     key path -> "array" or "object" (both decode to tables)
--   bad       key path -> true: the error of this value is reported already
--   strings   top-level key -> string, for those keys that could be read
--   complete  the text was read to its end
function jsonc.decode(text)
  local starts = line_starts(text)
  if text:sub(1, 3) == "\xEF\xBB\xBF" then
    text = "   " .. text:sub(4) -- a byte order mark is ignored
  end
  local blanked, open_comment = jsonc.blank_comments(text)
  local at, wrong = not_text(text, blanked, open_comment)
  if at then
    return empty_doc(), with_places({ { at = at, text = wrong } }, text, starts)
  end
  local function line_of(offset)
    return line_number(starts, offset)
  end
  local doc, errors, patches = scan.run(blanked, line_of)
  errors = merge_errors(errors, open_comment)
  if doc.complete then
    decode_scanned(doc, blanked, patches, errors)
  end
  doc.lines = {}
  for path, offset in pairs(doc.offsets) do
    doc.lines[path] = line_of(offset)
  end
  return doc, with_places(errors, text, starts)
end

return jsonc
