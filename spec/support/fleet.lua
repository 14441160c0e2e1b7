--- Many clusters on one server: a database each, an address of 127.0.0.0/8 each.
local pg = require "spec.support.pg"

local fleet = {}

--- A server with a database for each name, and the nodes {name =, host =, port =,
-- dbname =} of a configuration in which each of them is a cluster of its own.
function fleet.start(names)
  local server = pg.master { settings = { listen_addresses = "*", max_connections = 3 * #names + 20 } }
  local nodes = {}
  for i, name in ipairs(names) do
    server:sql(("CREATE DATABASE db%d OWNER plusmoin STRATEGY file_copy"):format(i))
    nodes[i] = { name = name, host = ("127.0.%d.%d"):format(1 + i // 250, 1 + i % 250), port = server.port,
      dbname = "db" .. i }
  end
  return server, nodes
end

return fleet
