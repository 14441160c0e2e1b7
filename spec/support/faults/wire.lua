--- The matrix's rows of a network with a router between the monitor, a master and its slaves, each a host of its own
-- (spec/support/wire.lua): a packet is dropped or refused on its way, in one direction or in both.
local ANYBODY = "0.0.0.0/0"
local ICMP, RESET = "reject with icmp type host-unreachable", "reject with tcp reset"
local SOON_LATE = { max_sync_delay = 1.5, recover_sync_delay = 1.5 }

local function restore(_, cell)
  cell.wire:restore()
end

-- What goes from the monitor to the node, or back, or both, meets `verdict`.
local function at_node(verdict, there, back)
  return function(server, cell)
    if there then
      cell.wire:cut(cell.wire.monitor, server.host, verdict)
    end
    if back then
      cell.wire:cut(server.host, cell.wire.monitor, verdict)
    end
  end
end

-- What goes from the master to its slaves, or back, or both, meets `verdict`.
local function between(verdict, there, back)
  return function(_, cell)
    for _, slave in ipairs(cell.slaves) do
      if there then
        cell.wire:cut(cell.master.host, slave.host, verdict)
      end
      if back then
        cell.wire:cut(slave.host, cell.master.host, verdict)
      end
    end
  end
end

-- This machine's own routes refuse the way to the node.
local function refuse_route(kind)
  return function(server, cell)
    cell.wire:refuse_route(server.host, kind)
  end
end

local function both(event, rule, reason)
  return function(cell)
    local list = { seconds = 30 }
    for i, slave in ipairs(cell.slaves) do
      list[i] = { event, slave, cluster = cell.id, rule = rule, reason = reason }
    end
    return list
  end
end

local function node(name, strike, reason, settings)
  return { name = "wire: " .. name, wire = true, settings = settings, strike = strike, mend = restore, down = reason,
    rude = "its sessions broke" }
end

local function streams(name, strike)
  return { name = "wire: " .. name, wire = true, whole = true, settings = SOON_LATE, strike = strike, mend = restore,
    events = both("slave_down", "S2", "lag"), back = both("slave_up", "L4") }
end

return {
  node("monitor and node, drop", at_node("drop", true, true), "hung"),
  node("from the monitor to the node, drop", at_node("drop", true, false), "hung"),
  node("from the node to the monitor, drop", at_node("drop", false, true), "hung"),
  node("from the monitor to the node, reject (tcp reset)", at_node(RESET, true, false), "refused"),
  node("from the node to the monitor, reject (tcp reset)", at_node(RESET, false, true), true),
  node("from the monitor to the node, reject (icmp)", at_node(ICMP, true, false), "unreachable",
    -- a fresh one, made after half of that, has time to hear so on a busy machine; one under way hears nothing
    { query_timeout = 1, fresh_connect_interval = 60 }),
  node("from the node to the monitor, reject (icmp)", at_node(ICMP, false, true), true),
  node("the node and everybody, drop", function(server, cell)
    cell.wire:cut(ANYBODY, server.host, "drop")
    cell.wire:cut(server.host, ANYBODY, "drop")
  end, "hung"),
  node("no route at the monitor (prohibit)", refuse_route("prohibit"), "unreachable",
    { query_timeout = 1, fresh_connect_interval = 60 }),
  node("no route at the monitor (blackhole)", refuse_route("blackhole"), "unreachable",
    { query_timeout = 1, fresh_connect_interval = 60 }),
  node("the node's cable is out", function(server, cell) cell.wire:unplug(server.at) end, true),
  streams("master and its slaves, drop", between("drop", true, true)),
  streams("from the master to its slaves, drop", between("drop", true, false)),
  streams("from the slaves to their master, drop", between("drop", false, true)),
  streams("from the master to its slaves, reject (tcp reset)", between(RESET, true, false)),
  streams("from the slaves to their master, reject (icmp)", between(ICMP, false, true)),
}
