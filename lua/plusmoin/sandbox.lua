--- Prepares a script host's Lua state for users' code: takes away or replaces what it
-- must not have (shared notes on Lua, "What must not be in a trigger's hands").
--
-- Users' code reaches the globals, the standard tables and plusmoin's own through guards,
-- proxy tables that raise an error when a running trigger writes to them. A configuration
-- that is being loaded may write.
local core = require "plusmoin.core"
local coroutines = require "plusmoin.coroutines"
local files = require "plusmoin.sandbox.files"
local libs = require "plusmoin.libs"
local reads = require "plusmoin.sandbox.reads"

local sandbox = {}

local raw_get, raw_set, raw_next = rawget, rawset, next
local globals = _G
local guarded = setmetatable({}, { __mode = "k" }) -- guard -> what it guards

-- Returns a guard of the table `real`. `name` begins the key's name in its error; `index`,
-- if given, is its __index in place of `real`.
local function guard(real, name, index)
  local proxy = {}
  guarded[proxy] = real
  return setmetatable(proxy, {
    __index = index or real,
    __newindex = function(_, key, value)
      if core.in_trigger() then
        error(("a trigger writes %s%s: what a trigger keeps is local, an upvalue, or in pm.state")
          :format(name, tostring(key)), 2)
      end
      raw_set(real, key, value)
    end,
    __pairs = function()
      return raw_next, real, nil
    end,
    __metatable = false,
  })
end

local function refuse(what)
  return function()
    error(what, 2)
  end
end

-- Makes the loaders refuse bytecode, which could do anything.
local function close_loaders()
  local load = load
  function globals.load(chunk, name, mode, ...)
    if mode ~= nil and mode ~= "t" and mode ~= "bt" then
      error("load: binary chunks are not for triggers", 2)
    end
    return load(chunk, name, "t", ...)
  end
  function globals.loadfile(path, mode, ...)
    if path == nil then
      error("loadfile: there is no stdin to load from", 2)
    elseif mode ~= nil and mode ~= "t" and mode ~= "bt" then
      error("loadfile: binary chunks are not for triggers", 2)
    end
    return reads.loadfile(path, ...)
  end
  function globals.dofile(path)
    return assert(globals.loadfile(path))()
  end
end

local function close_os()
  os.exit = refuse("os.exit is not for triggers: return, or raise an error")
  os.setlocale = refuse("os.setlocale is not for triggers: it would change the whole daemon")
  os.execute = files.execute
  os.getenv, os.remove, os.rename, os.tmpname = reads.getenv, reads.remove, reads.rename, reads.tmpname
end

local function close_io()
  local methods = getmetatable(io.stdout).__index
  for _, name in ipairs { "read", "write", "seek", "flush", "close" } do
    methods[name] = libs.note(methods[name]) -- noted, because a file may hang
  end
  libs.protect("FILE*")
  local console = files.console()
  io.stdin, io.stdout, io.stderr = files.no_input(), console, console
  io.read = refuse("io.read: a trigger has no stdin")
  io.input = refuse("io.input: a trigger has no stdin; use io.open")
  io.output = refuse("io.output: use io.open; io.write goes to the log")
  io.write = function(...)
    return console:write(...)
  end
  io.lines = function(path, ...)
    if path == nil then
      error("io.lines: a trigger has no stdin", 2)
    end
    return reads.lines(path, ...)
  end
  io.popen = files.popen
  io.open = reads.open
end

-- Leaves two functions of debug: the others reach into other frames, the registry or the hooks.
local function close_debug()
  local kept = { traceback = debug.traceback, getinfo = debug.getinfo }
  for name in pairs(debug) do
    debug[name] = kept[name]
  end
end

local function close_basics()
  globals.xpcall = coroutines.xpcall
  globals.setmetatable = coroutines.setmetatable
  coroutine.resume, coroutine.wrap, coroutine.close = coroutines.resume, coroutines.wrap, coroutines.close
  for _, name in ipairs { "find", "match", "gsub", "rep" } do
    string[name] = libs.note(string[name])
  end
  local collect = collectgarbage
  function globals.collectgarbage(what, ...)
    if what ~= nil and what ~= "collect" and what ~= "count" and what ~= "step" then
      error('collectgarbage: "collect", "step" and "count" are what triggers have', 2)
    end
    return collect(what, ...)
  end
  function globals.rawset(t, key, value)
    if guarded[t] then
      t[key] = value -- the guard raises an error in a running trigger
      return t
    end
    return raw_set(t, key, value)
  end
  function globals.rawget(t, key)
    return raw_get(guarded[t] or t, key)
  end
end

local function to_text(...)
  local words = table.pack(...)
  for i = 1, words.n do
    words[i] = tostring(words[i])
  end
  return table.concat(words, "\t")
end

local function open_log()
  function globals.print(...)
    core.log(2, to_text(...))
  end
  function globals.warn(...)
    core.log(1, table.concat { ... })
  end
end

-- Returns the guard of `package`, and the real package.loaded. require and the searchers go on to use the real tables.
local function guard_package()
  reads.open_package()
  local real, loaded = package, package.loaded
  local searchers = guard(real.searchers, "package.searchers.")
  real.loaded = guard(loaded, "package.loaded.")
  real.preload = guard(real.preload, "package.preload.")
  return guard(real, "package.", function(_, key)
    return key == "searchers" and searchers or real[key]
  end), loaded
end

local STANDARD = { "string", "table", "math", "os", "io", "utf8", "coroutine", "debug" }
local OWN = { "plusmoin.core", "plusmoin.exec", "plusmoin.query.core", "plusmoin.request.core",
  "plusmoin.http.core", "plusmoin.jansson", "plusmoin.store", "plusmoin.coroutines", "plusmoin.libs",
  "plusmoin.reads" }

-- Guards pm, pm.log and pm.json, and hides the modules under them from users' code.
local function guard_own(loaded)
  local pm = require "plusmoin"
  pm.log = guard(pm.log, "pm.log.")
  pm.json = guard(pm.json, "pm.json.")
  loaded.plusmoin = guard(pm, "pm.")
  for _, name in ipairs(OWN) do
    loaded[name] = nil
    package.preload[name] = nil
  end
end

--- Prepares the Lua state. The script host calls it once, before any code of users runs.
function sandbox.close()
  close_loaders()
  close_os()
  close_io()
  close_debug()
  close_basics()
  open_log()
  local see_package, loaded = guard_package()
  guard_own(loaded)
  for _, name in ipairs(STANDARD) do
    local see = guard(globals[name], name .. ".")
    globals[name], loaded[name] = see, see
  end
  globals.package, loaded.package = see_package, see_package
  getmetatable("").__metatable = false
  local see = guard(globals, "the global ")
  globals._G, loaded._G = see, see
  libs.set_globals(see)
end

return sandbox
