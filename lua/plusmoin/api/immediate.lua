-- The rows of the API's functions and tables that do not wait (lua/plusmoin/api.lua says what a row has).
local FORMAT = {
  { name = "format", type = "any", doc = "The text; where more follows, a format of string.format." },
  { name = "...", type = "any", doc = "What goes into the format." },
}

local function logger(level, doc, example)
  return { name = "pm.log." .. level, kind = "function", params = FORMAT, returns = {}, doc = doc, example = example }
end

return {
  { name = "pm", kind = "table",
    doc = "pm holds the functions for triggers written in Lua; a file gets it by `local pm = require \"plusmoin\"`.",
    example = [[
local pm = require "plusmoin"
pm.log.info("plusmoin says hello")
]] },

  { name = "pm.log", kind = "table",
    doc = "pm.log holds the functions that write a line into plusmoin's log, with the trigger, its cluster and the "
      .. "event's "
      .. "id.",
    more = {
      "A run logs 500 lines a second at most. Further lines, and all lines while the log's queue is half full, are "
        .. "counted and left out. `log_level` says which lines are kept.",
    },
    example = [[
for _, level in ipairs { "error", "warning", "info", "debug" } do
  pm.log[level]("a line of level %s", level)
end
]] },

  logger("error", "pm.log.error writes a line that is kept with every `log_level`.", [[
pm.log.error("nobody answers at %s", "db1:5432")
]]),

  logger("warning", "pm.log.warning writes a line that is kept with `log_level` warning, info and debug.", [[
pm.log.warning("%d nodes are lost", #event.lost)
]]),

  logger("info", "pm.log.info writes a line that is kept with `log_level` info and debug; `print` does the same.", [[
pm.log.info("%s happened in cluster %d", event.name, event.cluster_id)
]]),

  logger("debug", "pm.log.debug writes a line that is kept with `log_level` debug.", [[
pm.log.debug(pm.json.encode(event))
]]),

  { name = "pm.cluster", kind = "function",
    params = { { name = "cluster_id", type = "integer", doc = "The cluster's number, as events have it." } },
    returns = { { name = "cluster", type = "Cluster", optional = true } },
    doc = "pm.cluster returns a cluster as plusmoin knows it now, or nil where there is none of that number.",
    example = [[
local cluster = pm.cluster(event.cluster_id)
if cluster and cluster.master then
  pm.log.info("%s has %d slaves", cluster.master.name, #cluster.slaves)
end
]] },

  { name = "pm.clusters", kind = "function",
    params = {},
    returns = { { name = "clusters", type = "Cluster[]" } },
    doc = "pm.clusters returns all clusters as plusmoin knows them now, a list in the order of their numbers.",
    example = [[
for _, cluster in ipairs(pm.clusters()) do
  pm.log.info("cluster %d lacks %d nodes", cluster.cluster_id, #cluster.lost)
end
]] },

  { name = "pm.state", kind = "table", type = "table<string, any>",
    doc = "pm.state is a table that all triggers share and that outlives runs and reloads: names are its keys, and its "
      .. "values are copies.",
    more = {
      "A value is a boolean, a number, a string, pm.json.null, or a table of these; 1 MiB in all. Assigning stores a "
        .. "deep "
        .. "copy and reading gives one: what is changed is kept when it is assigned again. A restart of plusmoin "
        .. "empties it.",
      "With several monitors it stands in etcd, where a run's changes are written with the run's end, and it outlives "
        .. "restarts: the next monitor that acts goes on with it. Only the one that acts can change it.",
    },
    example = [[
local seen = pm.state.seen or { count = 0 }
seen.count = seen.count + 1
pm.state.seen = seen
for name in pairs(pm.state) do
  pm.log.info("pm.state has %s", name)
end
]] },

  { name = "pm.json", kind = "table",
    doc = "pm.json holds what turns values into JSON and back.",
    more = {
      "Arrays stay arrays, also empty ones (pm.json.array), integers stay integers, and JSON's null is pm.json.null. "
        .. "A text has 16 MiB at most, and tables are nested 100 deep at most.",
    },
    example = [[
local value = { list = pm.json.array {}, n = 1, none = pm.json.null }
local text = pm.json.encode(value)
assert(text == '{"list":[],"n":1,"none":null}')
]] },

  { name = "pm.json.encode", kind = "function",
    params = { { name = "value", type = "any", doc = "A plain value, or a table of such." } },
    returns = { { name = "text", type = "string" } },
    doc = "pm.json.encode returns a value as JSON, with the keys in order; it raises an error for what JSON cannot "
      .. "say.",
    example = [[
local text = pm.json.encode { b = 1.5, a = { true, "x" } }
assert(text == '{"a":[true,"x"],"b":1.5}')
]] },

  { name = "pm.json.decode", kind = "function",
    params = { { name = "text", type = "string", doc = "JSON." } },
    returns = { { name = "value", type = "any" } },
    fails = "it is no JSON (the message has line and column)",
    doc = "pm.json.decode returns what a text in JSON says.",
    example = [[
local value = pm.json.decode('{"list": [1, 2], "none": null}')
assert(#value.list == 2 and value.none == pm.json.null)
local nothing, why = pm.json.decode("[1,")
assert(nothing == nil and why:find("line 1"))
]] },

  { name = "pm.json.array", kind = "function",
    params = { { name = "list", type = "table", optional = true, doc = "A list; without it a new, empty one is "
      .. "made." } },
    returns = { { name = "list", type = "table" } },
    doc = "pm.json.array marks a table as a list, so that it is `[]` in JSON when it is empty, and returns it.",
    example = [[
local names = pm.json.array()
for _, node in ipairs(event.lost) do
  names[#names + 1] = node.name
end
pm.log.info("lost: %s", pm.json.encode(names))
]] },

  { name = "pm.json.null", kind = "value", type = "lightuserdata",
    doc = "pm.json.null stands for JSON's null, which nil in a table could not, and for NULL among the `params` of "
      .. "pm.query.",
    example = [[
assert(pm.json.encode { pm.json.null, 1 } == "[null,1]")
]] },

  { name = "pm.now", kind = "function",
    params = {},
    returns = { { name = "seconds", type = "number" } },
    doc = "pm.now returns the time in seconds since the epoch, with fractions.",
    example = [[
pm.log.info("the event happened %.1f s ago", pm.now() - event.time)
]] },
}
