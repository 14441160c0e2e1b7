--- Renders what `plusmoin monitors` prints, from the control socket's answer.
local answers = require "plusmoin.answers"
local keypath = require "plusmoin.keypath"
local status = require "plusmoin.status"

local get = answers.get
local monitors = {}

local HEAD = { "NAME", "HOST", "ACTS", "SINCE", "ANSWERING", "NOT ANSWERING", "SETTINGS" }
local PARTS = { "nodes", "rules", "triggers" } -- of a monitor's `settings`, in the order of src/core/likeness.h

local function text(value)
  return type(value) == "string" and value ~= "" and keypath.escape(value) or "-"
end

local function count(value)
  return math.tointeger(value) and ("%d"):format(math.tointeger(value)) or "-"
end

local function parts_of(settings)
  local parts = {}
  for part in settings:gmatch("[^-]+") do
    parts[#parts + 1] = part
  end
  return parts
end

-- Returns in words whether a monitor's settings are the same as ours.
local function settings_text(ours, theirs)
  if type(ours) ~= "string" or type(theirs) ~= "string" then
    return "-"
  elseif ours == theirs then
    return "same"
  end
  local own, other, differ = parts_of(ours), parts_of(theirs), {}
  for i, name in ipairs(PARTS) do
    differ[#differ + 1] = own[i] ~= other[i] and name or nil
  end
  return "differ: " .. (#differ > 0 and table.concat(differ, ", ") or "another version's")
end

-- Returns since when a monitor acts, and its term, as far as they are known; "-" where it does not act.
local function acts_text(answer, name, now)
  if name == nil or name ~= get(answer, "acting") then
    return "-"
  end
  local since, term = status.since(get(answer, "acting_since"), now), math.tointeger(get(answer, "term"))
  local parts = {}
  parts[1] = since ~= "-" and "since " .. since or nil
  parts[#parts + 1] = term and ("term %d"):format(term) or nil
  return #parts > 0 and table.concat(parts, ", ") or "yes"
end

local function find_own(answer, list)
  for _, monitor in ipairs(list) do
    if get(monitor, "name") == get(answer, "name") then
      return monitor
    end
  end
end

--- Renders an answer (a table) to {"request": "monitors"}; `now` is in epoch seconds. The text ends with a newline.
function monitors.render(answer, now)
  local list = answers.list(answer, "monitors")
  local ours, rows = get(find_own(answer, list), "settings"), { HEAD }
  for _, monitor in ipairs(list) do
    local name = get(monitor, "name")
    rows[#rows + 1] = { text(name), text(get(monitor, "host")), acts_text(answer, name, now),
      status.since(get(monitor, "since"), now), count(get(monitor, "answering")), count(get(monitor, "not_answering")),
      settings_text(ours, get(monitor, "settings")) }
  end
  table.sort(rows, function(a, b) return b ~= HEAD and (a == HEAD or a[1] < b[1]) end)
  return status.standing(answer) .. status.alarms({ monitors = answer }, now)
    .. (#rows > 1 and status.layout(rows) or "no monitor has its entry in etcd yet\n")
end

return monitors
