--- Runs a configuration that is written in Lua.
local luafile = {}

-- Modules beside the configuration are found first; what lies in the working
-- directory is never looked at.
local function set_package_path(dir)
  local kept = {}
  local front = {}
  if dir ~= "" and dir ~= "." then
    local base = dir == "/" and "/" or dir .. "/"
    front = { base .. "?.lua", base .. "?/init.lua" }
  end
  local skip = { ["./?.lua"] = true, ["./?/init.lua"] = true }
  for _, template in ipairs(front) do
    kept[#kept + 1], skip[template] = template, true
  end
  for template in package.path:gmatch("[^;]+") do
    if not skip[template] then
      kept[#kept + 1] = template
    end
  end
  package.path = table.concat(kept, ";")
end

-- Lua cuts long chunk names in messages; people need the whole one.
local function whole_name(message, path)
  local tail, rest = message:match("^%.%.%.([^:]+)(:.*)$")
  if tail and path:sub(-#tail) == tail then
    return path .. rest
  end
  return message
end

-- An error's line: Lua's own file:line, with the file put before it where it
-- speaks of another one, or of none.
local function error_line(err, path)
  if type(err) ~= "string" then
    return ("%s: raised %s instead of a message"):format(path, type(err))
  end
  local message = whole_name(err, path)
  if message:sub(1, #path + 1) == path .. ":" then
    return message
  end
  return path .. ": " .. message
end

-- A first line that begins with # is for the system, as in Lua's own loader.
local function strip_head(text)
  if text:sub(1, 3) == "\xEF\xBB\xBF" then
    text = text:sub(4)
  end
  return (text:gsub("^#[^\n]*", "", 1))
end

--- Runs `text`, the content of `path`, and returns the table it returns; or nil
-- and a complete error line. Sets package.path for good (what it requires later
-- is found as well): a load has a Lua state of its own.
function luafile.run(path, text, dir)
  local chunk, err = load(strip_head(text), "@" .. path, "t")
  if not chunk then
    return nil, error_line(err, path)
  end
  set_package_path(dir)
  local ok, value = pcall(chunk)
  if not ok then
    return nil, error_line(value, path)
  elseif type(value) ~= "table" then
    return nil, ("%s: returns %s; allowed: one table, as in `return { dbname = ... }`"):format(path,
      value == nil and "nothing" or "a " .. type(value))
  end
  return value
end

return luafile
