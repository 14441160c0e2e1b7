--- Renders the table that `plusmoin status` prints, from the control socket's answer or
-- from the status file, whose node entries have only the first five keys.
local cjson = require "cjson"
local answers = require "plusmoin.answers"
local keypath = require "plusmoin.keypath"

local get, get_list = answers.get, answers.list
local status = {}

local HEAD = { "CLUSTER", "ROLE", "NODE", "STATE", "LAG", "SINCE", "WHY" }

local function is_number(value)
  return type(value) == "number" and value == value and value > -1e15 and value < 1e15
end

-- Returns a value as one line of text, safe for a terminal; "-" where there is none.
local function show(value)
  if is_number(value) then
    return math.tointeger(value) and ("%d"):format(math.tointeger(value)) or ("%.14g"):format(value)
  elseif type(value) == "string" and value ~= "" then
    return keypath.escape(value)
  end
  return "-"
end

local UNITS = { { 86400, "d" }, { 3600, "h" }, { 60, "min" } }

-- Returns seconds as people say them: "3 h".
local function duration(seconds)
  for _, unit in ipairs(UNITS) do
    if seconds >= unit[1] then
      return ("%d %s"):format(math.floor(seconds / unit[1]), unit[2])
    end
  end
  return ("%d s"):format(math.max(0, math.floor(seconds)))
end

--- Returns how long ago a moment was (epoch seconds both), as people say it; nil where one of them is no number.
function status.age(since, now)
  return is_number(since) and is_number(now) and duration(now - since) or nil
end

--- Returns a moment (epoch seconds) as text, with `now` also how long ago it was; "-" where it is no number.
function status.since(since, now)
  if not is_number(since) then
    return "-"
  end
  local at = os.date("%Y-%m-%d %H:%M:%S", math.floor(since))
  return is_number(now) and ("%s (%s)"):format(at, status.age(since, now)) or at
end

-- Returns seconds that are left, rounded up, in at most two units: "1 d 2 h", "1 h 30 min", "2 min", "45 s".
local function left(seconds)
  for i = 1, #UNITS - 1 do
    local unit, smaller = UNITS[i], UNITS[i + 1]
    if seconds >= unit[1] - 1 then
      local count = math.ceil((seconds - 0.5) / smaller[1])
      local per = unit[1] // smaller[1]
      local rest = count % per
      return ("%d %s"):format(count // per, unit[2]) .. (rest > 0 and (" %d %s"):format(rest, smaller[2]) or "")
    end
  end
  if seconds > 59 then
    return ("%d min"):format(math.ceil((seconds - 0.5) / 60))
  end
  return ("%d s"):format(math.max(0, math.ceil(seconds)))
end

--- Returns a moment to come as text, with `now` also how long it is until then; "-" where it is no number.
function status.to_come(at, now)
  if not is_number(at) then
    return "-"
  end
  local text = os.date("%Y-%m-%d %H:%M:%S", math.floor(at))
  return is_number(now) and ("%s (in %s)"):format(text, left(at - now)) or text
end

local function lag_text(lag)
  return is_number(lag) and ("%.1f s"):format(lag) or "-"
end

local function node_text(node)
  local place = show(get(node, "host")) .. ":" .. show(get(node, "port"))
  local name = show(get(node, "name"))
  return (name == "-" or name == place) and place or ("%s (%s)"):format(name, place)
end

local function why_text(node)
  local reason, message = show(get(node, "reason")), show(get(node, "message"))
  if reason == "-" and get(node, "failing") then
    return show(node.failing)
  end
  if message == "-" then
    return reason
  end
  return reason == "-" and message or reason .. ": " .. message
end

-- The values of a node's key `condition` -> the words for people.
local CONDITIONS = {
  well = "up", failing = "failing", held = "held", vouched_for = "vouched for", isolated = "isolated",
  late = "out of sync", down = "down", unknown = "unknown",
}

--- Returns how the node is, in a few words. `place` is "master", "slave", "lost" or "clusterless". A status
-- file has no condition: a master or slave then counts as up, a lost node as down or out of sync.
function status.state(node, place)
  local condition = get(node, "condition")
  if place == "clusterless" then
    return condition == "well" and "no cluster" or CONDITIONS[condition] or "unknown"
  elseif place == "lost" then
    return CONDITIONS[condition] or "down or out of sync"
  end
  return CONDITIONS[condition] or "up"
end

local function node_row(cluster, node, place, now)
  return {
    cluster, place, node_text(node), status.state(node, place),
    lag_text(get(node, "lag")), status.since(get(node, "since"), now), why_text(node),
  }
end

local function add_list(rows, cluster, list, place, now)
  for _, node in ipairs(list) do
    rows[#rows + 1] = node_row(cluster, node, place, now)
  end
end

local function add_cluster(rows, entry, now)
  local id = show(get(entry, "cluster_id"))
  local master = get(entry, "master")
  if type(master) == "table" then
    rows[#rows + 1] = node_row(id, master, "master", now)
  else
    rows[#rows + 1] = { id, "master", "-", "NO MASTER", "-", "-", "-" }
  end
  add_list(rows, id, get_list(entry, "slaves"), "slave", now)
  add_list(rows, id, get_list(entry, "lost"), "lost", now)
end

local function width(text)
  return utf8.len(text) or #text
end

-- Cuts a text to `limit` characters; it then ends with "...".
local function cut(text, limit)
  if limit < 4 or width(text) <= limit then
    return text
  end
  local stop = utf8.len(text) and utf8.offset(text, limit - 2) or limit - 2
  return text:sub(1, stop - 1) .. "..."
end

--- Returns rows of cells as lines, with columns as wide as their widest cell. The last cell is not padded, and
-- is cut so that a line has at most `limit` characters (nil: any number).
function status.layout(rows, limit)
  local widths, lines, before = {}, {}, 0
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, width(cell))
    end
  end
  for i = 1, #rows[1] - 1 do
    before = before + widths[i] + 2
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for i = 1, #row - 1 do
      cells[i] = row[i] .. (" "):rep(widths[i] - width(row[i]))
    end
    cells[#row] = limit and cut(row[#row], limit - before) or row[#row]
    lines[#lines + 1] = table.concat(cells, "  ")
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Returns a line for each cluster without a master, to be put before the table.
local function shouts(clusters)
  local lines = {}
  for _, entry in ipairs(clusters) do
    if type(get(entry, "master")) ~= "table" then
      lines[#lines + 1] = ("!!! NO MASTER in cluster %s\n"):format(show(get(entry, "cluster_id")))
    end
  end
  return table.concat(lines)
end

-- Returns a line for each fault of triggers in Lua (the answer's key `lua`).
local function lua_lines(state)
  local lines, times = {}, get(state, "made_again")
  for _, entry in ipairs(get_list(state, "not_called")) do
    lines[#lines + 1] = ("!!! %s (%s) is not called: it has held its script host twice; a reload has it called again\n")
      :format(show(get(entry, "trigger")), show(get(entry, "source")))
  end
  if get(state, "state") == "drops" then
    lines[#lines + 1] = ("!!! triggers in Lua are dropped: %s\n"):format(show(get(state, "why")))
  elseif get(state, "state") == "gives no sign" then
    lines[#lines + 1] = "!!! the script host gives no sign: triggers in Lua wait\n"
  end
  if is_number(times) and times > 0 then
    lines[#lines + 1] = ("the script host was made again (%d) from the configuration as it was accepted\n")
      :format(math.floor(times))
  end
  return table.concat(lines)
end

-- Returns the line that says that plusmoin itself is cut off (the answer's key `isolated`: since when).
local function isolated_line(since, now)
  return is_number(since) and ("!!! ISOLATED since %s: plusmoin hears no other host; no loss counts\n")
    :format(status.since(since, now)) or ""
end

-- Returns a line for each two masters of one origin (the answer's key `split_brain`: pairs of names).
local function split_lines(pairs_of_names)
  local lines = {}
  for _, pair in ipairs(pairs_of_names) do
    if type(pair) == "table" then
      lines[#lines + 1] = ("!!! SPLIT BRAIN: %s and %s are masters of one origin\n")
        :format(show(pair[1]), show(pair[2]))
    end
  end
  return table.concat(lines)
end

-- Returns a line for each thing that plusmoin itself lacks for connections (the answer's key `lacks`).
local function lack_lines(lacks, now)
  local lines = {}
  for _, lack in ipairs(lacks) do
    lines[#lines + 1] = ("!!! plusmoin itself lacks something: %s (nodes: %s, not judged by that; since %s)\n")
      :format(show(get(lack, "message")), show(get(lack, "nodes")), status.since(get(lack, "since"), now))
  end
  return table.concat(lines)
end

--- Returns what a silence is about, in words: "all events", "cluster 0", "node db1 (10.0.0.1:5432)".
function status.silenced(silence)
  local kind, target, name = get(silence, "kind"), show(get(silence, "target")), show(get(silence, "name"))
  if kind == "all" then
    return "all events"
  elseif kind == "cluster" then
    return "cluster " .. target
  end
  return "node " .. ((name == "-" or name == target) and target or ("%s (%s)"):format(name, target))
end

local SILENCES = 10 -- shown at most

-- Returns a line for each silence (the answer's key `silences`): no trigger runs for its events.
local function silence_lines(silences, now)
  local lines = {}
  for i = 1, math.min(#silences, SILENCES) do
    local silence = silences[i]
    local reason = show(get(silence, "reason"))
    lines[i] = ("!!! SILENCED: no trigger runs for %s until %s, by %s%s\n"):format(status.silenced(silence),
      status.to_come(get(silence, "until"), now), show(get(silence, "by")), reason ~= "-" and ": " .. reason or "")
  end
  if #silences > SILENCES then
    lines[#lines + 1] = ("!!! and %d more silences: plusmoin silence --list\n"):format(#silences - SILENCES)
  end
  return table.concat(lines)
end

-- Returns the line that says that etcd takes no commit, where several monitors watch one fleet.
local function stuck_line(stuck)
  return stuck and ("!!! no trigger starts: etcd takes no commit: %s\n"):format(show(stuck)) or ""
end

--- Returns a line that says whether this monitor acts, by an answer's `monitors`; "" where it is alone.
function status.standing(monitors)
  if type(answers.given(monitors)) ~= "table" then
    return ""
  elseif get(monitors, "acts") then
    return "acting\n"
  end
  local name = get(monitors, "acting")
  return ("standing by (%s)\n"):format(name and show(name) .. " acts" or "nobody is known to act")
end

--- Returns a line for each fault that is not a node's, by an answer's `monitors`, `isolated`, `split_brain`, `lacks`,
-- `silences` and `lua`; "" where there is none.
function status.alarms(answer, now)
  return stuck_line(get(get(answer, "monitors"), "stuck")) .. isolated_line(get(answer, "isolated"), now)
    .. split_lines(get_list(answer, "split_brain")) .. lack_lines(get_list(answer, "lacks"), now)
    .. silence_lines(get_list(answer, "silences"), now) .. lua_lines(get(answer, "lua"))
end

--- Renders an answer. It has `clusters` and `clusterless` as the status file, node
-- entries with or without the further fields of Lua's node tables, and perhaps
-- `monitors`, `isolated`, `split_brain`, `lacks`, `silences` and `lua`. `opts.now` is in epoch
-- seconds, to tell how long ago; `opts.width` is the number of characters of a line
-- (reasons are cut), nil: no limit. Returns text that ends with a line break.
function status.render(answer, opts)
  local now, limit = opts and opts.now, opts and opts.width
  local rows, clusters = { HEAD }, get_list(answer, "clusters")
  for _, entry in ipairs(clusters) do
    add_cluster(rows, entry, now)
  end
  add_list(rows, "-", get_list(answer, "clusterless"), "clusterless", now)
  return status.standing(get(answer, "monitors")) .. status.alarms(answer, now)
    .. (#rows == 1 and "no nodes\n" or shouts(clusters) .. status.layout(rows, limit))
end

--- Renders what a status file holds (`text`; nil: there is none). The first line tells
-- its age (`opts.age_seconds`) and that the daemon was not asked. It raises no error,
-- whatever the text is.
function status.render_file(text, opts)
  local age = opts and opts.age_seconds
  local head = ("OLD: %s; the daemon was not asked (it does not run, or may not be asked)\n")
    :format(is_number(age) and "this was written " .. duration(age) .. " ago" or "this is of unknown age")
  if text == nil then
    return head .. "there is no status file\n"
  end
  local ok, answer = pcall(cjson.decode, text)
  if not ok or type(answer) ~= "table" then
    return head .. "the status file is damaged: it is no JSON object\n"
  end
  local fine, body = pcall(status.render, answer, opts)
  return head .. (fine and body or "the status file is damaged\n")
end

return status
