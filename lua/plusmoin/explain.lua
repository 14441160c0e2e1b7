--- Renders what `plusmoin explain` prints, from the control socket's answer about a node
-- or an event. Pure.
local answers = require "plusmoin.answers"
local keypath = require "plusmoin.keypath"

local get, list = answers.get, answers.list
local explain = {}

local function text(value)
  return keypath.escape(tostring(value or "-"))
end

local function at(seconds, format)
  return type(seconds) == "number" and os.date(format or "%Y-%m-%d %H:%M:%S", math.floor(seconds)) or "-"
end

-- Returns a rule's id with its sentence in the daemon's table of rules.
local function by_rule(rule, sentence)
  return rule and ("%s: %s"):format(text(rule), text(sentence or "")) or "no rule yet"
end

local function why(object)
  local reason, message = get(object, "reason"), get(object, "message")
  if reason and message then
    return ("%s: %s"):format(text(reason), text(message))
  end
  return reason and text(reason) or message and text(message)
end

local function seen_words(look)
  local words = text(get(look, "what"))
  if words == "not asked" then
    return "not asked: plusmoin itself lacks something: " .. text(get(look, "message"))
  end
  if words == "slave" then
    local row = get(look, "row")
    words = row == "none" and "slave, no row" or row == "locked" and "slave, its row is locked"
      or "slave, its row names " .. text(row)
  elseif words == "failure" then
    return why(look) or words
  end
  local said = why(look)
  words = said and ("%s, beat not written: %s"):format(words, said) or words
  if get(look, "fresh") then
    return ("%s; a fresh connection: %s: %s"):format(words, text(look.fresh), text(get(look, "fresh_message")))
  end
  return words
end

local function add_seen(out, answer, words)
  local looks = list(answer, "seen")
  out[#out + 1] = #looks > 0 and words or nil
  for _, look in ipairs(looks) do
    local count = math.tointeger(get(look, "count")) or 1
    out[#out + 1] = ("  %s%s  %s"):format(at(get(look, "from"), "%H:%M:%S"),
      count > 1 and (" - %s (%d times)"):format(at(get(look, "to"), "%H:%M:%S"), count) or "", seen_words(look))
  end
end

-- Adds the vote of each monitor about the node, where several monitors watch the fleet.
local function add_votes(out, answer)
  local said = {}
  for i, vote in ipairs(list(answer, "votes")) do
    said[i] = ("%s: %s%s"):format(text(get(vote, "monitor")), text(get(vote, "sees")),
      get(vote, "reason") and (" (%s)"):format(text(vote.reason)) or "")
  end
  out[#out + 1] = #said > 0 and "votes of the monitors: " .. table.concat(said, ", ") or nil
end

local function event_line(event)
  local said = why(event)
  return ("%s %s at %s in cluster %s%s%s%s"):format(text(get(event, "name")), text(get(event, "id")),
    at(get(event, "time")), text(math.tointeger(get(event, "cluster_id"))),
    get(event, "node") and ": " .. text(event.node) or "",
    get(event, "rule") and ", by " .. by_rule(event.rule, get(event, "sentence")) or "",
    (said and ": " .. said or "") .. (get(event, "silenced") and ", " .. text(event.silenced) or ""))
end

local function add_failing(out, failing)
  if failing then
    local rule = get(failing, "rule")
    out[#out + 1] = ("failing for %.1f s, %d attempts: %s; %s"):format(get(failing, "for") or 0,
      math.tointeger(get(failing, "attempts")) or 0, why(failing) or "-",
      rule and "it keeps its place by " .. by_rule(rule, get(failing, "sentence")) or "no rule keeps it any more")
  end
end

local function add_node(out, answer)
  local node = get(answer, "node")
  local place = ("%s:%s"):format(text(get(node, "host")), text(math.tointeger(get(node, "port"))))
  local name = text(get(node, "name"))
  local id = math.tointeger(get(node, "cluster_id")) or -1
  local said = why(node)
  local placed_by = get(answer, "placed_by")
  out[#out + 1] = ("%s%s: %s%s since %s%s%s"):format(name, name ~= place and (" (%s)"):format(place) or "",
    text(get(node, "state")), id >= 0 and (" in cluster %d"):format(id) or "", at(get(node, "since")),
    placed_by and " by " .. text(placed_by) or "", said and ": " .. said or "")
  out[#out + 1] = ("last judged by %s (since %s)"):format(
    by_rule(get(answer, "rule"), get(answer, "rule_sentence")), at(get(answer, "rule_since")))
  add_failing(out, get(answer, "failing"))
  add_votes(out, answer)
  add_seen(out, answer, "seen:")
  out[#out + 1] = "for the next change:"
  for _, sentence in ipairs(list(answer, "needs")) do
    out[#out + 1] = "  " .. text(sentence)
  end
  local events = list(answer, "events")
  out[#out + 1] = #events > 0 and "events:" or nil
  for _, event in ipairs(events) do
    out[#out + 1] = "  " .. event_line(event)
  end
end

-- How a trigger ended; the lines of a traceback below.
local function add_outcome(out, run)
  local outcome = get(run, "outcome")
  local first = ("  %s: "):format(text(get(run, "trigger")))
  if type(outcome) ~= "string" then
    out[#out + 1] = first .. text(outcome)
    return
  end
  for line in outcome:gmatch("[^\n]+") do
    out[#out + 1] = first .. text((line:gsub("^\t+", "")))
    first = "      "
  end
end

local function add_event(out, event)
  out[#out + 1] = event_line(event)
  add_votes(out, event)
  add_seen(out, event, "seen until then:")
  local triggers = list(event, "triggers")
  out[#out + 1] = #triggers > 0 and "triggers:" or "no trigger is configured for it"
  for _, run in ipairs(triggers) do
    add_outcome(out, run)
  end
end

--- Renders an answer of the socket's (a table); text that ends with a line break.
function explain.render(answer)
  local out = {}
  if get(answer, "event") then
    add_event(out, answer.event)
  else
    add_node(out, answer)
  end
  return table.concat(out, "\n") .. "\n"
end

return explain
