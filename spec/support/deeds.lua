--- What happens to the servers of a cluster of stand-ins, and which events that must cause: deeds for a ledger
-- (spec/support/ledger.lua). A cluster has its `nodes`, and its `master` among them.
local deeds = {
  SHORT = 0.3, -- s at most of what must pass unnoticed, or lasts no longer than it must
}

local FULL, STARTING = { "fatal 53300", "disconnect" }, { "fatal 57P03", "disconnect" }

local function pick(list)
  return list[math.random(#list)]
end

-- Some of the cluster's nodes, `most` at most; `no_master`: of its slaves.
local function some(cluster, most, no_master)
  local list = {}
  for _, node in ipairs(cluster.nodes) do
    if not (no_master and node == cluster.master) then
      table.insert(list, math.random(#list + 1), node)
    end
  end
  return table.move(list, 1, math.min(math.random(most), #list), 1, {})
end

local function events(cluster, nodes, way)
  local wanted = {}
  for i, node in ipairs(nodes) do
    wanted[i] = { (node == cluster.master and "master_" or "slave_") .. way, node }
  end
  return wanted
end

local function held(nodes)
  local wanted = {}
  for i, node in ipairs(nodes) do
    wanted[i] = { "node_held", node }
  end
  return wanted
end

-- "NODE WORDS" for each node.
local function lines_of(nodes, ...)
  local lines = {}
  for _, node in ipairs(nodes) do
    for _, words in ipairs { ... } do
      lines[#lines + 1] = node.label .. " " .. words
    end
  end
  return table.unpack(lines)
end

local function rest(cluster)
  cluster:rest(math.random() * deeds.SHORT)
end

-- The nodes' trouble begins, they are down, at the earliest `from` s later; it ends, and they are up.
local function loss(cluster, nodes, begin, finish, from)
  cluster:play(lines_of(nodes, table.unpack(begin)))
  cluster:expect(events(cluster, nodes, "down"), from)
  rest(cluster)
  cluster:play(lines_of(nodes, table.unpack(finish)))
  cluster:expect(events(cluster, nodes, "up"))
end

-- The nodes' trouble begins, and ends before it counts.
local function nothing(cluster, nodes, begin, finish)
  cluster:play(lines_of(nodes, table.unpack(begin)))
  rest(cluster)
  cluster:play(lines_of(nodes, table.unpack(finish)))
end

local function full(cluster, last)
  local nodes = some(cluster, 2)
  cluster:play(lines_of(nodes, table.unpack(FULL)))
  cluster:expect(held(nodes))
  if last then -- the time for which they are held counts from their last answer, a round before
    cluster:expect(events(cluster, nodes, "down"), cluster.limits.delay - cluster.limits.heartbeat)
  end
  cluster:play(lines_of(nodes, "serve"))
  if last then
    cluster:expect(events(cluster, nodes, "up"))
  end
end

local function failover(cluster)
  local old, new = cluster.master, pick(some(cluster, #cluster.nodes, true))
  cluster:play(lines_of({ old }, pick { "die", "silent" }))
  cluster:expect { { "master_down", old } }
  local lines = { new.label .. " promote" }
  for _, node in ipairs(cluster.nodes) do
    if node ~= old and node ~= new then
      lines[#lines + 1] = node.label .. " follow " .. new.label
    end
  end
  cluster:play(table.unpack(lines))
  cluster.master = new
  cluster:expect { { "master_up", new } }
  cluster:play(lines_of({ old }, "follow " .. new.label, "serve"))
  cluster:expect { { "slave_up", old } }
end

-- A slave is promoted beside its master, and goes back.
local function split(cluster)
  local rival = pick(some(cluster, #cluster.nodes, true))
  cluster:play(lines_of({ rival }, "promote"))
  cluster:expect { { "cluster_created", rival } }
  rest(cluster)
  cluster:play(lines_of({ rival }, "follow " .. cluster.master.label))
  cluster:expect { { "master_down", rival }, { "slave_up", rival } }
end

-- How often of all, its name, what is done.
local DEEDS = {
  { 4, "die", function(c) loss(c, some(c, 3), { "die" }, { "serve" }) end },
  { 4, "silent", function(c) loss(c, some(c, 3), { "silent" }, { "serve" }) end },
  { 2, "a byte at a time", function(c) loss(c, some(c, 2), { "trickle 60" }, { "trickle 0" }) end },
  { 2, "shut door", function(c)
    loss(c, some(c, 2), { pick { "close", "reset", "garbage" }, "disconnect" }, { "serve" })
  end },
  { 2, "lag", function(c)
    loss(c, some(c, 3, true), { "lag 60" }, { "lag 0", "follow " .. c.master.label }, c.limits.delay)
  end },
  { 1, "starting for long", function(c) loss(c, some(c, 2), STARTING, { "serve" }, c.limits.grace) end },
  { 1, "full for long", function(c) full(c, true) end },
  { 3, "failover", failover },
  { 1, "all die", function(c) loss(c, c.nodes, { pick { "die", "silent" } }, { "serve" }) end },
  { 1, "split", split },
  { 2, "full", full },
  { 2, "starting", function(c) nothing(c, some(c, 2), STARTING, { "serve" }) end },
  { 2, "behind", function(c) nothing(c, some(c, 3, true), { "lag 0.5" }, { "lag 0" }) end },
  { 2, "disconnect", function(c) c:play(lines_of(some(c, #c.nodes), "disconnect")) end },
  { 2, "forget", function(c) c:play(lines_of(some(c, #c.nodes), "forget")) end },
}

--- One of the deeds, at random: its name, and the function that plays it in the cluster that it is given. In
-- `cluster.limits`, all in s: max_sync_delay `delay`, restart_grace `grace`, `heartbeat`.
function deeds.any()
  local total = 0
  for _, deed in ipairs(DEEDS) do
    total = total + deed[1]
  end
  local dice = math.random(total)
  for _, deed in ipairs(DEEDS) do
    dice = dice - deed[1]
    if dice <= 0 then
      return deed[2], deed[3]
    end
  end
end

return deeds
