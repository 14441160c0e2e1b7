-- journal: appends one line of JSON for every event to a file.
--
-- What for: a record of what happened, for people and for programs, that does not
-- depend on the log's level. Each line is one write to the file's end, so lines of
-- several writers do not mix. The file is opened for every line, so that a rotation
-- needs no signal: rename it, and the next event makes a new one. When a full disk has
-- cut off the last line, a line break is written before the next one.
--
-- Settings:
--   file    absolute path of the file; its directory must exist and be writable for
--           plusmoin's user; required
--
-- Example:
--   "triggers": {
--     "master_down": {"lua": "journal.lua", "settings": {"file": "/var/log/plusmoin/journal"}},
--     ...
--   }
--
-- A line looks like this. Keys without a value are left out; node, master, slaves, lost and
-- clusterless hold names; time is `at` in seconds since the epoch:
--   {"at":"2026-11-23T14:19:55.063Z","clusterless":[],"cluster_id":0,"event":"slave_down",
--    "id":"1795438795-7","lag":0.4,"lost":["db2"],"master":"db1","master_host":"10.0.0.1",
--    "master_port":5432,"message":"...","node":"db2","node_host":"10.0.0.2","node_port":5432,
--    "reason":"refused","rule":"S1","slaves":[],"time":1795443595.063}
local pm = require "plusmoin"
local given = require "plusmoin.given"

local settings = given.check("journal", ..., {
  file = { required = true, allowed = "the absolute path of a file", ok = given.is_path },
})

local function names(nodes)
  local list = pm.json.array {}
  for i, node in ipairs(nodes) do
    list[i] = node.name
  end
  return list
end

-- Returns epoch seconds as RFC 3339 writes them, with milliseconds.
local function date_of(time)
  local ms = math.floor(time * 1000 + 0.5)
  return os.date("!%Y-%m-%dT%H:%M:%S", ms // 1000) .. (".%03dZ"):format(ms % 1000)
end

local function line_of(event)
  local node, master = event.trigger or {}, event.master or {}
  return pm.json.encode {
    at = date_of(event.time), time = event.time,
    id = event.id, event = event.name, rule = event.rule, cluster_id = event.cluster_id,
    node = node.name, node_host = node.host, node_port = node.port,
    reason = node.reason, message = node.message, lag = node.lag,
    master = master.name, master_host = master.host, master_port = master.port,
    slaves = names(event.slaves), lost = names(event.lost), clusterless = names(event.clusterless),
  } .. "\n"
end

-- Returns the file's size if its last line has no line break, else nil.
local function size_if_cut(path)
  local file = io.open(path)
  if not file then
    return nil
  end
  local at = file:seek("end", -1)
  local last = at and file:read(1)
  file:close()
  return last and last ~= "\n" and at + 1 or nil
end

-- Whether the last line is cut off. It looks so for a moment while another writer writes it, so this waits a little.
local function is_cut_off(path)
  local size = size_if_cut(path)
  if not size then
    return false
  end
  pm.sleep(0.02)
  return size_if_cut(path) == size
end

-- Appends the line. Raises an error unless all of it is in the file.
local function append(path, line)
  if is_cut_off(path) then
    line = "\n" .. line
  end
  local file, why = io.open(path, "a")
  if not file then
    error("journal: " .. why, 0)
  end
  file:setvbuf("no") -- a line is one write; a buffer would split a long one
  local written, write_error = file:write(line)
  local closed, close_error = file:close()
  if not (written and closed) then
    error(("journal: %s: %s"):format(path, write_error or close_error), 0)
  end
end

return function(event)
  append(settings.file, line_of(event))
end
