--- Runs a configuration or a trigger's file that is written in Lua, and makes one line of
-- an error that it raises.
local keypath = require "plusmoin.keypath"

local luafile = {}

local MAX_MESSAGE = 2000 -- bytes of an error's text; the rest is cut

-- Completes `tail`, the end of a path that Lua has cut, where its beginning overlaps with
-- the end of `path`'s directory. Returns the whole path, or nil.
local function complete(tail, path)
  local dir = path:match("^.*/") or ""
  for length = math.min(#tail, #dir), 1, -1 do
    if tail:sub(1, length) == dir:sub(-length) then
      return dir .. tail:sub(length + 1)
    end
  end
  return nil
end

-- Puts the whole path into a message where Lua has cut a long one.
local function whole_name(message, path)
  local tail, rest = message:match("^%.%.%.([^:]+)(:.*)$")
  if not tail then
    return message
  elseif path:sub(-#tail) == tail then
    return path .. rest
  end
  local whole = complete(tail, path)
  return whole and whole .. rest or message
end

-- Joins the lines of a message, and escapes what a terminal would act on.
local function one_line(message)
  if #message > MAX_MESSAGE then
    message = message:sub(1, MAX_MESSAGE) .. "..."
  end
  return keypath.escape((message:gsub("%s*[\r\n]%s*", " ")))
end

--- Returns an error that the file `path` raised as one line. Lua's own message begins with
-- file and line; where it names another file, or none, `path` is put before it.
function luafile.error_line(err, path)
  if type(err) ~= "string" then
    return ("%s: raised %s instead of a message"):format(path, type(err))
  end
  local message = one_line(whole_name(err, path))
  if message:sub(1, #path + 1) == path .. ":" then
    return message
  end
  return path .. ": " .. message
end

--- Returns a Lua file's text as load() needs it: without a byte order mark, and without the text of a
-- first line that begins with #, which Lua's own loader skips as well.
function luafile.strip_head(text)
  if text:sub(1, 3) == "\xEF\xBB\xBF" then
    text = text:sub(4)
  end
  return (text:gsub("^#[^\n]*", "", 1))
end

--- Runs `text`, the content of `path`, with the further arguments as its `...`.
-- Returns true and the first value that it returns; or false and a complete error line.
-- Bytecode is refused.
function luafile.run(path, text, ...)
  local chunk, err = load(luafile.strip_head(text), "@" .. path, "t")
  if not chunk then
    return false, luafile.error_line(err, path)
  end
  local ok, value = pcall(chunk, ...)
  if not ok then
    return false, luafile.error_line(value, path)
  end
  return true, value
end

return luafile
