--- Renders what `plusmoin runs` prints, from the control socket's answers.
local answers = require "plusmoin.answers"
local keypath = require "plusmoin.keypath"
local status = require "plusmoin.status"

local get = answers.get
local runs = {}

local HEAD = { "ID", "STATE", "SINCE", "WAITS FOR", "TRIGGER", "KIND", "EVENT", "CLUSTER", "NODE" }

-- The daemon's words for what a run waits for -> words for people.
local WAITS = {
  turn = "its turn", place = "a place (trigger_parallel)", host = "its script host", term = "the term",
  sleep = "pm.sleep", exec = "pm.exec", query = "pm.query", http = "pm.http", request = "pm.request",
}

local function text(value)
  return type(value) == "string" and value ~= "" and keypath.escape(value) or "-"
end

local function whole(value)
  return math.tointeger(value) and ("%d"):format(math.tointeger(value)) or "-"
end

-- Returns what a run waits for: a waiting one also behind which run, a function also for how long.
local function wait_text(run, now)
  local word = get(run, "waits_for")
  local found = WAITS[word] or text(word)
  if get(run, "behind") then
    return ("%s (behind %s)"):format(found, text(run.behind))
  elseif get(run, "state") ~= "waiting" and word and status.age(get(run, "waits_since"), now) then
    return ("%s (%s)"):format(found, status.age(run.waits_since, now))
  end
  return found
end

local function kind_text(run)
  local pid = whole(get(run, "pid"))
  return text(get(run, "kind")) .. (pid ~= "-" and ", pid " .. pid or "")
end

local function event_text(run)
  if not get(run, "name") then
    return "-" -- code of a console, which belongs to no event
  end
  return ("%s %s"):format(text(get(run, "name")), text(get(run, "event")))
end

local function cluster_text(run)
  local id = math.tointeger(get(run, "cluster_id"))
  return id and id >= 0 and ("%d"):format(id) or "-"
end

-- Returns a line that says how many runs there are; "" where all of them are listed.
local function counts_text(answer, listed)
  local running, waiting = math.tointeger(get(answer, "running")), math.tointeger(get(answer, "waiting"))
  if not running or not waiting or running + waiting <= listed then
    return ""
  end
  return ("%d of %d are listed: %d run, %d wait\n"):format(listed, running + waiting, running, waiting)
end

--- Renders an answer (a table) to {"request": "runs"}; `now` is in epoch seconds. The text ends with a line break.
function runs.render(answer, now)
  local rows, list = { HEAD }, answers.list(answer, "runs")
  for _, run in ipairs(list) do
    rows[#rows + 1] = { text(get(run, "id")), text(get(run, "state")), status.since(get(run, "since"), now),
      wait_text(run, now), text(get(run, "trigger")), kind_text(run), event_text(run), cluster_text(run),
      text(get(run, "node")) }
  end
  return status.standing(get(answer, "monitors"))
    .. (#list > 0 and status.layout(rows) or "nothing runs, and nothing waits\n") .. counts_text(answer, #list)
end

--- Renders an answer to {"request": "runs_kill"}: which run was ended, and what it did then.
function runs.render_killed(answer)
  local run = get(answer, "run")
  local how = get(run, "state") == "waiting" and "it waited, and does not run" or
    get(run, "state") == "ending" and "it is being ended already" or "it runs, and is ended"
  local of = get(run, "name") and " of " .. event_text(run) or ""
  return ("%s: %s%s: %s\n"):format(text(get(run, "id")), text(get(run, "trigger")), of, how)
end

return runs
