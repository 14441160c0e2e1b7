--- The farm that plusmoin and the floor are measured on: stand-ins on the machine's last core, in clusters of ten, each
-- a master and nine slaves. It looks for work before it sleeps: a sleeping core costs the process that wakes it.
local standin = require "spec.support.standin"

local farm = { CLUSTER = 10, ADDRESS = "127.40.0.1" }

local Farm = {}
Farm.__index = Farm

local SPIN_MS = "20"

--- A farm of `count` nodes that nobody has written to. `core`: where it runs; nil: anywhere.
function farm.start(count, core)
  local self = setmetatable({ count = count }, Farm)
  local under = core and { "taskset", "-c", tostring(core) } or {}
  self.stand = standin.start { under = under, args = { "--spin", SPIN_MS } }
  self.nodes = count > 0 and self.stand:clusters("n", count // farm.CLUSTER, farm.CLUSTER, farm.ADDRESS) or {}
  return self
end

--- Each master has a row of another monitor, which calls it by a name that is in no configuration.
function Farm:write_foreign_rows()
  self.stand:play "* row theirs-"
end

--- What all servers count together (tests/standin/README.md).
function Farm:total()
  return self.stand:total "*"
end

--- How long the bursts of traffic lasted since this was last called: { farm =, clusters = }, each { count =, min =,
-- median =, max = } in microseconds.
function Farm:bursts()
  local bursts = {}
  for of, count, least, median, most in self.stand:play("rounds"):gmatch("(%a+) (%d+) (%d+) (%d+) (%d+)") do
    bursts[of] = { count = tonumber(count), min = tonumber(least), median = tonumber(median), max = tonumber(most) }
  end
  return bursts
end

function Farm.stop()
  standin.stop_all()
end

return farm
