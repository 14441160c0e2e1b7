--- Finds one server that is configured under two names.
local findings = require "plusmoin.check.findings"

local twins = {}

local SAME_START = 0.001  -- seconds: two servers do not start in the same millisecond

-- Returns a key that nodes of one server share: its system id and the millisecond of its start. Rounding may put the
-- starts of two nodes in neighbouring milliseconds: `near` is -1, 0 or 1.
local function server_key(node, near)
  return node.system .. " " .. (node.started // SAME_START + near)
end

--- Whether two nodes of one system id are one server, since they started together.
function twins.are_one(node, other)
  return math.abs(node.started - other.started) < SAME_START
end

-- Returns the index in `nodes` of the first node of the same server, and of the first one with the same database
-- there, by what find() has `seen`; nil: none.
local function twins_of(node, nodes, seen)
  local first, rival
  local function nearer(place, best)
    if place and (not best or place < best) and twins.are_one(node, nodes[place]) then
      return place
    end
    return best
  end
  for near = -1, 1 do
    local there = seen[server_key(node, near)] or {}
    first, rival = nearer(there[1], first), nearer(there[node.dbname], rival)
  end
  return first, rival
end

--- Notes a server's system id and start in its node, for find() to compare.
function twins.note(node, facts)
  if type(facts.system_id) == "string" and math.type(facts.started) then
    node.system, node.started = facts.system_id, facts.started
  end
end

--- Notes a finding for each node whose server an earlier node has too: two nodes of one server would be each other's
-- rival. Only the first such node is named, because a server may have thousands of databases.
function twins.find(nodes)
  local seen = {} -- server_key -> {index of the first node, database = index of the first node with it}
  for i, node in ipairs(nodes) do
    if node.system then
      local problem, advice = findings.of(node)
      local first, rival = twins_of(node, nodes, seen)
      if rival then
        problem("remove one of the two from nodes", "is the same server as %s", nodes[rival].name)
      elseif first then
        advice(nil, "is the same server as %s, by another database: plusmoin sees two clusters", nodes[first].name)
      end
      local key = server_key(node, 0)
      seen[key] = seen[key] or { i }
      seen[key][node.dbname] = seen[key][node.dbname] or i
    end
  end
end

return twins
