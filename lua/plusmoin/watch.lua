--- Renders what `plusmoin watch` shows: the nodes of the running daemon and its last
-- events, in lines that fit the terminal.
local cjson = require "cjson"
local answers = require "plusmoin.answers"
local keypath = require "plusmoin.keypath"
local status = require "plusmoin.status"

local get = answers.get
local watch = {}

local EVENTS = 10
local RESET = "\27[0m"
local COLORS = { bad = "\27[31m", good = "\27[32m", dim = "\27[2m", bold = "\27[1m" }

local function decode(text)
  local ok, value = pcall(cjson.decode, text or "")
  return ok and type(value) == "table" and get(value, "ok") == true and value or nil
end

local UNITS = { { 86400, "d" }, { 3600, "h" }, { 60, "m" } }

local function span(seconds)
  for _, unit in ipairs(UNITS) do
    if seconds >= unit[1] then
      return ("%d%s"):format(seconds // unit[1], unit[2])
    end
  end
  return ("%ds"):format(math.max(0, seconds // 1))
end

-- Pads or cuts a text to `width` characters. The caller has escaped bytes that are no UTF-8.
local function fit(text, width)
  local length = utf8.len(text) or #text
  if length <= width then
    return text .. (" "):rep(width - length)
  end
  return text:sub(1, (utf8.offset(text, width) or width) - 1) .. "~"
end

local function why(node)
  local reason, message = get(node, "reason"), get(node, "message")
  if reason and message then
    return reason .. ": " .. message
  end
  return reason or message or get(node, "failing") or ""
end

local function state(node, place)
  local word = status.state(node, place)
  return word, word == "up" and "good" or "bad"
end

-- Returns the nodes of an answer as rows {cluster, role, node, state, lag, for, why, color = ...}.
local function rows_of(answer, now)
  local rows = {}
  local function add(cluster, node, place)
    local word, color = state(node, place)
    local lag, since = get(node, "lag"), get(node, "since")
    rows[#rows + 1] = {
      cluster, place == "clusterless" and "-" or place, keypath.escape(get(node, "name") or get(node, "host") or "?"),
      word, lag and ("%.1fs"):format(lag) or "-", since and span(now - since) or "-", keypath.escape(why(node)),
      color = color,
    }
  end
  for _, cluster in ipairs(get(answer, "clusters") or {}) do
    local id = ("%d"):format(get(cluster, "cluster_id") or -1)
    if get(cluster, "master") then
      add(id, cluster.master, "master")
    else
      rows[#rows + 1] = { id, "master", "-", "NO MASTER", "-", "-", "", color = "bad" }
    end
    for _, place in ipairs { "slaves", "lost" } do
      for _, node in ipairs(get(cluster, place) or {}) do
        add(id, node, place == "slaves" and "slave" or "lost")
      end
    end
  end
  for _, node in ipairs(get(answer, "clusterless") or {}) do
    add("-", node, "clusterless")
  end
  return rows
end

local HEAD = { "CL", "ROLE", "NODE", "STATE", "LAG", "FOR", "WHY", color = "bold" }
local NODE, LAST = 3, 7
local LONGEST = { 4, 6, 32, 11, 8, 5 }

-- Returns the widths of the columns: as wide as needed, at most LONGEST. The last column gets the rest of the line.
local function widths_of(rows, width)
  local widths, used = {}, 0
  for i = 1, LAST - 1 do
    widths[i] = 0
    for _, row in ipairs(rows) do
      widths[i] = math.max(widths[i], math.min(LONGEST[i], utf8.len(row[i]) or #row[i]))
    end
    used = used + widths[i] + 1
  end
  widths[LAST] = math.max(0, width - used)
  if used > width then
    widths[NODE] = math.max(1, widths[NODE] - (used - width))
  end
  return widths
end

local function paint(text, color, opts)
  text = text:gsub("%s+$", "")
  return opts.color and color and COLORS[color] .. text .. RESET or text
end

local function table_lines(lines, rows, opts)
  table.insert(rows, 1, HEAD)
  local widths = widths_of(rows, opts.width)
  for _, row in ipairs(rows) do
    local cells = {}
    for i = 1, LAST do
      cells[i] = fit(row[i], widths[i])
    end
    lines[#lines + 1] = paint(table.concat(cells, " "), row.color, opts)
  end
end

local BAD = { master_down = true, slave_down = true, monitor_isolated = true }

local function event_lines(lines, events, opts)
  for i = #events, math.max(1, #events - EVENTS + 1), -1 do
    local event = events[i]
    local id = get(event, "cluster_id") or -1
    local text = ("%s %s%s%s%s%s%s"):format(os.date("%H:%M:%S", (get(event, "time") or 0) // 1),
      get(event, "name") or "?", id >= 0 and (" cluster %d"):format(id) or "",
      get(event, "node") and " " .. event.node or "",
      get(event, "rule") and " by " .. event.rule or "", get(event, "restored") and " (restored)" or "",
      (get(event, "silenced") and ", " .. event.silenced or "") .. (why(event) ~= "" and ": " .. why(event) or ""))
    lines[#lines + 1] = paint(fit(keypath.escape(text), opts.width), BAD[event.name] and "bad" or nil, opts)
  end
end

local function count(rows, color)
  local n = 0
  for _, row in ipairs(rows) do
    n = n + (row.color == color and 1 or 0)
  end
  return n
end

--- Renders the answers (JSON; nil: the daemon did not answer) to the requests `status`
-- and `events`. opts: now (epoch seconds), width (characters of a line), color (boolean).
-- Returns text that ends with a line break.
function watch.render(answered, events, opts)
  local answer, heard = decode(answered), decode(events)
  local clock = os.date("%Y-%m-%d %H:%M:%S", opts.now // 1)
  if not answer then
    return paint(fit("plusmoin  " .. clock .. "  NO ANSWER from the daemon", opts.width), "bad", opts) .. "\n"
  end
  local rows = rows_of(answer, opts.now)
  local bad, amiss = count(rows, "bad"), status.alarms(answer, opts.now)
  local well = bad == 0 and not amiss:find("!!!", 1, true)
  local words = well and "all is well" or bad == 0 and "not well, see below" or bad .. " not well"
  local lines = { paint(fit(("plusmoin  %s  %s"):format(clock, words), opts.width), well and "good" or "bad", opts) }
  local standing = status.standing(get(answer, "monitors")):match("[^\n]+")
  lines[#lines + 1] = standing and paint(fit(standing, opts.width), nil, opts)
  for text in amiss:gmatch("([^\n]*)\n") do
    lines[#lines + 1] = paint(fit(text, opts.width), "bad", opts)
  end
  lines[#lines + 1] = ""
  table_lines(lines, rows, opts)
  lines[#lines + 1] = ""
  lines[#lines + 1] = paint("Last events:", "bold", opts)
  event_lines(lines, get(heard, "events") or {}, opts)
  return table.concat(lines, "\n") .. "\n"
end

return watch
