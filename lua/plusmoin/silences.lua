--- Renders what `plusmoin silence` prints, from the control socket's answers.
local answers = require "plusmoin.answers"
local keypath = require "plusmoin.keypath"
local nearest = require "plusmoin.nearest"
local status = require "plusmoin.status"

local get = answers.get
local silences = {}

local HEAD = { "TARGET", "UNTIL", "BY", "SINCE", "REASON" }

local function text(value)
  return type(value) == "string" and value ~= "" and keypath.escape(value) or "-"
end

--- Renders the list, from an answer (a table) to {"request": "silences"}; `now` is in epoch seconds. Returns text that
-- ends with a line break, and whether it is an error.
function silences.render(answer, _, _, now)
  if not get(answer, "ok") then
    return ("plusmoin: %s\n"):format(text(get(answer, "error"))), true
  end
  local rows = { HEAD }
  for _, silence in ipairs(answers.list(answer, "silences")) do
    local gone = get(silence, "gone") and " (not there now)" or ""
    rows[#rows + 1] = { status.silenced(silence) .. gone, status.to_come(get(silence, "until"), now),
      text(get(silence, "by")), status.since(get(silence, "since"), now), text(get(silence, "reason")) }
  end
  return #rows > 1 and status.layout(rows) or "no silences\n", false
end

-- Returns the names and addresses of all nodes of an answer to "status".
local function names_of(answer)
  local names = {}
  local function add(node)
    local host, port = get(node, "host"), math.tointeger(get(node, "port"))
    names[#names + 1] = get(node, "name")
    names[#names + 1] = host and port and ("%s:%d"):format(host, port)
  end
  for _, cluster in ipairs(answers.list(answer, "clusters")) do
    add(get(cluster, "master"))
    for _, place in ipairs { "slaves", "lost" } do
      for _, node in ipairs(answers.list(cluster, place)) do
        add(node)
      end
    end
  end
  for _, node in ipairs(answers.list(answer, "clusterless")) do
    add(node)
  end
  return names
end

-- Returns the name whose host is `word`, else the nearest name; nil where there are no names.
local function nearest_of(word, names)
  for _, name in ipairs(names) do
    if name:sub(1, #word + 1) == word .. ":" then
      return name
    end
  end
  return (nearest.find(word, names))
end

--- Renders the outcome of setting or ending a silence, from the answer (a table). `known` is an answer to "status"
-- where the daemon does not know the name `word`; nil where it was not asked. Returns text, and whether it is an error.
function silences.say(answer, known, word, now)
  local silence = get(answer, "silence")
  if not get(answer, "ok") or not silence then
    local near = known and word and nearest_of(word, names_of(known))
    return ("plusmoin: %s%s\n"):format(text(get(answer, "error")),
      near and ("; the nearest is %s"):format(text(near)) or ""), true
  elseif get(answer, "ended") then
    return ("the silence of %s has ended\n"):format(status.silenced(silence)), false
  end
  return ("no trigger runs for %s until %s\n"):format(status.silenced(silence),
    status.to_come(get(silence, "until"), now)), false
end

return silences
