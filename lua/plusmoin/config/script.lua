--- Loads Lua triggers that are files, `{"lua": FILE}`, and tells where a trigger's function begins.
--
-- A file is looked for beside the configuration, then among those that come with plusmoin
-- (env.trigger_dir). Each load runs it once for each entry, with the entry's settings as
-- its `...`, and it returns a function or {run = function, timeout = seconds}.
local checks = require "plusmoin.config.checks"
local disk = require "plusmoin.config.disk"
local keypath = require "plusmoin.keypath"
local luafile = require "plusmoin.config.luafile"
local modules = require "plusmoin.config.modules"
local settings = require "plusmoin.settings"

local script = {}

local getinfo = debug.getinfo

local MAX_BYTES = 1024 * 1024
local NOT_THERE = { [2] = true, [20] = true } -- ENOENT, ENOTDIR
local RESULT = "a function, or {run = function, timeout = seconds}"
local RESULT_KEYS = { "run", "timeout" }
local TIMEOUT = settings.find("triggers.X.timeout")

--- Returns where a function begins: "/etc/plusmoin/notify.lua:12".
function script.source(ctx, run)
  local info = getinfo(run, "S")
  if info.what == "C" then
    return "[C]"
  end
  local name = info.short_src
  if info.source:sub(1, 1) == "@" then
    name = disk.join(ctx.env.cwd or "", info.source:sub(2))
  end
  return ("%s:%d"):format(name, info.linedefined)
end

local function quote_path(path)
  return '"' .. keypath.escape(path) .. '"'
end

-- Finds and reads the file. Returns its path and its text; nil after an error.
local function find(ctx, path, file)
  local places, dir, tried = { disk.join(ctx.dir, file) }, ctx.env.trigger_dir, {}
  if dir and file:sub(1, 1) ~= "/" then
    places[2] = disk.join(dir, file)
  end
  for index, place in ipairs(places) do
    local text, wrong, code = disk.read(place, MAX_BYTES, ctx.env.foreign)
    if text then
      return place, text
    elseif not NOT_THERE[code] then
      ctx.report:error(path, quote_path(place) .. " " .. wrong)
      return nil
    end
    tried[index] = quote_path(place)
  end
  ctx.report:error(path, "no such file: tried " .. table.concat(tried, ", then "), "a Lua file that is there")
  return nil
end

-- Returns a deep copy of an entry's settings. Tables with metatables are not copied: they
-- may be objects of other code.
local function copy(value)
  local root, copies, waiting = {}, {}, { value }
  copies[value] = root
  while #waiting > 0 do
    local from = table.remove(waiting)
    for key, inner in next, from do
      if type(inner) == "table" and getmetatable(inner) == nil then
        if not copies[inner] then
          copies[inner] = {}
          waiting[#waiting + 1] = inner
        end
        inner = copies[inner]
      end
      copies[from][key] = inner
    end
  end
  return root
end

-- Returns the settings to run a file with; nil after an error.
local function read_settings(ctx, path, value)
  if value == nil then
    return {}
  end
  local is_plain = type(value) == "table" and getmetatable(value) == nil
  if not (ctx.lua and is_plain) and not checks.is_object(ctx, path, value) then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where a trigger's settings belong",
      ctx.lua and "a table" or "an object")
    return nil
  end
  return copy(value)
end

-- Whether a value inside `path` has a syntax error, so that it could not be read.
local function is_broken(ctx, path)
  for bad in pairs(ctx.report.bad) do
    if bad:sub(1, #path) == path then
      return true
    end
  end
  return false
end

-- Returns a context (checks.lua) for a value that the file `place` returned. Its errors are
-- reported at the entry's path, with the file's name in their text.
local function context_of(ctx, path, place)
  local report = {}
  function report.error(_, key, wrong, allowed)
    local what = key == "" and wrong or key .. ": " .. wrong
    ctx.report:error(path, ("%s: %s"):format(keypath.escape(place), what), allowed)
  end
  return { report = report, kinds = {}, lua = true, env = ctx.env, dir = ctx.dir }
end

local function report_strange(own, value)
  local strange = {}
  for key in next, value do
    if key ~= "run" and key ~= "timeout" then
      strange[#strange + 1] = key
    end
  end
  table.sort(strange)
  for _, key in ipairs(strange) do
    own.report:error(keypath.key("", key), checks.unknown(key, RESULT_KEYS))
  end
end

-- Returns the function and the timeout (nil: none) out of what a file returned; nil after
-- an error. `own` is the file's context.
local function read_result(own, value)
  if type(value) == "function" then
    return value
  elseif not checks.is_object(own, "", value) then
    own.report:error("", "returns " .. (value == nil and "nothing" or checks.describe(own, "", value)), RESULT)
    return nil
  end
  report_strange(own, value)
  local run, timeout = checks.get(value, "run"), checks.get(value, "timeout")
  if timeout ~= nil then
    timeout = checks.value(own, "timeout", timeout, TIMEOUT)
  end
  if type(run) ~= "function" then
    own.report:error("run", run == nil and "is missing" or checks.describe(own, "run", run) .. " is no function",
      "a function")
    return nil
  end
  return run, timeout
end

--- Reads the file of the entry at `path` and runs it. `file` and `given` are the
-- entry's `lua` and `settings`. Returns the trigger's function and the file's
-- timeout, nil if it has none; nil after an error, which is reported, and with
-- env.names_only, which runs no file.
function script.read(ctx, path, file, given)
  local lua_path, settings_path = keypath.key(path, "lua"), keypath.key(path, "settings")
  local is_name = checks.value(ctx, lua_path, file, settings.find("triggers.X.lua"))
  local own_settings = read_settings(ctx, settings_path, given)
  local place, text
  if is_name then
    place, text = find(ctx, lua_path, file)
  end
  if not place or not own_settings or is_broken(ctx, settings_path) or ctx.env.names_only then
    return nil
  end
  modules.add_directory(ctx, disk.directory(place, ctx.env.cwd))
  local ok, value = luafile.run(place, text, own_settings)
  if not ok then
    ctx.report:error(lua_path, value)
    return nil
  end
  return read_result(context_of(ctx, lua_path, place), value)
end

return script
