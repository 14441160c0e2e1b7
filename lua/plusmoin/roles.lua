--- Decides which servers of a proxy should take writes, and which reads. The triggers that
-- steer proxies share it. Pure. A node's id is "host:port"; the seat of a cluster is the
-- place of its master.
local roles = {}

--- Returns the id of a node table.
function roles.id(node)
  return node.host .. ":" .. node.port
end

--- Returns all nodes of `clusters` (pm.clusters()) by id, and as a list without repetition.
function roles.nodes(clusters)
  local nodes, order = {}, {}
  for _, cluster in ipairs(clusters) do
    for _, list in ipairs { { cluster.master }, cluster.slaves, cluster.lost, cluster.clusterless } do
      for _, node in ipairs(list) do
        local id = roles.id(node)
        if not nodes[id] then
          order[#order + 1] = node
        end
        nodes[id] = node
      end
    end
  end
  return nodes, order
end

-- Returns id -> {node =, cluster = its cluster; nil: it has none}.
local function survey(clusters)
  local known = {}
  for _, cluster in ipairs(clusters) do
    for _, node in ipairs(cluster.clusterless) do
      known[roles.id(node)] = { node = node }
    end
  end
  for _, cluster in ipairs(clusters) do
    for _, list in ipairs { { cluster.master }, cluster.slaves, cluster.lost } do
      for _, node in ipairs(list) do
        known[roles.id(node)] = { node = node, cluster = cluster }
      end
    end
  end
  return known
end

-- Whether plusmoin has found out nothing about a node yet, as right after its start.
local function is_unknown(entry)
  local node = entry.node
  return entry.cluster == nil and node.reason == nil and not node.is_slave
end

local function masters_of(clusters, listed)
  local masters = {}
  for _, cluster in ipairs(clusters) do
    if cluster.master and listed[roles.id(cluster.master)] then
      masters[#masters + 1] = cluster.master
    end
  end
  return masters
end

local function names(nodes)
  local list = {}
  for i, node in ipairs(nodes) do
    list[i] = node.name
  end
  return table.concat(list, ", ")
end

-- Whether plusmoin knows all listed nodes. An unknown one may be a master.
local function all_known(known, listed)
  for id in pairs(listed) do
    if known[id] == nil or is_unknown(known[id]) then
      return false
    end
  end
  return true
end

-- Returns the writer; or nil and what the problem is, if that is one; or nil, nil and true
-- while too little is known to decide.
local function choose(clusters, known, listed, before)
  local last = before and known[before]
  local seat = last and last.cluster and last.cluster.master
  local masters = masters_of(clusters, listed)
  if last and last.node.state == "master" and listed[before] then
    return last.node -- it stays the writer while it is the master of its cluster
  elseif seat then
    if listed[roles.id(seat)] then
      return seat
    end
    return nil, ("the master %s is none of the servers"):format(seat.name)
  elseif not all_known(known, listed) then
    return nil, nil, true
  elseif #masters > 1 then
    return nil, ("%s are masters of different clusters, and none was the writer: none is now"):format(names(masters))
  end
  return masters[1]
end

-- Returns the set of ids of the readers. `readable` is the set of those that the proxy can read from.
local function choose_readers(clusters, cluster, writer, readable, master_reads)
  local readers = {}
  for _, each in ipairs(cluster and { cluster } or clusters) do
    for _, slave in ipairs(each.slaves) do
      readers[roles.id(slave)] = readable[roles.id(slave)]
    end
  end
  if writer and (master_reads == "always" or master_reads == "alone" and next(readers) == nil) then
    readers[roles.id(writer)] = true
  end
  return readers
end

--- Decides by `clusters` (pm.clusters()). `listed` is the set of ids of the servers that may
-- take writes, `readable` that of those that may be read from, `before` the id of the last
-- writer, or nil. `master_reads` says whether the writer reads, too: "always", "alone"
-- (while no slave can), "never".
--
-- The writer stays the writer while it is the master of its cluster. Then that cluster's new
-- master follows. While that seat is empty and exactly one other listed node is a master, that
-- one does; with several none does. While a listed node is unknown, nothing is decided.
-- Readers are the slaves (they are in sync) of the writer's cluster.
--
-- Returns { writer = node or nil, undecided = boolean, readers = set of ids, known = function(id)
-- -> whether plusmoin knows something of the node (a caller leaves an unknown one as it is), lost =
-- function(id) -> whether it is down or out of sync, problem = text or nil }.
function roles.decide(clusters, listed, readable, before, master_reads)
  local known = survey(clusters)
  local writer, problem, undecided = choose(clusters, known, listed, before)
  local home = known[writer and roles.id(writer) or before]
  return {
    writer = writer, problem = problem, undecided = undecided or false,
    readers = choose_readers(clusters, home and home.cluster, writer, readable, master_reads),
    known = function(id) return known[id] ~= nil and not is_unknown(known[id]) end,
    lost = function(id)
      local node = known[id] and known[id].node
      return node ~= nil and (node.state == "lost" or node.state == "clusterless" and node.reason ~= nil)
    end,
  }
end

return roles
