--- Scans a JSON text whose comments are blanked: finds all that is wrong in it, and the
-- place of each value. cjson decodes the values afterwards. It alone would not do: it
-- accepts much that is not JSON (NaN, hexadecimal, leading zeros, duplicate keys) and
-- tells no lines.
--
-- Errors that leave the structure clear (a trailing comma, a bad number) are
-- noted, patched in the text by as many bytes, and the scan goes on, so that one
-- run reports them all; others end it.
local cjson = require "cjson"
local keypath = require "plusmoin.keypath"

local scan = {}

--- The deepest nesting of lists and objects; a configuration needs six levels.
scan.MAX_DEPTH = 64

local MAX_ERRORS = 100

local STOP = {} -- thrown to end a scan

-- The scan's state: text, at (next byte), depth, errors (list of {at, text}),
-- patches (list of {first, last, new}), and what doc holds, see scan.run.
local Scan = {}
Scan.__index = Scan

function Scan:note(at, wrong)
  self.errors[#self.errors + 1] = { at = at, text = wrong }
  if #self.errors >= MAX_ERRORS then
    error(STOP, 0)
  end
end

function Scan:fail(at, wrong)
  self:note(at, wrong)
  error(STOP, 0)
end

function Scan:patch(first, last, new)
  self.patches[#self.patches + 1] = { first = first, last = last, new = new }
end

function Scan:skip_blanks()
  self.at = self.text:find("[^ \t\r\n]", self.at) or #self.text + 1
end

function Scan:peek()
  return self.text:sub(self.at, self.at)
end

-- Returns what stands at the scan's place, in words for messages.
function Scan:here()
  if self.at > #self.text then
    return "the file ends too early"
  end
  local char = self.text:match(utf8.charpattern, self.at) or self:peek()
  return "unexpected " .. (char == '"' and "string" or keypath.quote(char))
end

-- Reports a bad number or word, and puts 0 in its place, so that the rest can be checked.
-- `bad` tells the checks that the error of this path is reported already.
function Scan:bad_value(first, last, path, wrong)
  local token = path:find("password$") and "the value" or keypath.quote(self.text:sub(first, last))
  self:note(first, token .. ": " .. wrong)
  self:patch(first, last, "0" .. (" "):rep(last - first))
  self.doc.bad[path] = true
end

local function check_surrogate(self, at, code)
  if code >= 0xdc00 and code <= 0xdfff then
    self:fail(at, "half of a surrogate pair; allowed: \\uD800-\\uDBFF followed by \\uDC00-\\uDFFF")
  end
  if code < 0xd800 or code > 0xdbff then
    return at + 6
  end
  local low = self.text:match("^\\u(%x%x%x%x)", at + 6)
  if not low or tonumber(low, 16) < 0xdc00 or tonumber(low, 16) > 0xdfff then
    self:fail(at, "half of a surrogate pair; allowed: \\uD800-\\uDBFF followed by \\uDC00-\\uDFFF")
  end
  return at + 12
end

local function skip_escape(self, at)
  local hex = self.text:match("^\\u(%x%x%x%x)", at)
  if hex then
    return check_surrogate(self, at, tonumber(hex, 16))
  end
  if not self.text:find('^\\["\\/bfnrt]', at) then
    self:fail(at, 'an escape that JSON does not know; allowed: \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX')
  end
  return at + 2
end

-- Reads a string and returns its value.
function Scan:string()
  local first, at = self.at, self.at + 1
  while true do
    at = self.text:find('[%c"\\]', at)
    local char = at and self.text:sub(at, at)
    if not char or char == "\n" or char == "\r" then
      self:fail(first, "a string that is not closed on its line; allowed: \\n for a line break")
    elseif char == '"' then
      break
    elseif char == "\\" then
      at = skip_escape(self, at)
    elseif char == "\127" then
      at = at + 1
    else
      self:note(at, "a control character inside a string; allowed: an escape such as \\t")
      at = at + 1
    end
  end
  self.at = at + 1
  return cjson.decode(self.text:sub(first, at))
end

local NOT_FINITE = "not a number that JSON knows; allowed: decimal numbers"

local function is_not_finite(token)
  token = token:lower():gsub("^[-+]", "")
  return token == "nan" or token == "inf" or token == "infinity"
end

-- Returns what is wrong with the text of a number; nil: nothing.
local function number_fault(token)
  if token:find("^[-+]?0[xX]") then
    return "hexadecimal; allowed: decimal numbers"
  elseif is_not_finite(token) then
    return NOT_FINITE
  elseif token:find("^-?0%d") then
    return "a number with leading zeros; allowed: decimal numbers without them"
  elseif token:find("^%+") then
    return "a number with a plus sign; allowed: decimal numbers without it"
  end
  local rest = token:gsub("^-?%d+", "", 1)
  rest = rest:gsub("^%.%d+", "", 1):gsub("^[eE][-+]?%d+", "", 1)
  if rest ~= "" or not token:find("^-?%d") then
    return "not a number; allowed: decimal numbers such as 60 or 0.5"
  end
  local value = tonumber(token)
  if not (value > -math.huge and value < math.huge) then
    return "a number that is too big; allowed: decimal numbers"
  end
  return nil
end

function Scan:number(path)
  local first, last = self.text:find("^[-+.%w]+", self.at)
  local token = self.text:sub(first, last)
  local fault = number_fault(token)
  self.at = last + 1
  if fault then
    self:bad_value(first, last, path, fault)
  elseif token:find("^-?%d+$") then
    self.doc.integers[path] = math.tointeger(tonumber(token))
  end
end

local WORDS = { ["true"] = true, ["false"] = true, ["null"] = true }
local MEANT = {
  none = "null", ["nil"] = "null", null = "null", ["true"] = "true", ["false"] = "false",
  yes = "true", no = "false", on = "true", off = "false",
}

function Scan:word(path)
  local first, last = self.text:find("^[%a_][%w_]*", self.at)
  local word = self.text:sub(first, last)
  self.at = last + 1
  if WORDS[word] then
    return
  end
  local fault = "a word without quotes; allowed: true, false, null, numbers, and strings in double quotes"
  local meant = MEANT[word:lower()]
  if meant then
    fault = "not JSON; allowed: " .. meant
  elseif is_not_finite(word) then
    fault = NOT_FINITE
  end
  self:bad_value(first, last, path, fault)
end

-- Steps over what follows an element. Returns true when another element follows, false at the closing character.
function Scan:more(close, what)
  self:skip_blanks()
  local char = self:peek()
  if char == close then
    self.at = self.at + 1
    return false
  elseif char ~= "," then
    self:fail(self.at, ("%s; allowed: a comma or the end of the %s, %s")
      :format(self:here(), what, keypath.quote(close)))
  end
  local comma = self.at
  self.at = comma + 1
  self:skip_blanks()
  if self:peek() == close then
    self:note(comma, "a trailing comma; allowed: no comma behind the last element")
    self:patch(comma, comma, " ")
    self.at = self.at + 1
    return false
  end
  return true
end

-- Steps over the opening character. Returns true when the closing one follows at once.
function Scan:open(path, kind, close)
  self.doc.kinds[path] = kind
  self.depth = self.depth + 1
  if self.depth > scan.MAX_DEPTH then
    self:fail(self.at, ("nested too deep; allowed: %d levels"):format(scan.MAX_DEPTH))
  end
  self.at = self.at + 1
  self:skip_blanks()
  if self:peek() == close then
    self.at = self.at + 1
    return true
  end
  return false
end

function Scan:list(path)
  local index = 0
  if not self:open(path, "array", "]") then
    repeat
      index = index + 1
      self:value(keypath.index(path, index))
    until not self:more("]", "list")
  end
  self.depth = self.depth - 1
end

-- Reads one `"key": value`.
function Scan:member(path, seen)
  self:skip_blanks()
  local first = self.at
  if self:peek() ~= '"' then
    self:fail(first, self:here() .. "; allowed: a key in double quotes")
  end
  local key = self:string()
  local own = keypath.key(path, key)
  if seen[key] then
    self:note(first, ("duplicate key: %s stands in line %d already; allowed: each key once")
      :format(own, self.line_of(seen[key])))
  end
  seen[key] = seen[key] or first
  self:skip_blanks()
  if self:peek() ~= ":" then
    self:fail(self.at, self:here() .. '; allowed: ":" behind a key')
  end
  self.at = self.at + 1
  self:skip_blanks()
  local is_string, start = self:peek() == '"', self.at
  self:value(own, first)
  if path == "" and is_string then
    self.doc.strings[key] = cjson.decode(self.text:sub(start, self.at - 1))
  end
end

function Scan:object(path)
  if not self:open(path, "object", "}") then
    local seen = {}
    repeat
      self:member(path, seen)
    until not self:more("}", "object")
  end
  self.depth = self.depth - 1
end

-- Reads any value. `at` is the offset of its key; nil: it has none.
function Scan:value(path, at)
  self:skip_blanks()
  self.doc.offsets[path] = self.doc.offsets[path] or at or self.at
  local char = self:peek()
  if char == "{" then
    self:object(path)
  elseif char == "[" then
    self:list(path)
  elseif char == '"' then
    self:string()
  elseif char:find("[-+.%d]") then
    self:number(path)
  elseif char:find("[%a_]") then
    self:word(path)
  elseif char == "'" then
    self:fail(self.at, self:here() .. "; allowed: strings in double quotes")
  elseif char == "#" then
    self:fail(self.at, self:here() .. "; allowed: comments as // or /* */")
  else
    self:fail(self.at, self:here() .. "; allowed: a value")
  end
end

function Scan:document()
  self:skip_blanks()
  self:value("")
  self:skip_blanks()
  if self.at <= #self.text then
    self:fail(self.at, self:here() .. " behind the end of the configuration; allowed: one object")
  end
  self.doc.complete = true
end

--- Scans `text`. `line_of(offset)` gives a line, for messages.
-- Returns doc, errors, patches. doc: `offsets` (key path -> byte), `kinds` (path
-- -> "array" or "object"), `integers` (path -> integer as written), `bad` (path
-- -> true where an error was noted), `strings` (top-level key -> value),
-- `complete` (the scan reached the end). errors: list of {at, text} by place;
-- patches: list of {first, last, new}. Raises nothing.
function scan.run(text, line_of)
  local doc = { offsets = {}, kinds = {}, integers = {}, bad = {}, strings = {}, complete = false }
  local self = setmetatable({
    text = text, at = 1, depth = 0, errors = {}, patches = {}, doc = doc, line_of = line_of,
  }, Scan)
  local ok, err = pcall(self.document, self)
  if not ok and err ~= STOP then
    self.errors[#self.errors + 1] = { at = math.min(self.at, #text), text = tostring(err) }
  end
  return doc, self.errors, self.patches
end

return scan
