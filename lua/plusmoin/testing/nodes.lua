--- Makes nodes, clusters and events as a trigger gets them, with plausible values for what
-- a test does not give. Pure.
local json = require "plusmoin.testing.json"

local nodes = {}

local PORT, VERSION = 5432, 150004

-- Returns a copy of `defaults` with the values of `given`; false in `given` removes a key that is no boolean.
local function over(defaults, given)
  local made = {}
  for key, value in pairs(defaults) do
    made[key] = value
  end
  for key, value in pairs(given or {}) do
    if value == false and type(defaults[key]) ~= "boolean" then
      made[key] = nil
    else
      made[key] = value
    end
  end
  return made
end

--- Makes a node table. `state` is "master", "slave", "lost" or "clusterless"; `given` has fields
-- that replace the defaults (at least host is useful); `world` is {now, cluster_id, master}.
function nodes.node(state, given, world)
  given = type(given) == "string" and { host = given } or given or {}
  local host, port = given.host or "db1", given.port or PORT
  local is_slave = state == "slave" or state == "lost"
  local made = over({
    host = host, port = port, name = host .. ":" .. port, state = state,
    cluster_id = state == "clusterless" and -1 or world.cluster_id or 0,
    is_slave = is_slave, master_name = is_slave and world.master or "", since = world.now - 3600,
    server_version = VERSION,
  }, given)
  if state == "slave" and given.lag == nil then
    made.lag = 0.0
  elseif state == "lost" and given.reason == nil then
    made.reason, made.message = "refused", "Connection refused"
  end
  return made
end

-- Makes the nodes of a list, which has host names or tables of fields.
local function list_of(state, given, world)
  local list = json.array {}
  for i, one in ipairs(given or {}) do
    list[i] = nodes.node(state, one, world)
  end
  return list
end

--- Makes a cluster table. `given` is {cluster_id = 0, master = host or fields or false, slaves =
-- {...}, lost = {...}, clusterless = {...}}; where it is nil, db1 is the master of db2.
function nodes.cluster(given, now)
  given = given or { master = "db1", slaves = { "db2" } }
  local world = { now = now, cluster_id = given.cluster_id or 0 }
  local master = given.master and nodes.node("master", given.master, world) or nil
  world.master = master and master.host .. ":" .. master.port or nil
  return {
    cluster_id = world.cluster_id, master = master, slaves = list_of("slave", given.slaves, world),
    lost = list_of("lost", given.lost, world), clusterless = list_of("clusterless", given.clusterless, world),
  }
end

-- Which node each event is about, and its rule, where the test does not give them.
local ABOUT = {
  plusmoin_up = {},
  plusmoin_heartbeat = {},
  monitor_isolated = { rule = "P7", own = true },
  monitor_reconnected = { rule = "P7", own = true },
  split_brain = { who = function(cluster) return cluster.master end, rival = true },
  cluster_created = { rule = "U2", who = function(cluster) return cluster.master end },
  master_up = { rule = "M4", who = function(cluster) return cluster.master end },
  master_down = { rule = "M2", who = function(cluster) return cluster.lost[1] end },
  slave_down = { rule = "S1", who = function(cluster) return cluster.lost[1] end },
  slave_up = { rule = "L4", who = function(cluster) return cluster.slaves[1] end },
  master_unreachable = { rule = "P6", witnesses = true, who = function(cluster)
    return over(cluster.master, { reason = "hung", message = "no answer within 10 s" })
  end },
  node_held = { who = function(cluster)
    return over(cluster.master, { reason = "full", message = "sorry, too many clients already" })
  end },
}
local NAMES = "cluster_created, master_down, master_unreachable, master_up, monitor_isolated, "
  .. "monitor_reconnected, node_held, plusmoin_heartbeat, plusmoin_up, slave_down, slave_up, split_brain"

-- Clusters as they are after an event, where the test gives none.
local AFTER = {
  master_down = { master = false, slaves = { "db2" }, lost = { "db1" } },
  master_up = { master = "db2", lost = { "db1" } },
  slave_down = { master = "db1", lost = { "db2" } },
}

-- Returns the slaves that still hear the master: those that the test names, else all.
local function witnesses_of(cluster, given, now)
  local world = { now = now, cluster_id = cluster.cluster_id, master = cluster.master and cluster.master.name }
  return given and list_of("slave", given, world) or json.array(table.move(cluster.slaves, 1, #cluster.slaves, 1, {}))
end

--- Makes an event table. `given` has what nodes.cluster() takes, and id, time, rule, restored, trigger (a host of the
-- cluster, or a node table), witnesses (hosts, or tables of fields), and for split_brain rival (a host or the fields
-- of another cluster's master). Raises an error for an unknown name, and for a trigger that is no node of the cluster.
function nodes.event(name, given, now, number)
  local about = ABOUT[name]
  if not about then
    error(("testing: there is no event %s; allowed: %s"):format(tostring(name), NAMES), 0)
  end
  given = given or {}
  local says_cluster = given.master ~= nil or given.slaves or given.lost
  local usual = over(AFTER[name] or { master = "db1", slaves = { "db2" } },
    { cluster_id = given.cluster_id, clusterless = given.clusterless })
  local cluster = nodes.cluster(about.own and { cluster_id = -1 } or says_cluster and given or usual, now)
  local event = over(cluster, { name = name, id = given.id or ("%d-%d"):format(now // 1, number),
    time = given.time or now, rule = given.rule or about.rule, restored = given.restored or nil })
  event.trigger = about.who and about.who(cluster) or nil
  event.witnesses = about.witnesses and witnesses_of(cluster, given.witnesses, now) or nil
  if about.rival then
    event.rival = nodes.node("master", given.rival or "db9", { now = now, cluster_id = cluster.cluster_id + 1 })
  end
  if type(given.trigger) == "table" then
    event.trigger = nodes.node(given.trigger.state or "lost", given.trigger, { now = now,
      cluster_id = cluster.cluster_id })
  elseif given.trigger then
    event.trigger = nil
    for _, list in ipairs { { cluster.master }, cluster.slaves, cluster.lost, cluster.clusterless } do
      for _, node in ipairs(list) do
        event.trigger = event.trigger or (node.host == given.trigger or node.name == given.trigger) and node or nil
      end
    end
    if not event.trigger then
      error(("testing: no node of the event's is %s"):format(tostring(given.trigger)), 0)
    end
  end
  return event
end

return nodes
