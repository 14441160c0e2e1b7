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

-- plusmoin sees each server through a relay, which passes on at once until `cell.delay_ms` says else.
local function through_relays(settings)
  local master, slaves = pg.cluster(2)
  local cell = { id = 0, delay_ms = 0, servers = {}, slaves = {} }
  for i, server in ipairs { master, slaves[1], slaves[2] } do
    cell.servers[i] = relay.to(server, function() return cell.delay_ms end)
    cell.slaves[i - 1] = cell.servers[i]
  end
  cell.master, cell.slaves[0] = cell.servers[1], nil
  cell.daemon = plusmoin.start { nodes = cell.servers, config = settings }
  return cell
end

local function both_late(cell)
  local list = {}
  for i, slave in ipairs(cell.slaves) do
    list[i] = { "slave_down", slave, cluster = cell.id, rule = "S2", reason = "lag" }
  end
  return list
end

local function both_back(cell)
  local list = { seconds = 30 }
  for i, slave in ipairs(cell.slaves) do
    list[i] = { "slave_up", slave, cluster = cell.id, rule = "L4" }
  end
  return list
end

return {
  { name = "network: drop", wide = true, cuts = true, strike = cut(BOTH_WAYS, "drop"), mend = network.restore,
    down = "hung" },
  { name = "network: reject (tcp reset)", cuts = true, strike = cut({ network.TO }, "reject with tcp reset"),
    mend = network.restore, down = "refused" },
  { name = "network: reject (icmp)", cuts = true,
    strike = cut({ network.TO }, "reject with icmpx type host-unreachable"), mend = network.restore,
    down = "unreachable" },
  { name = "network: monitor cut from the node", cuts = true,
    strike = cut({ network.TO_MONITORED, network.FROM_MONITORED }, "drop"), mend = network.restore, down = "hung" },
  { name = "network: what goes to the node is lost", cuts = true, strike = cut({ network.TO }, "drop"),
    mend = network.restore, down = "hung" },
  { name = "network: what comes from the node is lost", cuts = true, strike = cut({ network.FROM }, "drop"),
    mend = network.restore, down = "hung" },
  { name = "network: master cut from its slaves", cuts = true, whole = true,
    settings = { max_sync_delay = 1.5, recover_sync_delay = 1.5 },
    strike = cut({ network.TO_STREAMED, network.FROM_STREAMED }, "drop"), mend = network.restore,
    events = both_late, back = both_back },
  { name = "network: 30 % of all packets lost", cuts = true, rounds = 12,
    settings = { query_timeout = 5, connect_timeout = 5, down_after = 3, max_sync_delay = 10 },
    strike = cut(BOTH_WAYS, "numgen random mod 100 < 30 drop"), mend = network.restore },
  { name = "network: all of it 500 ms slower", whole = true, rounds = 6, cell = through_relays,
    settings = { query_timeout = 4, connect_timeout = 5 },
    strike = function(_, cell) cell.delay_ms = SLOW_MS end, mend = function(_, cell) cell.delay_ms = 0 end },
}
