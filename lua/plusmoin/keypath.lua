--- Makes key paths and quoted values for messages.
--
-- A key path is a string such as `nodes[3].connection.sslmode` or
-- `connection["odd key"]`; "" is the whole file. Elements of a list are counted
-- from 1, also in JSON files, because people count "the first node", and Lua
-- files count so anyway.
local keypath = {}

local QUOTED_BYTES = 60 -- longer values are cut in messages

-- Whether a code point would move the cursor or change the direction of the text.
local function is_unprintable(code)
  return code < 0x20 or (code >= 0x7f and code < 0xa0)
    or code == 0x200e or code == 0x200f or code == 0x2028 or code == 0x2029
    or (code >= 0x202a and code <= 0x202e) or (code >= 0x2066 and code <= 0x2069)
end

local NAMED = { [9] = "\\t", [10] = "\\n", [13] = "\\r" }

local function escape_code(code)
  if not is_unprintable(code) then
    return utf8.char(code)
  end
  return NAMED[code] or (code < 0x100 and ("\\x%02x"):format(code)) or ("\\u%04x"):format(code)
end

--- Returns the text with escapes for all that a terminal would act on: control
-- characters, direction marks, bytes that are not UTF-8.
function keypath.escape(text)
  if not text:find("[^\32-\126]") then
    return text
  end
  local out, at = {}, 1
  while at <= #text do
    local _, bad = utf8.len(text, at)
    local stop = bad and bad - 1 or #text
    if stop >= at then
      for _, code in utf8.codes(text:sub(at, stop)) do
        out[#out + 1] = escape_code(code)
      end
    end
    if bad then
      out[#out + 1] = ("\\x%02x"):format(text:byte(bad))
    end
    at = stop + (bad and 2 or 1)
  end
  return table.concat(out)
end

--- Returns a value's text in double quotes, escaped and cut, for messages. Callers must
-- not give it a password.
function keypath.quote(text)
  if #text > QUOTED_BYTES then
    text = text:sub(1, QUOTED_BYTES) .. "..."
  end
  return '"' .. keypath.escape(text) .. '"'
end

--- Returns the path of a key of the object at `parent`.
function keypath.key(parent, key)
  if type(key) == "string" and key:find("^[%a_][%w_%-]*$") then
    return parent == "" and key or parent .. "." .. key
  end
  if type(key) == "string" then
    return parent .. "[" .. keypath.quote(key) .. "]"
  end
  return parent .. "[" .. tostring(key) .. "]"
end

--- Returns the path of the element `index` (from 1) of the list at `parent`.
function keypath.index(parent, index)
  return ("%s[%d]"):format(parent, index)
end

--- Returns the path of the object or list around this path; nil for the whole file.
function keypath.parent(path)
  if path == "" then
    return nil
  end
  return path:match("^(.*)%[%d+%]$") or path:match('^(.*)%[".*"%]$')
    or path:match("^(.*)%.[^.]*$") or ""
end

return keypath
