--- What triggers written in Lua have at hand: `local pm = require "plusmoin"`.
--
-- Each function says whether it waits. A function that waits lets other triggers
-- run meanwhile; it cannot wait while a configuration is being loaded, nor where
-- Lua itself cannot (a callback of table.sort or string.gsub, a metamethod called
-- from C, a module's body). What fails in the ordinary way returns nil and a
-- message; misuse raises an error. The C half is src/script/.
local core = require "plusmoin.core"
local exec = require "plusmoin.exec"
local http = require "plusmoin.http"
local json = require "plusmoin.jansson"
local query = require "plusmoin.query"
local request = require "plusmoin.request"
local store = require "plusmoin.store"

local pm = {}

--- Waits. Stops the trigger for `seconds` (0 to 86,400, fractional).
pm.sleep = core.sleep

--- Does not wait. Seconds since the epoch, fractional.
pm.now = core.now

--- Does not wait. A cluster as it is known now: {cluster_id, master, slaves, lost,
-- clusterless} with node tables as in events, new ones; nil if there is none of
-- that id.
pm.cluster = core.cluster

--- Does not wait. All clusters, a list of what pm.cluster gives.
pm.clusters = core.clusters

--- Waits. Runs a program, without a shell, in a process group of its own:
-- pm.exec{"program", "argument", ..., timeout = s, stdin = text, env = {NAME = "value" or
-- false}, cwd = dir}. Returns {code or signal, stdout, stderr, timed_out, truncated};
-- nil and a message when it cannot be started. The first MiB each of stdout and
-- stderr is kept. Past its timeout the group gets TERM, 5 s later KILL.
pm.exec = exec.run

--- Waits. An HTTP request: pm.http{url =, method =, headers =, body =, timeout = s, cafile =,
-- verify = true, redirects = 0} -> {status, headers, body}, or nil and a message. See
-- lua/plusmoin/http.lua.
pm.http = http.http

--- Waits. One exchange with a program that listens on a socket, sent and taken as it
-- is: pm.request{to = "/socket" or "host:port", data =, timeout = s} -> text, or nil and
-- a message. See lua/plusmoin/request.lua.
pm.request = request.request

--- Waits. SQL: pm.query(target, sql, params, {timeout = s, dbname =, user =, password =,
-- connection =, admin =}). See lua/plusmoin/query.lua.
pm.query = query.query

--- Do not wait. JSON: encode(value) -> text, decode(text) -> value or nil, message.
-- Arrays stay arrays, array(t) marks a table as one (for an empty list), null is
-- pm.json.null, integers stay integers.
pm.json = { encode = json.encode, decode = json.decode, array = json.array, null = json.null }

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

--- Do not wait. pm.log.info(format, ...): one line in plusmoin's log, with the
-- trigger, its cluster and event id; as string.format where there are arguments.
-- error, warning, info, debug. Beyond 500 lines a second of one run, and when the
-- log's queue is half full, lines are counted and left out.
pm.log = {}
for name, level in pairs(LEVELS) do
  pm.log[name] = logger(level)
end

--- Does not wait. A table that outlives runs and reloads, shared by all triggers:
-- names as keys, plain values (booleans, numbers, strings, tables of these) as
-- values. Assigning stores a deep copy, reading gives one; 1 MiB in all.
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
