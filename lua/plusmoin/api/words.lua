-- The types whose values are one of several texts; other rows name them as types (lua/plusmoin/api.lua).
local settings = require "plusmoin.settings"

local function event_names()
  local names = {}
  for i, row in ipairs(settings.below("triggers.")) do
    names[i] = settings.key(row)
  end
  return names
end

return {
  { name = "EventName", doc = "An EventName is the name of an event, a key of `triggers`.", values = event_names() },
  { name = "NodeState", doc = "A NodeState is a node's place.", values = { "master", "slave", "lost", "clusterless" } },
  { name = "Reason", doc = "A Reason says in one word why a node is down.",
    values = { "refused", "unreachable", "dns", "timeout", "reset", "starting", "shutting_down", "full", "auth",
      "no_database", "tls", "hung", "no_new_connections", "query_error", "read_only", "table", "malformed", "lag",
      "demoted", "same_server" } },
  { name = "VoteSays", doc = "A VoteSays is what a monitor sees of a node.",
    values = { "answers", "fails", "cannot say", "open" } },
}
