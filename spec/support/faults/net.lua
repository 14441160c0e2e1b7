--- The matrix's rows of the network between the monitor, a master and its slaves (spec/support/faults.lua).
local network = require "spec.support.network"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local relay = require "spec.support.relay"

local BOTH_WAYS = { network.TO, network.FROM }
local SLOW_MS = 250 -- each way

local function cut(matches, verdict)
  return function(server)
    network.cut(server, matches, verdict)
  end
end

-- plusmoin sees each server through a relay, which passes on at once until `delay_ms` of it says else.
local function through_relays(settings)
  local master, slaves = pg.cluster(2)
  local cell = { id = 0, servers = {} }
  for i, server in ipairs { master, slaves[1], slaves[2] } do
    cell.servers[i] = relay.to(server, function() return cell.servers[i].delay_ms or 0 end)
  end
  cell.master, cell.slaves = cell.servers[1], { cell.servers[2], cell.servers[3] }
  cell.daemon = plusmoin.start { nodes = cell.servers, config = settings }
  return cell
end

return {
  { name = "network: drop", wide = true, cuts = true, strike = cut(BOTH_WAYS, "drop"), mend = network.restore,
    down = "hung" },
  { name = "network: reject (tcp reset)", cuts = true, strike = cut({ network.TO }, "reject with tcp reset"),
    mend = network.restore, down = "refused" },
  { name = "network: reject (icmp)", cuts = true,
    strike = cut({ network.TO }, "reject with icmpx type host-unreachable"), mend = network.restore,
    down = "unreachable" },
  { name = "network: 30 % of all packets lost", cuts = true, rounds = 12,
    settings = { query_timeout = 8, connect_timeout = 8, down_after = 5, max_sync_delay = 20 },
    strike = cut(BOTH_WAYS, "numgen random mod 100 < 30 drop"), mend = network.restore },
  { name = "network: 500 ms slower", rounds = 6, cell = through_relays,
    settings = { query_timeout = 4, connect_timeout = 5 },
    strike = function(node) node.delay_ms = SLOW_MS end, mend = function(node) node.delay_ms = 0 end },
}
