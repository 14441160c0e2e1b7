--- What has happened, in the words for people that alerts say. Pure, nothing waits.
local saying = {}

--- "slave down db2": the event and its node.
function saying.short(event)
  return event.name:gsub("_", " ") .. (event.trigger and " " .. event.trigger.name or "")
end

--- "slave down db2 in cluster 0: Connection refused (S1)": one line for a telephone.
function saying.line(event)
  local node = event.trigger
  local why = node and (node.message or node.reason)
  return ("%s in cluster %d%s%s"):format(saying.short(event), event.cluster_id, why and ": " .. why or "",
    event.rule and " (" .. event.rule .. ")" or "")
end

return saying
