-- The fields of what functions get: events, nodes, clusters, votes, a row each (lua/plusmoin/api.lua says what a row
-- has). The C half is src/script/tables.c.
local function field(name, type, doc, example, more)
  local row = { name = name, kind = "field", type = type, doc = doc, example = example }
  for key, value in pairs(more or {}) do
    row[key] = value
  end
  return row
end

local SOMETIMES = { optional = true }

return {
  { name = "Event", kind = "class",
    doc = "An Event is what a trigger's function gets: what has happened, and the cluster as it is right after it.",
    more = { "The tables are the run's own: it may change them, and nobody else sees that." },
    example = [[
pm.log.info("%s %s in cluster %d", event.id, event.name, event.cluster_id)
]] },

  field("Event.name", "EventName", "It is the event's name, a key of `triggers`: `slave_down`.", [[
if event.name == "master_down" then
  pm.log.error("cluster %d has no master", event.cluster_id)
end
]]),
  field("Event.id", "string", "It names this event alone: commands get it as PLUSMOIN_EVENT_ID, `plusmoin explain` "
    .. "takes it.",
    [[
pm.log.info("plusmoin explain %s tells why", event.id)
]]),
  field("Event.time", "number", "It says when the event happened, in seconds since the epoch.", [[
pm.log.info("it happened at %s", os.date("!%H:%M:%S", event.time // 1 | 0))
]]),
  field("Event.cluster_id", "integer", "It is the cluster's number; -1 where the event belongs to no cluster.", [[
if event.cluster_id >= 0 then
  assert(pm.cluster(event.cluster_id))
end
]]),
  field("Event.rule", "string",
    "It names the rule that spoke (`S1`); plusmoin_up, plusmoin_heartbeat and split_brain have none.", [[
pm.log.info("%s by rule %s", event.name, event.rule)
]], { optional = true, on = "slave_down" }),
  field("Event.trigger", "Node", "It is the node that the event is about; an event of a whole cluster, or of the "
    .. "monitor, "
    .. "has none.", [[
pm.log.warning("%s is %s: %s", event.trigger.name, event.trigger.reason, event.trigger.message)
]], { optional = true, on = "slave_down" }),
  field("Event.master", "Node", "It is the cluster's master; there is none while nobody sits in its seat.", [[
if event.master then
  pm.log.info("the master is %s", event.master.name)
end
]], SOMETIMES),
  field("Event.slaves", "Node[]", "It lists the cluster's slaves that are in sync.", [[
for _, node in ipairs(event.slaves) do
  pm.log.info("%s is a slave", node.name)
end
]]),
  field("Event.lost", "Node[]", "It lists the cluster's nodes that are down or out of sync.", [[
for _, node in ipairs(event.lost) do
  pm.log.info("%s is lost: %s", node.name, node.reason or "not in sync yet")
end
]]),
  field("Event.clusterless", "Node[]", "It lists the nodes that are in no cluster.", [[
for _, node in ipairs(event.clusterless) do
  pm.log.info("nothing is known of %s", node.name)
end
]]),
  field("Event.rival", "Node", "It is the other one of two masters of one origin; only split_brain has it.", [[
pm.log.error("stop %s or %s: both take writes", event.trigger.name, event.rival.name)
]], { optional = true, on = "split_brain" }),
  field("Event.witnesses", "Node[]", "It lists the slaves that still hear the master; only master_unreachable has it.",
    [[
pm.log.warning("%d slaves still hear %s", #event.witnesses, event.trigger.name)
]], { optional = true, on = "master_unreachable" }),
  field("Event.votes", "Vote[]",
    "It lists what each of several monitors sees of the node, where they have voted on a loss or on "
      .. "master_unreachable.", [[
for _, vote in ipairs(event.votes or {}) do
  pm.log.info("%s: %s", vote.monitor, vote.sees)
end
]], { optional = true, on = "slave_down" }),
  field("Event.restored", "true", "It is true where a start with `state_file` has found what happened while plusmoin "
    .. "did "
    .. "not run.", [[
if event.restored then
  pm.log.info("it happened while plusmoin did not run")
end
]], SOMETIMES),
  field("Event.term", "integer", "It is the number of the term in which one of several monitors acts; each later one "
    .. "has a "
    .. "greater number.", [[
if event.term then
  pm.log.info("term %d", event.term)
end
]], SOMETIMES),
  field("Event.rerun", "true", "It is true where another monitor had begun this run and died before its end.", [[
if event.rerun then
  pm.log.info("%s runs once more", event.id)
end
]], SOMETIMES),

  { name = "Node", kind = "class",
    doc = "A Node is one PostgreSQL server of `nodes`, as it was seen last.",
    example = [[
local rows, why = pm.query(event.master, "SELECT version()")
pm.log.info("%s", rows and rows[1].version or why)
]] },

  field("Node.host", "string", "It is the server's host, as the configuration has it.", [[
pm.log.info("%s:%d", event.master.host, event.master.port)
]]),
  field("Node.port", "integer", "It is the server's port.", [[
assert(event.master.port > 0)
]]),
  field("Node.name", "string", "It is the name that the configuration gives the node, else `host:port`.", [[
pm.log.info("the master is %s", event.master.name)
]]),
  field("Node.cluster_id", "integer", "It is the number of the cluster that the node is in, -1 for none.", [[
assert(event.master.cluster_id == event.cluster_id)
]]),
  field("Node.is_slave", "boolean", "It says whether the server was in recovery when it answered last.", [[
assert(not event.master.is_slave)
]]),
  field("Node.master_name", "string", "It is the master that the node's row of beats names; of a master, and of a "
    .. "node that "
    .. "was never seen, it is the empty string.", [[
for _, node in ipairs(event.slaves) do
  pm.log.info("%s follows %s", node.name, node.master_name)
end
]]),
  field("Node.state", "NodeState", "It is the node's place: `master`, `slave`, `lost` or `clusterless`.", [[
assert(event.master.state == "master")
]]),
  field("Node.since", "number", "It says since when the node has been in that state, in seconds since the epoch.", [[
pm.log.info("%s is master for %d s", event.master.name, (pm.now() - event.master.since) // 1 | 0)
]]),
  field("Node.lag", "number", "It says how many seconds the node is behind its master; a master, and a node that has "
    .. "shown "
    .. "no beat, have none.", [[
for _, node in ipairs(event.slaves) do
  if node.lag and node.lag > 10 then
    pm.log.warning("%s is %.1f s behind", node.name, node.lag)
  end
end
]], SOMETIMES),
  field("Node.reason", "Reason", "It says in one word why the node is down (`refused`); one that is not has none.", [[
pm.log.warning("%s: %s", event.trigger.name, event.trigger.reason)
]], { optional = true, on = "slave_down" }),
  field("Node.message", "string", "It is the server's or the system's own text about why the node is down.", [[
pm.log.warning("%s: %s", event.trigger.name, event.trigger.message)
]], { optional = true, on = "slave_down" }),
  field("Node.server_version", "integer", "It is the server's version, 150020 for 15.20; a server that was never "
    .. "seen has "
    .. "none.", [[
if (event.master.server_version or 0) >= 120000 then
  pm.query(event.master, "SELECT pg_stat_reset()")
end
]], SOMETIMES),

  { name = "Cluster", kind = "class",
    doc = "A Cluster is what pm.cluster and pm.clusters return: a master and who belongs to it, as plusmoin knows it "
      .. "now.",
    example = [[
local cluster = pm.clusters()[1]
pm.log.info("cluster %d has %d slaves", cluster.cluster_id, #cluster.slaves)
]] },

  field("Cluster.cluster_id", "integer", "It is the cluster's number.", [[
assert(pm.clusters()[1].cluster_id == event.cluster_id)
]]),
  field("Cluster.master", "Node", "It is the cluster's master; there is none while nobody sits in its seat.", [[
local master = pm.clusters()[1].master
pm.log.info("the master is %s", master and master.name or "missing")
]], SOMETIMES),
  field("Cluster.slaves", "Node[]", "It lists the cluster's slaves that are in sync.", [[
pm.log.info("%d slaves", #pm.clusters()[1].slaves)
]]),
  field("Cluster.lost", "Node[]", "It lists the cluster's nodes that are down or out of sync.", [[
pm.log.info("%d nodes are lost", #pm.clusters()[1].lost)
]]),
  field("Cluster.clusterless", "Node[]", "It lists the nodes that are in no cluster: the same in each Cluster.", [[
pm.log.info("%d nodes are in no cluster", #pm.clusters()[1].clusterless)
]]),

  { name = "Vote", kind = "class",
    doc = "A Vote is what one of several monitors sees of the node that an event is about.",
    example = [[
for _, vote in ipairs(event.votes or {}) do
  assert(vote.monitor and vote.sees)
end
]], on = "slave_down" },

  field("Vote.monitor", "string", "It is the monitor's name (`monitors.name`).", [[
for _, vote in ipairs(event.votes or {}) do
  pm.log.info("%s has voted", vote.monitor)
end
]], { on = "slave_down" }),
  field("Vote.sees", "VoteSays", "It is what that monitor sees: the node `answers`, it `fails`, the monitor `cannot "
    .. "say`, or "
    .. "its vote is `open`, because nobody waited for it.", [[
for _, vote in ipairs(event.votes or {}) do
  if vote.sees == "answers" then
    pm.log.info("%s still sees it", vote.monitor)
  end
end
]], { on = "slave_down" }),
  field("Vote.reason", "Reason", "It says in one word why the node fails for that monitor; other votes have none.", [[
for _, vote in ipairs(event.votes or {}) do
  if vote.reason then
    pm.log.info("%s: %s", vote.monitor, vote.reason)
  end
end
]], { optional = true, on = "slave_down" }),
}
