-- The rows of the tables that functions get, and of their fields: events, nodes, clusters, votes (lua/plusmoin/api.lua
-- says what a row has). src/script/tables.c makes the tables.
return {
  { name = "Event", kind = "class",
    doc = "An Event is what a trigger's function gets: what has happened, and the cluster as it is right after it.",
    more = { "The tables are the run's own: it may change them, and nobody else sees that." },
    example = [[
pm.log.info("%s %s in cluster %d", event.id, event.name, event.cluster_id)
]] },

  { name = "Event.name", kind = "field", type = "EventName",
    doc = "It is the event's name, a key of `triggers`: `slave_down`.",
    example = [[
if event.name == "master_down" then
  pm.log.error("cluster %d has no master", event.cluster_id)
end
]] },

  { name = "Event.id", kind = "field", type = "string",
    doc = "It names this event alone: commands get it as PLUSMOIN_EVENT_ID, and `plusmoin explain` takes it.",
    example = [[
pm.log.info("plusmoin explain %s tells why", event.id)
]] },

  { name = "Event.time", kind = "field", type = "number",
    doc = "It says when the event happened, in seconds since the epoch.",
    example = [[
pm.log.info("it happened at %s", os.date("!%H:%M:%S", event.time // 1 | 0))
]] },

  { name = "Event.cluster_id", kind = "field", type = "integer",
    doc = "It is the cluster's number; -1 where the event belongs to no cluster.",
    example = [[
if event.cluster_id >= 0 then
  assert(pm.cluster(event.cluster_id))
end
]] },

  { name = "Event.rule", kind = "field", type = "string", optional = true, on = "slave_down",
    doc = "It names the rule that spoke (`S1`); plusmoin_up, plusmoin_heartbeat and split_brain have none.",
    example = [[
pm.log.info("%s by rule %s", event.name, event.rule)
]] },

  { name = "Event.trigger", kind = "field", type = "Node", optional = true, on = "slave_down",
    doc = "It is the node that the event is about; an event of a whole cluster, or of the monitor, has none.",
    example = [[
local node = event.trigger
pm.log.warning("%s is %s: %s", node.name, node.reason, node.message)
]] },

  { name = "Event.master", kind = "field", type = "Node", optional = true,
    doc = "It is the cluster's master; it is nil while the cluster has none.",
    example = [[
if event.master then
  pm.log.info("the master is %s", event.master.name)
end
]] },

  { name = "Event.slaves", kind = "field", type = "Node[]",
    doc = "It lists the cluster's slaves that are in sync.",
    example = [[
for _, node in ipairs(event.slaves) do
  pm.log.info("%s is a slave", node.name)
end
]] },

  { name = "Event.lost", kind = "field", type = "Node[]",
    doc = "It lists the cluster's nodes that are down or out of sync.",
    example = [[
for _, node in ipairs(event.lost) do
  pm.log.info("%s is lost: %s", node.name, node.reason or "no reason")
end
]] },

  { name = "Event.clusterless", kind = "field", type = "Node[]",
    doc = "It lists the nodes that are in no cluster.",
    example = [[
for _, node in ipairs(event.clusterless) do
  pm.log.info("nothing is known of %s", node.name)
end
]] },

  { name = "Event.rival", kind = "field", type = "Node", optional = true, on = "split_brain",
    doc = "It is the other one of two masters of one origin; only split_brain has it.",
    example = [[
local newer, older = event.trigger.name, event.rival.name
pm.log.error("stop %s or %s: both take writes", newer, older)
]] },

  { name = "Event.witnesses", kind = "field", type = "Node[]", optional = true, on = "master_unreachable",
    doc = "It lists the slaves that still hear the master; only master_unreachable has it.",
    example = [[
local master = event.trigger.name
pm.log.warning("%d slaves still hear %s", #event.witnesses, master)
]] },

  { name = "Event.votes", kind = "field", type = "Vote[]", optional = true, on = "slave_down",
    doc = "It lists what each of several monitors sees of the node, where they have voted on a loss or on "
      .. "master_unreachable.",
    example = [[
for _, vote in ipairs(event.votes or {}) do
  pm.log.info("%s: %s", vote.monitor, vote.sees)
end
]] },

  { name = "Event.restored", kind = "field", type = "true", optional = true,
    doc = "It is true where a start with `state_file` has found what happened while plusmoin did not run.",
    example = [[
if event.restored then
  pm.log.info("it happened while plusmoin did not run")
end
]] },

  { name = "Event.term", kind = "field", type = "integer", optional = true,
    doc = "It is the number of the term in which one of several monitors acts; each later term has a greater one.",
    example = [[
if event.term then
  pm.log.info("term %d", event.term)
end
]] },

  { name = "Event.rerun", kind = "field", type = "true", optional = true,
    doc = "It is true where another monitor had begun this run and died before its end.",
    example = [[
if event.rerun then
  pm.log.info("%s runs once more", event.id)
end
]] },

  { name = "Node", kind = "class",
    doc = "A Node is one PostgreSQL server of `nodes`, as it was seen last.",
    example = [[
local rows, why = pm.query(event.master, "SELECT version()")
pm.log.info("%s", rows and rows[1].version or why)
]] },

  { name = "Node.host", kind = "field", type = "string",
    doc = "It is the server's host, as the configuration has it.",
    example = [[
local master = event.master
pm.log.info("the master listens at %s:%d", master.host, master.port)
]] },

  { name = "Node.port", kind = "field", type = "integer",
    doc = "It is the server's port.",
    example = [[
local address = { host = event.master.host, port = event.master.port }
assert(pm.query(address, "SELECT 1"))
]] },

  { name = "Node.name", kind = "field", type = "string",
    doc = "It is the name that the configuration gives the node, else `host:port`.",
    example = [[
pm.log.info("the master is %s", event.master.name)
]] },

  { name = "Node.cluster_id", kind = "field", type = "integer",
    doc = "It is the number of the cluster that the node is in, -1 for none.",
    example = [[
assert(event.master.cluster_id == event.cluster_id)
]] },

  { name = "Node.is_slave", kind = "field", type = "boolean",
    doc = "It says whether the server was in recovery when it answered last.",
    example = [[
assert(not event.master.is_slave)
]] },

  { name = "Node.master_name", kind = "field", type = "string",
    doc = "It is the master that the server's row of beats names; for a master, and for a node that was never seen, "
      .. "it is "
      .. "the empty string.",
    example = [[
for _, node in ipairs(event.slaves) do
  pm.log.info("%s follows %s", node.name, node.master_name)
end
]] },

  { name = "Node.state", kind = "field", type = "NodeState",
    doc = "It is the node's place: `master`, `slave`, `lost` or `clusterless`.",
    example = [[
assert(event.master.state == "master")
]] },

  { name = "Node.since", kind = "field", type = "number",
    doc = "It says since when the node has been in that state, in seconds since the epoch.",
    example = [[
local seconds = (pm.now() - event.master.since) // 1 | 0
pm.log.info("%s is master for %d s", event.master.name, seconds)
]] },

  { name = "Node.lag", kind = "field", type = "number", optional = true,
    doc = "It says how many seconds the node is behind its master; a master, and a node that has shown no beat, have "
      .. "none.",
    example = [[
for _, node in ipairs(event.slaves) do
  if node.lag and node.lag > 10 then
    pm.log.warning("%s is %.1f s behind", node.name, node.lag)
  end
end
]] },

  { name = "Node.reason", kind = "field", type = "Reason", optional = true, on = "slave_down",
    doc = "It says in one word why the node is down (`refused`); a node that is not down has none.",
    example = [[
if event.trigger.reason == "lag" then
  pm.log.warning("%s is too far behind", event.trigger.name)
end
]] },

  { name = "Node.message", kind = "field", type = "string", optional = true, on = "slave_down",
    doc = "It is the server's or the system's own text about why the node is down.",
    example = [[
pm.log.warning("%s: %s", event.trigger.name, event.trigger.message)
]] },

  { name = "Node.server_version", kind = "field", type = "integer", optional = true,
    doc = "It is the server's version, 150020 for 15.20; a server that was never seen has none.",
    example = [[
local is_recent = (event.master.server_version or 0) >= 140000
pm.log.info("14 or later: %s", is_recent)
]] },

  { name = "Cluster", kind = "class",
    doc = "A Cluster is what pm.cluster and pm.clusters return: a master and who belongs to it, as plusmoin knows it "
      .. "now.",
    example = [[
local cluster = pm.clusters()[1]
pm.log.info("cluster %d has %d slaves", cluster.cluster_id, #cluster.slaves)
]] },

  { name = "Cluster.cluster_id", kind = "field", type = "integer",
    doc = "It is the cluster's number.",
    example = [[
for _, cluster in ipairs(pm.clusters()) do
  pm.log.info("there is cluster %d", cluster.cluster_id)
end
]] },

  { name = "Cluster.master", kind = "field", type = "Node", optional = true,
    doc = "It is the cluster's master; it is nil while the cluster has none.",
    example = [[
local master = pm.clusters()[1].master
pm.log.info("the master is %s", master and master.name or "missing")
]] },

  { name = "Cluster.slaves", kind = "field", type = "Node[]",
    doc = "It lists the cluster's slaves that are in sync.",
    example = [[
pm.log.info("%d slaves are in sync", #pm.clusters()[1].slaves)
]] },

  { name = "Cluster.lost", kind = "field", type = "Node[]",
    doc = "It lists the cluster's nodes that are down or out of sync.",
    example = [[
pm.log.info("%d nodes are lost", #pm.clusters()[1].lost)
]] },

  { name = "Cluster.clusterless", kind = "field", type = "Node[]",
    doc = "It lists the nodes that are in no cluster, the same ones in each Cluster.",
    example = [[
pm.log.info("%d nodes are in no cluster", #pm.clusters()[1].clusterless)
]] },

  { name = "Vote", kind = "class",
    doc = "A Vote is what one of several monitors sees of the node that an event is about.",
    on = "slave_down",
    example = [[
for _, vote in ipairs(event.votes or {}) do
  pm.log.info("%s: %s %s", vote.monitor, vote.sees, vote.reason or "")
end
]] },

  { name = "Vote.monitor", kind = "field", type = "string", on = "slave_down",
    doc = "It is the monitor's name (`monitors.name`).",
    example = [[
for _, vote in ipairs(event.votes or {}) do
  pm.log.info("%s was asked", vote.monitor)
end
]] },

  { name = "Vote.sees", kind = "field", type = "VoteSays", on = "slave_down",
    doc = "It says what that monitor sees: the node `answers` or `fails`, or the monitor `cannot say`; `open` is a "
      .. "vote "
      .. "that nobody waited for.",
    example = [[
for _, vote in ipairs(event.votes or {}) do
  if vote.sees == "answers" then
    pm.log.info("%s still sees it", vote.monitor)
  end
end
]] },

  { name = "Vote.reason", kind = "field", type = "Reason", optional = true, on = "slave_down",
    doc = "It says in one word why the node fails for that monitor; a vote that says something else has none.",
    example = [[
for _, vote in ipairs(event.votes or {}) do
  if vote.reason then
    pm.log.info("%s: %s", vote.monitor, vote.reason)
  end
end
]] },

  { name = "Trigger", kind = "class", made = "by users",
    doc = "A Trigger is what a trigger's file may return instead of a function.",
    more = { "The file runs once when it is loaded, with its `settings` as `...`." },
    example = [[
local function run(which)
  pm.log.info("%s happened", which.name)
end
local trigger = { run = run, timeout = 20 }
trigger.run(event)
]] },

  { name = "Trigger.run", kind = "field", type = "TriggerFunction",
    doc = "It is the function that runs when the event happens; what it returns is ignored, and an error fails the "
      .. "run.",
    example = [[
local trigger = { run = function(which) print(which.id) end }
trigger.run(event)
]] },

  { name = "Trigger.timeout", kind = "field", type = "number", optional = true,
    doc = "It says how many seconds a run may take; a `timeout` in the configuration goes over it, and without either "
      .. "`trigger_timeout` counts.",
    example = [[
local trigger = { run = print, timeout = 20 }
assert(trigger.timeout == 20)
]] },
}
