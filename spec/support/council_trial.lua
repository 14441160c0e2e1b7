--- A fleet of two clusters of real servers and four of stand-ins, watched by three monitors that agree in three members
-- of etcd, each monitor with a link of its own to each member, one of them (`stepped`) with a clock that can be set;
-- and the account of it: what etcd's history says was committed, beside what the journal says was started
-- (spec/support/history.lua, monitors.lua).
local etcd = require "spec.support.etcd"
local faked = require "spec.support.faked"
local history = require "spec.support.history"
local links = require "spec.support.links"
local machine = require "spec.support.machine"
local monitors = require "spec.support.monitors"
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"
local standin = require "spec.support.standin"

local trial = {}

local Trial = {}
Trial.__index = Trial

local SETTLE_SECONDS = 45
local REVISIONS_TOLD = 60
local CROWD_CLUSTERS, CROWD_SIZE = 4, 4
local RESTLESS_MS = 120

-- The third trigger of each event counts its own runs in pm.state, where each has to be counted once: with its end.
local COUNTER, COUNTS = 3, [[
local pm = require "plusmoin"
return function(event)
  local name = "event" .. event.id:match("%d+$")
  pm.state[name] = (pm.state[name] or 0) + 1
  pm.sleep(0.05)
end
]]

--- Options: ttl (2), slow (ms of each event's second command; 100).
function trial.new(options)
  local self = setmetatable({ ttl = options.ttl or 2, clusters = {}, daemons = {}, links = {}, problems = {},
    tally = {}, down = {}, turned_ms = 0, events = {}, open = {} }, Trial)
  self.etcd = etcd.start(3, { args = { "--snapshot-count", "1000" } })
  local nodes = {}
  for i = 1, 2 do
    local master, slaves = pg.cluster(1, { family = i })
    self.clusters[i] = { master = master, slave = slaves[1] }
    nodes[#nodes + 1], nodes[#nodes + 2] = master, slaves[1]
  end
  self.stand = standin.start()
  table.move(self.stand:clusters("c", CROWD_CLUSTERS, CROWD_SIZE, "127.27.0.1"), 1, CROWD_CLUSTERS * CROWD_SIZE,
    #nodes + 1, nodes)
  self.history = history.of(self.etcd, monitors.PREFIX)
  self.history.heard = function(one) self:hear(one) end
  self.group = monitors.new { etcd = self.etcd, nodes = nodes, ttl = self.ttl, slow = options.slow or 100,
    config = { trigger_timeout = 60 } }
  proc.write_file(self.group.dir .. "/counts.lua", COUNTS)
  for _, actions in pairs(self.group.triggers) do
    if actions then
      actions[COUNTER] = { lua = self.group.dir .. "/counts.lua" }
    end
  end
  for i = 1, 3 do
    local urls = {}
    self.links[i] = {}
    for j, member in ipairs(self.etcd.members) do
      self.links[i][j] = links.to(member.port)
      urls[j] = self.links[i][j].url
    end
    self.daemons[i] = self.group:monitor("m" .. i, { monitors = { etcd = urls }, start = false })
    self.daemons[i].index = i
    if i == 3 and not machine.lacks("faked") then
      self.stepped = faked.prepare(self.daemons[i])
    end
    self.daemons[i]:start()
  end
  self.group:acting()
  return self
end

-- A slave of the stand-ins dies or comes back, now and then: so that something is under way at any moment.
local function turn_one(self)
  if proc.mono_ms() - self.turned_ms < RESTLESS_MS then
    return
  end
  self.turned_ms = proc.mono_ms()
  local name = ("c%d"):format((math.random(CROWD_CLUSTERS) - 1) * CROWD_SIZE + math.random(2, CROWD_SIZE))
  self.stand:play(name .. (self.down[name] and " serve" or " die"))
  self.down[name] = not self.down[name] or nil
end

--- So many ms pass, in which the stand-ins die and come back.
function Trial:pass(ms)
  proc.watch(math.max(ms, 1) / 1000, function() turn_one(self) end)
end

--- All stand-ins are up again, and stay so.
function Trial:rest()
  self.stand:play("* serve")
  self.down = {}
end

function Trial:diagnose()
  local lines = { self.group:diagnose() }
  for _, one in ipairs(self.history:revisions()) do
    for _, change in ipairs(one.changes) do
      local runs = {}
      for i, run in ipairs(type(change.value) == "table" and change.value.runs or {}) do
        runs[i] = run.state
      end
      if change.key == "lead" or change.key:find("^events/") then
        lines[#lines + 1] = ("%d at %.0f: %s %s %s"):format(one.revision, one.ms, change.key,
          change.gone and "gone" or change.value.name, table.concat(runs, ","))
      end
    end
  end
  return lines[1] .. "\n-- etcd's last revisions --\n" ..
    table.concat(lines, "\n", math.max(2, #lines - REVISIONS_TOLD))
end

--- Notes what a revision says of events, and which of them have runs that are not over.
function Trial:hear(one)
  for _, change in ipairs(one.changes) do
    local number = tonumber(change.key:match("^events/(%d+)$"))
    if number and not change.gone then
      self.events[number], self.open[number] = change.value, nil
      for _, run in ipairs(change.value.runs) do
        if run.state ~= "done" and run.state ~= "unknown" then
          self.open[number] = ("%d %s %s"):format(number, run.trigger, run.state)
        end
      end
    end
  end
end

--- The events of etcd as they were written last, also those that went since: number -> record.
function Trial:records()
  return self.events
end

-- `fn`, looked at each 30 ms at most: the links and watches of this process have its time.
local function now_and_then(fn)
  local next_ms = 0
  return function()
    if proc.mono_ms() < next_ms then
      return false
    end
    local result = fn()
    next_ms = proc.mono_ms() + 30
    return result
  end
end

--- Waits for an event `name` of this server with a number above `after`; its number.
function Trial:wait_event(name, server, after, seconds)
  local found
  proc.wait_for(("%s of %s in etcd"):format(name, server.name), seconds or SETTLE_SECONDS, now_and_then(function()
    for number, record in pairs(self:records()) do
      local node = type(record.node) == "table" and record.node
      if number > after and record.name == name and node and node.host == server.host and node.port == server.port then
        found = number
        return true
      end
    end
  end), function() return self:diagnose() end)
  return found
end

function Trial:highest_event()
  local highest = 0
  for number in pairs(self:records()) do
    highest = math.max(highest, number)
  end
  return highest
end

-- Whether all is heard of that etcd has written.
local function is_whole(self)
  for _, member in ipairs(self.etcd.members) do
    local ok, _, revision = pcall(history.read, member, monitors.PREFIX .. "lead")
    if ok and revision then
      return self.history.highest >= revision
    end
  end
end

--- Waits until all runs of all events are done, some monitor acts, and etcd's history is known so far.
function Trial:settle()
  local acting = self.group:acting(SETTLE_SECONDS)
  proc.wait_for("all runs", SETTLE_SECONDS, now_and_then(function()
    return next(self.open) == nil and is_whole(self)
  end), function() return tostring(self.open[next(self.open)]) .. "\n" .. self:diagnose() end)
  return acting
end

local function problem(self, what, format, ...)
  self.tally[what] = (self.tally[what] or 0) + 1
  if not self.problems[what .. format:format(...)] then
    self.problems[what .. format:format(...)] = true
    table.insert(self.problems, what .. ": " .. format:format(...))
  end
end

-- Terms in order: { from, to (the revision at which it was gone; nil: it lasts), lead, gone_ms }.
local function terms_of(revisions)
  local terms, by_number, open = {}, {}, nil
  for _, one in ipairs(revisions) do
    for _, change in ipairs(one.changes) do
      if change.key == "lead" then
        if open then
          open.to, open.gone_ms = one.revision, one.ms
        end
        open = not change.gone and { from = one.revision, lead = change.value, began_ms = one.ms } or nil
        if open then
          terms[#terms + 1], by_number[one.revision] = open, open
        end
      end
    end
  end
  return terms, by_number
end

-- Each commit belongs to the term that stood at its revision. Returns where each run was told as started:
-- "NUMBER WHICH" -> a list of revisions.
local function check_commits(self, revisions)
  local lead, started = nil, {}
  for _, one in ipairs(revisions) do
    local meta, touches = nil, false
    for _, change in ipairs(one.changes) do
      if change.key == "lead" then
        lead = not change.gone and change.value or nil
      elseif change.key == "state/meta" then
        meta = change.value
      end
      touches = touches or change.key:find("^state/") ~= nil or change.key:find("^events/") ~= nil
      local number = change.key:match("^events/(%d+)$")
      for which, run in ipairs(number and not change.gone and change.value.runs or {}) do
        if run.state == "started" then
          local key = ("%d %d"):format(tonumber(number), which)
          started[key] = started[key] or {}
          table.insert(started[key], one.revision)
        end
      end
    end
    if touches and not (lead and meta and meta.writer == lead.instance) then
      problem(self, "commit of another term", "revision %d by %s, while %s led", one.revision,
        tostring(meta and meta.writer), tostring(lead and lead.instance))
    end
  end
  return started
end

-- Each run of the third trigger that is told as done is counted in the revision that says so, and is counted once.
local function check_counts(self, revisions)
  local counted = {}
  for _, one in ipairs(revisions) do
    local values = {}
    for _, change in ipairs(one.changes) do
      values[change.key] = change.value
    end
    for _, change in ipairs(one.changes) do
      local number = tonumber(change.key:match("^events/(%d+)$"))
      local run = number and not change.gone and change.value.runs[COUNTER]
      if run and run.state == "done" and not counted[number] and tostring(run.outcome):find("^done in ") then
        counted[number] = true
        local value = values[("pm.state/event%d"):format(number)]
        if value ~= "i1;" then
          problem(self, "not counted once with its end", "%d at revision %d: %s", number, one.revision, tostring(value))
        end
      end
    end
  end
  return counted
end

local function check_starts(self, records, started, terms)
  local seen, in_term, place = {}, {}, {}
  for _, entry in ipairs(self.group:entries { what = "start" }) do
    local run = ("%d %d"):format(entry.number, entry.which)
    local term = terms[entry.term]
    local stands = false
    for _, revision in ipairs(started[run] or {}) do
      stands = stands or term and revision >= term.from and (not term.to or revision < term.to)
    end
    if not records[entry.number] or records[entry.number].id ~= entry.id then
      problem(self, "not committed", "%s", entry.line)
    elseif not stands then
      problem(self, "start under another term", "%s", entry.line)
    end
    if seen[run] and not entry.rerun then
      problem(self, "twice without RERUN", "%s", entry.line)
    end
    if in_term[run .. " " .. entry.term] then
      problem(self, "twice in a term", "%s", entry.line)
    end
    local at = entry.number * 10 + entry.which
    if at < (place[entry.cluster] or 0) or at == place[entry.cluster] and not entry.rerun then
      problem(self, "out of order", "%s", entry.line)
    end
    place[entry.cluster] = at
    in_term[run .. " " .. entry.term], seen[run] = true, true
    if term and term.gone_ms and entry.ms > term.gone_ms + 1 then
      self.late[entry.line] = entry.ms - term.gone_ms
    end
    if entry.rerun then
      self.reruns[entry.line] = true
    end
  end
  return seen
end

--- What stands wrong so far: all of it is looked at again.
function Trial:check()
  local revisions, records = self.history:revisions(), self:records()
  local _, terms = terms_of(revisions)
  self.late, self.reruns = {}, {}
  local seen = check_starts(self, records, check_commits(self, revisions), terms)
  local counted = check_counts(self, revisions)
  self.runs, self.counted = 0, 0
  for number, record in pairs(records) do
    for which, run in ipairs(record.runs) do
      self.runs = self.runs + 1
      if which == COUNTER then
        self.counted = self.counted + (counted[number] and 1 or 0)
      elseif not seen[("%d %d"):format(number, which)] then
        problem(self, "lost", "%d %s: %s, %s", number, run.trigger, run.state, tostring(run.outcome))
      end
    end
  end
  self.terms, self.commits = terms_of(revisions), #revisions
  if #self.problems > 0 then
    error(table.concat(self.problems, "\n") .. "\n" .. self:diagnose(), 2)
  end
end

--- Lets all go that a failed round may have left frozen or held.
function Trial:release()
  for _, daemon in ipairs(self.daemons) do
    if daemon.frozen and daemon.process:running() then
      proc.uv.kill(daemon.process.pid, "sigcont")
      daemon.frozen = nil
    end
  end
  for _, member in ipairs(self.etcd.members) do
    if member.process:running() then
      member:thaw()
    end
  end
end

return trial
