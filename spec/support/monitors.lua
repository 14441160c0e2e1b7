--- Several plusmoins of one fleet that agree in etcd, with a journal in place of triggers: each event's two commands
-- append to one file what they were called with (spec/support/journal.c).
local history = require "spec.support.history"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"

local monitors = { PREFIX = "/plusmoin/main/" }

local Group = {}
Group.__index = Group

local EVENTS = { "plusmoin_up", "cluster_created", "split_brain", "master_down", "master_up", "slave_down", "slave_up",
  "node_held", "master_unreachable", "monitor_isolated", "monitor_reconnected" }

local function program()
  local path = proc.shared.journal_program
  if not path then
    path = proc.new_dir("journal") .. "/journal"
    proc.must({ os.getenv("CC") or "gcc", "-O1", "-o", path, "spec/support/journal.c" }, { as_root = true, cwd = "." })
    proc.shared.journal_program = path
  end
  return path
end

--- Options: etcd (a cluster of spec.support.etcd), nodes (servers), ttl (2), slow (ms that the second command of each
-- event takes; 0), slow_first (the first one), stubborn (they do not end by TERM), config (further settings), monitors
-- (further settings of `monitors`).
function monitors.new(options)
  local self = setmetatable({ etcd = options.etcd, options = options, ttl = options.ttl or 2, all = {}, lines = {},
    read = 0 }, Group)
  self.dir = proc.new_dir("monitors")
  self.path = self.dir .. "/journal"
  self.triggers = {}
  for _, event in ipairs(EVENTS) do
    self.triggers[event] = {
      { command = { program(), self.path, "1", tostring(options.slow_first or 0), options.stubborn and "stubborn" } },
      { command = { program(), self.path, "2", tostring(options.slow or 0), options.stubborn and "stubborn" } } }
  end
  self.triggers.plusmoin_heartbeat = false
  return self
end

--- A monitor of this name, started. `more`: monitors (settings of its own there); start (false: it is only prepared);
-- alone (it has no `monitors`).
function Group:monitor(name, more)
  more = more or {}
  local config = { heartbeat = 0.3, monitors = { etcd = self.etcd:urls(), name = name, ttl = self.ttl } }
  for _, from in ipairs { self.options.monitors or {}, more.monitors or {} } do
    for key, value in pairs(from) do
      config.monitors[key] = value
    end
  end
  if more.alone then
    config.monitors = nil
  end
  for key, value in pairs(self.options.config or {}) do
    config[key] = value
  end
  local daemon = plusmoin.new { nodes = self.options.nodes, config = config,
    triggers = more.triggers or self.options.triggers or self.triggers }
  daemon.title = name
  self.all[#self.all + 1] = daemon
  if more.start ~= false then
    daemon:start()
  end
  return daemon
end

--- What a monitor says of itself and the others; nil: it does not answer (it begins, or is frozen).
function monitors.says(daemon)
  local ok, answer = pcall(daemon.ask, daemon, { request = "monitors" }, 2)
  return ok and answer and answer.monitors and answer or nil
end

local function acts(daemon)
  local says = daemon.process and daemon.process:running() and not daemon.frozen and monitors.says(daemon)
  return says and says.acts
end

--- Waits until this one acts.
function monitors.wait_acts(daemon, seconds)
  proc.wait_for(daemon.title .. " to act", seconds or 15, function() return acts(daemon) end,
    function() return daemon:diagnose() end)
  return daemon
end

--- The one that acts; waits for it.
function Group:acting(seconds)
  local found
  proc.wait_for("a monitor that acts", seconds or 30, function()
    for _, daemon in ipairs(self.all) do
      if acts(daemon) then
        found = daemon
        return true
      end
    end
  end, function() return self:diagnose() end)
  return found
end

function Group:diagnose()
  local parts = {}
  for _, daemon in ipairs(self.all) do
    parts[#parts + 1] = daemon.title .. ": " .. (daemon.process and daemon:diagnose() or "not started")
  end
  parts[#parts + 1] = "-- the journal's end --\n" .. (proc.read_file(self.path) or ""):sub(-4000)
  return table.concat(parts, "\n")
end

--- The journal: a list of { what ("start" or "end"), id, number, term, rerun, name, which, cluster, ms, pid }.
function Group:journal()
  local file, list = io.open(self.path, "rb"), self.lines
  if not file then
    return list
  end
  file:seek("set", self.read)
  local text = file:read("a"):match("^.*\n") or "" -- whole lines
  file:close()
  self.read = self.read + #text
  for line in text:gmatch("([^\n]*)\n") do
    local what, id, term, rerun, name, which, cluster, ns, pid = line:match(
      "^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$")
    assert(what, "a broken line in the journal: " .. line)
    list[#list + 1] = { what = what, id = id, number = tonumber(id:match("%-(%d+)$")), term = tonumber(term),
      rerun = rerun == "rerun", name = name, which = tonumber(which), cluster = tonumber(cluster),
      ms = tonumber(ns) / 1e6, pid = tonumber(pid), line = line }
  end
  return list
end

local function fits(entry, want)
  for key, value in pairs(want) do
    if entry[key] ~= value then
      return false
    end
  end
  return true
end

--- The entries that are so: what = "start", name = "slave_down", ...
function Group:entries(want)
  local list = {}
  for _, entry in ipairs(self:journal()) do
    if fits(entry, want) then
      list[#list + 1] = entry
    end
  end
  return list
end

--- Waits for `count` of them (1): the last one.
function Group:wait_entry(want, count, seconds)
  local words = {}
  for key, value in pairs(want) do
    words[#words + 1] = key .. "=" .. tostring(value)
  end
  local what = ("%d of %s in the journal"):format(count or 1, table.concat(words, " "))
  return proc.wait_for(what, seconds or 15, function()
    local list = self:entries(want)
    return #list >= (count or 1) and list[#list]
  end, function() return self:diagnose() end)
end

--- What is kept in etcd of events, by their numbers: a map of number -> record.
function Group:kept(member)
  local kept = {}
  for _, pair in ipairs(history.read(member or self.etcd.members[1], monitors.PREFIX .. "events/")) do
    kept[tonumber(pair.key)] = pair.value
  end
  return kept
end

--- Each run of each event in the journal began by one start without RERUN, at most.
function Group:assert_none_twice()
  local seen = {}
  for _, entry in ipairs(self:entries { what = "start" }) do
    local run = ("%s %d"):format(entry.id, entry.which)
    if seen[run] and not entry.rerun then
      error("twice without RERUN: " .. run .. "\n" .. self:diagnose(), 2)
    end
    seen[run] = true
  end
end

--- Waits until all commands of all kept events have run, and etcd says so.
function Group:wait_all_done(seconds)
  local last
  proc.wait_for("all runs", seconds or 15, function()
    last = nil
    for number, record in pairs(self:kept()) do
      for _, run in ipairs(record.runs) do
        if run.state ~= "done" then
          last = ("%d %s %s"):format(number, run.trigger, run.state)
        end
      end
    end
    return last == nil
  end, function() return tostring(last) .. "\n" .. self:diagnose() end)
end

return monitors
