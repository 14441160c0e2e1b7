--- The API of triggers written in Lua: `local pm = require "plusmoin"`. lua/plusmoin/api.lua, the table of the API,
-- says what each function takes, does and returns, and whether it waits. The half in C is src/script/.
--
-- A function that waits lets other triggers run meanwhile; it cannot wait while a
-- configuration is being loaded, nor where Lua itself cannot (a callback of table.sort or
-- string.gsub, a metamethod called from C, a module's body). A function that fails in an
-- expected way returns nil and a message; misuse raises an error.
local core = require "plusmoin.core"
local exec = require "plusmoin.exec"
local http = require "plusmoin.http"
local json = require "plusmoin.jansson"
local query = require "plusmoin.query"
local request = require "plusmoin.request"
local store = require "plusmoin.store"

local pm = {
  cluster = core.cluster, clusters = core.clusters, exec = exec.run, http = http.http, now = core.now,
  query = query.query, request = request.request, sleep = core.sleep,
  json = { encode = json.encode, decode = json.decode, array = json.array, null = json.null },
}

local LEVELS = { error = 0, warning = 1, info = 2, debug = 3 }

local function logger(level)
  return function(format, ...)
    local text = tostring(format)
    if select("#", ...) > 0 then
      text = string.format(format, ...)
    end
    core.log(level, text)
  end
end

pm.log = {}
for name, level in pairs(LEVELS) do
  pm.log[name] = logger(level)
end

-- The shared table is in C: a read returns a copy, an assignment stores one.
pm.state = setmetatable({}, {
  __index = function(_, key)
    if type(key) == "string" then
      return store.get(key)
    end
  end,
  __newindex = function(_, key, value)
    store.set(key, value)
  end,
  __pairs = function()
    return function(_, key)
      return store.next(key)
    end
  end,
  __metatable = false,
})

return pm
