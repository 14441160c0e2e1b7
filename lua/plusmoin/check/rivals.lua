--- Finds masters of one origin: copies of one server that both take writes. The daemon fires split_brain for them.
local findings = require "plusmoin.check.findings"
local twins = require "plusmoin.check.twins"

local rivals = {}

--- Notes advice for each master that shares its origin with an earlier one. Runs after twins.note(), which keeps each
-- server's system id. Only the first master of an origin is named, because a fleet may have many copies of one image.
function rivals.find(nodes)
  local first = {} -- system id -> the first master's node
  for _, node in ipairs(nodes) do
    if node.system and node.is_slave == false and not node.ignore_system_id then
      local rival = first[node.system]
      if not rival then
        first[node.system] = node
      elseif not twins.are_one(rival, node) then
        local _, advice = findings.of(node)
        advice('stop the one that is not to take writes; "ignore_system_id": true is for a copy that is a master on '
          .. "purpose", "is a master of the same origin as the master %s: both take writes (split_brain)", rival.name)
      end
    end
  end
end

return rivals
