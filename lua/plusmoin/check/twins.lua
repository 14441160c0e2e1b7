--- One server under two names.
local findings = require "plusmoin.check.findings"

local twins = {}

local SAME_START = 0.001  -- seconds: two servers do not start in the same millisecond

-- What nodes of one server have in common, but for `near` (-1, 0, 1): how far their starts are rounded apart.
local function server_key(node, near)
  return node.system .. " " .. (node.started // SAME_START + near)
end

-- The first place in `nodes` that `seen` has of the node's server, and the first with its database there; nil: none.
local function twins_of(node, nodes, seen)
  local first, rival
  local function nearer(place, best)
    if place and (not best or place < best) and math.abs(node.started - nodes[place].started) < SAME_START then
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

--- Notes who a server is, by what it tells; find() compares.
function twins.note(node, facts)
  if type(facts.system_id) == "string" and math.type(facts.started) then
    node.system, node.started = facts.system_id, facts.started
  end
end

--- One server under two names would be its own rival. Each is told the first twin that it has: a server may have
-- thousands of databases.
function twins.find(nodes)
  local seen = {} -- server_key -> the first place, and by database
  for i, node in ipairs(nodes) do
    if node.system then
      local problem, advice = findings.of(node)
      local first, rival = twins_of(node, nodes, seen)
      if rival then
        problem("remove one of the two from nodes", "is the same server as %s", nodes[rival].name)
      elseif first then
        advice(nil, "is the same server as %s, by another database: two clusters, for plusmoin", nodes[first].name)
      end
      local key = server_key(node, 0)
      seen[key] = seen[key] or { i }
      seen[key][node.dbname] = seen[key][node.dbname] or i
    end
  end
end

return twins
