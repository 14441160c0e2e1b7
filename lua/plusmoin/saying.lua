--- Says what has happened in words for people, as alerts need them. Pure.
local saying = {}

--- Returns the event and its node: "slave down db2".
function saying.short(event)
  return event.name:gsub("_", " ") .. (event.trigger and " " .. event.trigger.name or "")
end

--- Returns one line for a telephone: "slave down db2 in cluster 0: Connection refused (S1)".
function saying.line(event)
  local node = event.trigger
  local why = node and (node.message or node.reason)
  return ("%s in cluster %d%s%s"):format(saying.short(event), event.cluster_id, why and ": " .. why or "",
    event.rule and " (" .. event.rule .. ")" or "")
end

return saying
