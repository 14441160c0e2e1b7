--- Replaces the standard functions by which users' code reads files and the environment, so that a script
-- host can be made again as it was. While a configuration is loaded, all that they read is kept with the
-- load. When its host is made again, they return what was kept and touch no disk (src/script/record.h). A
-- running trigger has the standard ones, except `require`, which keeps what it found until a reload.
local core = require "plusmoin.reads"
local libs = require "plusmoin.libs"
local luafile = require "plusmoin.config.luafile"

local reads = {}

local load, lines = load, io.lines
local loadfile, open = libs.note(loadfile), libs.note(io.open) -- noted, because a file may hang
local getenv, remove, rename, tmpname = os.getenv, os.remove, os.rename, os.tmpname
local loadlib, searchpath, searchers = package.loadlib, package.searchpath, package.searchers

local READING = { r = true, rb = true }
local WRITING = { w = true, a = true, ["r+"] = true, ["w+"] = true, ["a+"] = true }

local written = {} -- set of paths that the load has written itself
local temporary = 0 -- how many names os.tmpname has given to the load

local function is_path(value)
  return type(value) == "string" or type(value) == "number"
end

-- Changes the files `paths` by `deed()`, which returns true, or nil, why, and errno. It is done in the first load
-- only. When the host is made again (mode "give"), the outcome that was kept is returned and nothing is changed.
local function once(mode, name, paths, deed)
  if mode == "give" then
    local code, why = core.deed(name):match("^(%d+) (.*)$")
    if code then
      return nil, why, math.tointeger(tonumber(code))
    end
    return true
  end
  local ok, why, code = deed()
  core.keep_deed(name, ok and "" or ("%d %s"):format(code or 0, why))
  for _, path in ipairs(ok and paths or {}) do
    written[path] = true
  end
  return ok, why, code
end

local function open_to_read(mode, path, how)
  if written[path] then
    core.spoil(path .. " is written and read while the configuration is loaded")
    return open(path, how)
  end
  local text, why, code = core.text(path)
  if text then
    return core.file(text, how)
  elseif text == nil then
    return nil, why, code
  end
  return open(why == "directory" and mode == "give" and "/" or path, how)
end

local function open_to_write(mode, path, how)
  local text = how:find("^[ra]%+") and not written[path] and core.text(path) or ""
  local file
  local ok, why, code = once(mode, "open " .. how .. " " .. path, { path }, function()
    local err, number
    file, err, number = open(path, how)
    return file and true, err, number
  end)
  if not ok then
    return nil, why, code
  end
  return file or core.file(text, how)
end

--- Stands for io.open.
function reads.open(path, how)
  local mode, kind = core.mode(), tostring(how or "r")
  if not mode or not is_path(path) then
    return open(path, how)
  elseif READING[kind] then
    return open_to_read(mode, tostring(path), kind)
  elseif WRITING[kind:gsub("b$", "")] then
    return open_to_write(mode, tostring(path), kind)
  end
  return open(path, how) -- raises an error for a bad mode
end

--- Stands for io.lines with a path.
function reads.lines(path, ...)
  if not core.mode() or not is_path(path) then
    return lines(path, ...)
  end
  local file, why = reads.open(path)
  if not file then
    error(why, 2)
  end
  return file:lines(...), nil, nil, file
end

--- Stands for loadfile with a path; it refuses bytecode.
function reads.loadfile(path, ...)
  if not core.mode() or not is_path(path) or written[path] then
    return loadfile(path, "t", ...)
  end
  local text, why = core.text(tostring(path))
  if text == nil then
    return nil, "cannot open " .. why
  elseif not text then
    return loadfile(path, "t", ...)
  end
  return load(luafile.strip_head(text), "@" .. path, "t", ...)
end

--- Stands for os.getenv.
function reads.getenv(name)
  if core.mode() and is_path(name) then
    return core.variable(name)
  end
  return getenv(name)
end

--- Stands for os.remove.
function reads.remove(path)
  local mode = core.mode()
  if not mode or not is_path(path) then
    return remove(path)
  end
  path = tostring(path)
  return once(mode, "remove " .. path, { path }, function() return remove(path) end)
end

--- Stands for os.rename.
function reads.rename(from, to)
  local mode = core.mode()
  if not mode or not is_path(from) or not is_path(to) then
    return rename(from, to)
  end
  from, to = tostring(from), tostring(to)
  return once(mode, "rename " .. from .. " " .. to, { from, to }, function() return rename(from, to) end)
end

--- Stands for os.tmpname.
function reads.tmpname()
  local mode = core.mode()
  if not mode then
    return tmpname()
  end
  temporary = temporary + 1
  local key = "tmpname " .. temporary
  if mode == "give" then
    return core.deed(key)
  end
  local name = tmpname()
  core.keep_deed(key, name)
  written[name] = true
  return name
end

-- Returns the files in which `name` may be, by the templates of `path`.
local function places(name, path, separator, replacement)
  separator, replacement = separator or ".", replacement or "/"
  if separator ~= "" then
    name = name:gsub(separator:gsub("%p", "%%%0"), (replacement:gsub("%%", "%%%%")))
  end
  local list, word = {}, name:gsub("%%", "%%%%")
  for template in path:gmatch("[^;]+") do
    list[#list + 1] = template:gsub("%?", word)
  end
  return list
end

local function no_files(list)
  return #list > 0 and "no file '" .. table.concat(list, "'\n\tno file '") .. "'" or ""
end

--- Stands for package.searchpath.
function reads.searchpath(name, path, separator, replacement)
  if not core.mode() then
    return searchpath(name, path, separator, replacement)
  end
  local list = places(name, path, separator, replacement)
  for _, place in ipairs(list) do
    if core.there(place) then
      return place
    end
  end
  return nil, no_files(list)
end

-- Returns package.path or package.cpath. Raises an error where users have set it to something else than a string.
local function path_text(key)
  local path = package[key]
  if type(path) ~= "string" then
    error(("'package.%s' must be a string"):format(key), 0)
  end
  return path
end

-- Stands for package.searchers[2], which finds modules in Lua.
local function search_text(name)
  local list = places(name, path_text("path"))
  for _, place in ipairs(list) do
    local text, why = core.text(place)
    local chunk, wrong
    if text then
      chunk, wrong = load(luafile.strip_head(text), "@" .. place)
    elseif why == "big" then
      chunk, wrong = loadfile(place)
    end
    if chunk then
      return chunk, place
    elseif wrong then
      error(("error loading module '%s' from file '%s':\n\t%s"):format(name, place, wrong), 0)
    end
  end
  return no_files(list)
end

-- Returns the function that opens the module, as Lua names it; or nil, why, and "open" or "init".
local function open_function(place, name)
  local word = name:gsub("%.", "_")
  local before, after = word:match("^([^-]*)%-(.*)$")
  local found, why, what = loadlib(place, "luaopen_" .. (before or word))
  if not found and what == "init" and after then
    found, why, what = loadlib(place, "luaopen_" .. after)
  end
  if found then
    core.pin(place)
  end
  return found, why, what
end

-- Finds the module `name` in the library `root`. With `optional` it is no error that the library lacks it.
local function search_library(name, root, optional)
  local list = places(root, path_text("cpath"))
  for _, place in ipairs(list) do
    if core.there(place) then
      local found, why, what = open_function(place, name)
      if found then
        return found, place
      elseif optional and what == "init" then
        return ("no module '%s' in file '%s'"):format(name, place)
      end
      error(("error loading module '%s' from file '%s':\n\t%s"):format(name, place, why), 0)
    end
  end
  return no_files(list)
end

-- Stands for package.searchers[3], which finds libraries in C.
local function search_own_library(name)
  return search_library(name, name)
end

-- Stands for package.searchers[4], which finds libraries in C that hold several modules.
local function search_root_library(name)
  local root = name:match("^(.-)%.")
  if root then
    return search_library(name, root, true)
  end
end

--- Replaces the functions of `package`.
function reads.open_package()
  local own = { [2] = search_text, [3] = search_own_library, [4] = search_root_library }
  for index, search in pairs(own) do
    local standard = searchers[index]
    searchers[index] = function(name)
      return (core.is_kept() and search or standard)(name)
    end
  end
  package.searchpath = reads.searchpath
  package.loadlib = nil -- require opens the libraries that are installed
end

return reads
