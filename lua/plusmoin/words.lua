--- Splits a command line into words, as a shell does. It expands nothing, and no
-- shell reads the line (contract, "triggers.X").
--
-- Outside quotes a backslash takes the next character as it is; in single
-- quotes nothing is special; in double quotes a backslash is special before
-- $ ` " \ and a line break only. Blanks are space, tab and line breaks.
local words = {}

local DOUBLE_ESCAPES = { ["$"] = true, ["`"] = true, ['"'] = true, ["\\"] = true, ["\n"] = true }

-- Each reader gets the text and the place behind the opening character. It returns
-- the piece that is meant and where to go on; or nil and what is wrong.
local function read_single(text, at)
  local stop = text:find("'", at, true)
  if not stop then
    return nil, "a single quote (') that is never closed"
  end
  return text:sub(at, stop - 1), stop + 1
end

local function read_double(text, at)
  local out = {}
  while true do
    local stop = text:find('["\\]', at)
    if not stop then
      return nil, 'a double quote (") that is never closed'
    end
    out[#out + 1] = text:sub(at, stop - 1)
    if text:sub(stop, stop) == '"' then
      return table.concat(out), stop + 1
    end
    local escaped = text:sub(stop + 1, stop + 1)
    if not DOUBLE_ESCAPES[escaped] then
      out[#out + 1] = "\\" .. escaped
    elseif escaped ~= "\n" then
      out[#out + 1] = escaped
    end
    at = stop + 2
  end
end

local function read_escape(text, at)
  if at > #text then
    return nil, "a backslash at the end with nothing behind it"
  end
  local escaped = text:sub(at, at)
  return escaped == "\n" and "" or escaped, at + 1
end

local READERS = { ["'"] = read_single, ['"'] = read_double, ["\\"] = read_escape }

-- Calls on_plain(piece) for text outside quotes, on_quoted(piece) for quoted and
-- escaped text, on_blank() for blanks. Returns true, or nil and what is wrong.
local function walk(text, on_plain, on_quoted, on_blank)
  local at = 1
  while at <= #text do
    local char = text:sub(at, at)
    local reader = READERS[char]
    if reader then
      local piece, next_at = reader(text, at + 1)
      if not piece then
        return nil, next_at
      end
      -- A backslash before a line break gives nothing, so it must not begin a word.
      if piece ~= "" or char ~= "\\" then
        on_quoted(piece)
      end
      at = next_at
    elseif char:find("[ \t\r\n]") then
      on_blank()
      at = at + 1
    else
      local stop = text:find("[ \t\r\n'\"\\]", at) or #text + 1
      on_plain(text:sub(at, stop - 1))
      at = stop
    end
  end
  return true
end

--- Returns the words of a command line, a list whose first string is not empty; or
-- nil and what is wrong, in words.
function words.split(text)
  local list, word = {}, nil
  local function add(piece)
    word = (word or "") .. piece
  end
  local function finish()
    list[#list + 1] = word
    word = nil
  end
  local ok, wrong = walk(text, add, add, finish)
  if not ok then
    return nil, wrong
  end
  finish()
  if #list == 0 then
    return nil, "an empty command"
  end
  if list[1] == "" then
    return nil, "an empty program name"
  end
  return list
end

--- Returns the first part of a command line that only a shell would understand (a
-- pipe, a redirection, a variable), outside quotes; nil: there is none. The loader
-- warns of it, because the program gets it as it stands.
function words.shell_syntax(text)
  local found
  local function look(piece)
    found = found or piece:match("[|&;<>`]") or piece:match("%$[%a_{(][%w_]*")
  end
  local function nothing() end
  return walk(text, look, nothing, nothing) and found or nil
end

return words
