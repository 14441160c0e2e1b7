-- journal: one line of JSON for every event, appended to a file.
--
-- What for: a record of what happened, for people and for programs, that does not
-- depend on the log's level. Lines of several clusters are never mixed: each is one
-- write to the file's end. The file is opened for every line, so that a rotation
-- needs no signal: rename it, and the next event makes a new one.
--
-- Settings:
--   file    path of the file; its directory must exist and be writable for
--           plusmoin's user
--
-- Example:
--   "triggers": {
--     "master_down": {"lua": "journal.lua", "settings": {"file": "/var/log/plusmoin/journal"}},
--     ...
--   }
--
-- A line (what does not apply is left out; slaves, lost and clusterless are names):
--   {"clusterless":[],"cluster_id":0,"event":"slave_down","id":"1795438795-7","lost":["db2:5432"],
--    "master":"db1:5432","message":"...","node":"db2:5432","reason":"refused","rule":"S1",
--    "slaves":[],"time":1795438795.063}
local pm = require "plusmoin"

local settings = ...

for key in pairs(settings) do
  if key ~= "file" then
    error(("journal: unknown setting %q; allowed: file"):format(tostring(key)), 0)
  end
end
if type(settings.file) ~= "string" or settings.file == "" then
  error("journal: settings.file is missing; allowed: the path of a file", 0)
end

local function names(nodes)
  local list = pm.json.array {}
  for i, node in ipairs(nodes) do
    list[i] = node.name
  end
  return list
end

local function line_of(event)
  local node = event.trigger or {}
  return pm.json.encode {
    time = event.time, id = event.id, event = event.name, rule = event.rule, cluster_id = event.cluster_id,
    node = node.name, reason = node.reason, message = node.message, lag = node.lag,
    master = event.master and event.master.name,
    slaves = names(event.slaves), lost = names(event.lost), clusterless = names(event.clusterless),
  } .. "\n"
end

-- Raises when the line is not in the file, all of it.
local function append(path, line)
  local file, why = io.open(path, "a")
  if not file then
    error("journal: " .. why, 0)
  end
  file:setvbuf("full", #line + 1) -- one write for one line
  local written, write_error = file:write(line)
  local closed, close_error = file:close()
  if not (written and closed) then
    error(("journal: %s: %s"):format(path, write_error or close_error), 0)
  end
end

return function(event)
  append(settings.file, line_of(event))
end
