--- Code that runs in a trigger, and what it says.
local cjson = require "cjson"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"

local said = {}

--- Starts a plusmoin on one master (options.master, else a new one) whose plusmoin_up runs
-- `body` (with `pm` and `event`); waits for what it returns: a list, and the daemon.
-- Options: as plusmoin.start; servers (in place of the master); args, which `body` has as `args` (numbers and strings).
function said.say(body, options)
  options = options or {}
  options.nodes = options.servers or { options.master or (pg.cluster(0)) }
  options.nowait = true
  options.config = options.config or {}
  options.config.trigger_timeout = options.config.trigger_timeout or 60
  local args = {}
  for key, value in pairs(options.args or {}) do
    args[#args + 1] = ("[%q] = %q"):format(key, value)
  end
  options.args = nil
  options.lua = ([[
local pm = require "plusmoin"
local args = { %s }
config.triggers.plusmoin_up = function(event)
  local function run() %s end
  pm.log.info("said %%s", pm.json.encode(pm.json.array { run() }))
end
]]):format(table.concat(args, ", "), body)
  local daemon = plusmoin.start(options)
  local words = proc.wait_for("the trigger's word", 60, function()
    return daemon:log():match(" said (%[[^\n]*%]) cluster=")
  end, function() return daemon:diagnose() end)
  return cjson.decode(words), daemon
end

return said
