--- Runs files that are written in Lua, a configuration or a trigger's, and puts
-- what goes wrong in them into one line.
local keypath = require "plusmoin.keypath"

local luafile = {}

local MAX_MESSAGE = 2000 -- bytes of an error's text worth showing

-- The directory of `path` holds the beginning of `tail`, the end of a path that
-- Lua has cut: the whole path, or nil.
local function complete(tail, path)
  local dir = path:match("^.*/") or ""
  for length = math.min(#tail, #dir), 1, -1 do
    if tail:sub(1, length) == dir:sub(-length) then
      return dir .. tail:sub(length + 1)
    end
  end
  return nil
end

-- Lua cuts long chunk names in messages; people need the whole one.
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

-- Many lines in one, without what a terminal would act on.
local function one_line(message)
  if #message > MAX_MESSAGE then
    message = message:sub(1, MAX_MESSAGE) .. "..."
  end
  return keypath.escape((message:gsub("%s*[\r\n]%s*", " ")))
end

--- What was raised in the file `path`, as one line: Lua's own file:line, with
-- `path` put before it where it speaks of another file, or of none.
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

--- A Lua file's text as load() takes it: a first line that begins with # is for the system, as in
-- Lua's own loader.
function luafile.strip_head(text)
  if text:sub(1, 3) == "\xEF\xBB\xBF" then
    text = text:sub(4)
  end
  return (text:gsub("^#[^\n]*", "", 1))
end

--- Runs `text`, the content of `path`, with the further arguments as its `...`.
-- Returns true and the first value it returns; or false and a complete error line.
-- Text only: bytecode is refused.
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
