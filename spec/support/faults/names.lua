--- The matrix's rows of servers that are configured by name (spec/support/faults.lua): the name moves, or is gone, or
-- its name server is.
local names = require "spec.support.names"

local ANOTHER = "127.0.0.2" -- the servers listen there, too

local function by_name(row)
  row.named = true
  row.cell = function(settings) return names.fleet { config = settings } end
  return row
end

local function move(address)
  return function(node, cell)
    cell.names:set { [node.host] = { address } }
  end
end

local back = move("127.0.0.1")

-- The name server's end, and then the server's: it is found over the address that was the last good one.
local function then_killed(way)
  return by_name { name = ("name server %s, then kill -9 of all"):format(way == "kill" and "dead" or "frozen"),
    strike = function(node, cell)
      cell.names[way](cell.names)
      node.server:kill9()
    end, mend = function(node) node.server:start() end, down = true }
end

return {
  by_name { name = "name moved to where nobody listens", strike = move(names.NOBODY), mend = back,
    down = "no_new_connections" },
  by_name { name = "name moved to another address of the server", rounds = 4, strike = move(ANOTHER), mend = back },
  by_name { name = "name gone from the name server", rounds = 4, strike = function(node, cell)
    cell.names:set { [node.host] = {} }
  end, mend = back },
  by_name { name = "name server frozen", whole = true, rounds = 4, strike = function(_, cell) cell.names:freeze() end,
    mend = function(_, cell) cell.names:thaw() end },
  by_name { name = "name server dead", whole = true, rounds = 4, strike = function(_, cell) cell.names:kill() end },
  then_killed("freeze"),
  then_killed("kill"),
}
