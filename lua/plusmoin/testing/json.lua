--- Stands for plusmoin.jansson in tests without a daemon: the same functions in Lua. `null`
-- is a table here: tests compare with it and do not look at its type.
local json = {}

local MOST_BYTES, MOST_DEPTH = 16 << 20, 100

local array_mark = { __metatable = false, __name = "plusmoin.array" }
local arrays = setmetatable({}, { __mode = "k" })

json.null = setmetatable({}, { __tostring = function() return "null" end, __metatable = false,
  __newindex = function() error("pm.json.null is no table", 2) end })

--- array(t): marks `t` (default {}) as an array, also when it is empty; returns it.
function json.array(t)
  if t == nil then
    t = {}
  elseif type(t) ~= "table" then
    error(("bad argument #1 to 'array' (table expected, got %s)"):format(type(t)), 2)
  end
  arrays[t] = true
  return setmetatable(t, array_mark)
end

--- is_array(t): returns whether array() has marked it.
function json.is_array(t)
  return arrays[t] == true
end

local function encode_string(text)
  local parts, at = {}, 1
  while at <= #text do
    local stop = select(2, utf8.len(text, at)) -- the first byte that is no UTF-8
    local good = text:sub(at, stop and stop - 1)
    parts[#parts + 1] = good:gsub('[%c"\\]', function(c)
      local code = c:byte()
      return code == 0x7f and c or code < 0x20 and ("\\u%04x"):format(code) or "\\" .. c
    end)
    parts[#parts + 1] = stop and "\u{FFFD}"
    at = stop and stop + 1 or #text + 1
  end
  return '"' .. table.concat(parts) .. '"'
end

local function encode_number(number)
  if math.type(number) == "integer" then
    return ("%d"):format(number)
  elseif number ~= number or number == math.huge or number == -math.huge then
    error(("pm.json.encode: %f cannot be JSON"):format(number), 0)
  end
  return (number == math.floor(number) and math.abs(number) < 1e15 and "%.1f" or "%.17g"):format(number)
end

local encode_value

local function encode_array(value, depth)
  local seen, parts = 0, {}
  for _ in next, value do
    seen = seen + 1
  end
  if seen ~= rawlen(value) then
    error("pm.json.encode: a table that mixes a list with other keys, or has holes", 0)
  end
  for i = 1, seen do
    parts[i] = encode_value(rawget(value, i), depth + 1)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(value, depth)
  local keys, parts = {}, {}
  for key in next, value do
    if type(key) ~= "string" then
      error(("pm.json.encode: a %s as a key; allowed: strings, or a list"):format(type(key)), 0)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    parts[i] = encode_string(key) .. ":" .. encode_value(rawget(value, key), depth + 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode_value(value, depth)
  local kind = type(value)
  if depth > MOST_DEPTH then
    error(("pm.json.encode: nested deeper than %d (a cycle?)"):format(MOST_DEPTH), 0)
  elseif value == nil or value == json.null then
    return "null"
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "number" then
    return encode_number(value)
  elseif kind == "string" then
    return encode_string(value)
  elseif kind ~= "table" then
    error(("pm.json.encode: a %s cannot be JSON"):format(kind), 0)
  elseif arrays[value] or rawlen(value) > 0 then
    return encode_array(value, depth)
  end
  return encode_object(value, depth)
end

--- encode(value): returns the text, with keys sorted and invalid UTF-8 as U+FFFD. Raises an error on misuse.
function json.encode(...)
  if select("#", ...) == 0 then
    error("bad argument #1 to 'encode' (value expected)", 2)
  end
  local text = encode_value((...), 0)
  if #text > MOST_BYTES then
    error("pm.json.encode: more than 16 MiB", 0)
  end
  return text
end

local ESCAPES = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local decode_value

-- Raises what is wrong at `at` of the text, as a table that decode() catches.
local function fail(text, at, what)
  local before = text:sub(1, at - 1)
  local _, lines = before:gsub("\n", "")
  error({ message = ("line %d, column %d: %s"):format(lines + 1, #before:match("[^\n]*$") + 1, what) }, 0)
end

local function skip(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

local function decode_unicode(text, at)
  local high = tonumber(text:match("^%x%x%x%x", at) or fail(text, at, "invalid escape"), 16)
  if high == 0 then
    fail(text, at, "\\u0000 is not allowed without JSON_ALLOW_NUL")
  elseif high >= 0xDC00 and high < 0xE000 then
    fail(text, at, "invalid Unicode")
  elseif high >= 0xD800 and high < 0xDC00 then
    local low = tonumber(text:match("^\\u([dD][c-fC-F]%x%x)", at + 4) or fail(text, at, "invalid Unicode"), 16)
    return utf8.char(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), at + 10
  end
  return utf8.char(high), at + 4
end

local function decode_string(text, at)
  local parts, from = {}, at + 1
  while true do
    local stop = text:find('[%c"\\]', from)
    local c = stop and text:sub(stop, stop)
    if not stop or c ~= '"' and c ~= "\\" and c ~= "\127" then
      fail(text, stop or #text + 1, stop and "control character in a string" or "premature end of input")
    end
    parts[#parts + 1] = text:sub(from, stop - 1)
    if c == '"' then
      local whole = table.concat(parts)
      return utf8.len(whole) and whole or fail(text, at, "invalid UTF-8"), stop + 1
    elseif c == "\127" then
      parts[#parts + 1], from = c, stop + 1
    elseif text:sub(stop + 1, stop + 1) == "u" then
      parts[#parts + 1], from = decode_unicode(text, stop + 2)
    else
      parts[#parts + 1] = ESCAPES[text:sub(stop + 1, stop + 1)] or fail(text, stop, "invalid escape")
      from = stop + 2
    end
  end
end

local function decode_number(text, at)
  local whole = text:match("^-?%d+", at)
  if not whole or whole:find("^-?0%d") then
    fail(text, at, "invalid token")
  end
  local rest = at + #whole
  local fraction = text:match("^%.%d+", rest) or ""
  local exponent = text:match("^[eE][-+]?%d+", rest + #fraction) or ""
  if fraction == "" and exponent == "" then
    local integer = math.tointeger(tonumber(whole))
    if not integer or math.type(tonumber(whole)) == "float" then
      fail(text, at, "too big integer")
    end
    return integer, rest
  end
  local number = tonumber(whole .. fraction .. exponent) + 0.0
  if math.abs(number) == math.huge then
    fail(text, at, "real number overflow")
  end
  return number, rest + #fraction + #exponent
end

local function decode_array(text, at, depth)
  local list, count = json.array {}, 0
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then
    return list, at + 1
  end
  while true do
    count = count + 1
    list[count], at = decode_value(text, at, depth + 1)
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == "]" then
      return list, at + 1
    elseif c ~= "," then
      fail(text, at, "']' expected")
    end
    at = skip(text, at + 1)
  end
end

local function decode_object(text, at, depth)
  local object = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then
    return object, at + 1
  end
  while true do
    local key
    if text:sub(at, at) ~= '"' then
      fail(text, at, "string or '}' expected")
    end
    key, at = decode_string(text, at)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then
      fail(text, at, "':' expected")
    end
    object[key], at = decode_value(text, skip(text, at + 1), depth + 1)
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == "}" then
      return object, at + 1
    elseif c ~= "," then
      fail(text, at, "'}' expected")
    end
    at = skip(text, at + 1)
  end
end

local WORDS = { ["true"] = true, ["false"] = false, null = json.null }

function decode_value(text, at, depth)
  local c = text:sub(at, at)
  if depth > 2048 then
    fail(text, at, "maximum parsing depth reached")
  elseif c == "{" then
    return decode_object(text, at, depth)
  elseif c == "[" then
    return decode_array(text, at, depth)
  elseif c == '"' then
    return decode_string(text, at)
  elseif c:find("[-%d]") then
    return decode_number(text, at)
  end
  local word = text:match("^%a+", at)
  if word == nil or WORDS[word] == nil then
    fail(text, at, c == "" and "premature end of input" or "invalid token")
  end
  return WORDS[word], at + #word
end

local function decode_whole(text)
  local value, at = decode_value(text, skip(text, 1), 0)
  at = skip(text, at)
  if at <= #text then
    fail(text, at, "end of file expected")
  end
  return value
end

--- decode(text): returns the value, or nil and a message with line and column.
function json.decode(text)
  if type(text) ~= "string" and type(text) ~= "number" then
    error(("bad argument #1 to 'decode' (string expected, got %s)"):format(type(text)), 2)
  end
  local ok, value = pcall(decode_whole, tostring(text))
  if ok then
    return value
  elseif type(value) == "table" then
    return nil, value.message
  end
  error(value, 0)
end

return json
