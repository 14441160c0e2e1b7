--- What a script does to a fleet of stand-ins, and the account of it: each event that plusmoin fires must be one that
-- the script's own deeds cause, within its time; none may come that they do not cause, and none may be missed.
--
-- Each cluster plays its deeds in a coroutine of its own, one after another: in it `play`, `rest` and `expect` wait,
-- while other clusters play theirs. Events are read from plusmoin's log, where a function (`ledger.LUA`) writes each
-- that it is called with; that each event that was concluded is told once is accounted for as well.
local proc = require "spec.support.proc"

--- For a Lua configuration: what runs at each event.
local ledger = { LUA = [[
local pm = require "plusmoin"
for name in pairs(config.triggers) do
  config.triggers[name] = function(event)
    pm.log.info("told %s %s %.3f", event.name, event.trigger and event.trigger.host or "-", event.time)
  end
end
]] }

local EARLY_S = 0.003  -- events' times are whole milliseconds, of the clock as it was at plusmoin's start
local LOG_S = 3        -- so much later than its event a line may be read
local STALL_ENDS_S = 6 -- what a stall of the stand-ins causes is over then: the longest wait for an event
local KEPT = 30        -- lines of a cluster's own log

local Ledger, Cluster = {}, {}
Ledger.__index, Cluster.__index = Ledger, Cluster

local function epoch_s()
  local seconds, micros = proc.uv.gettimeofday()
  return seconds + micros / 1e6
end

local function note(cluster, format, ...)
  table.insert(cluster.log, ("%.3f "):format(epoch_s() % 1000) .. format:format(...))
  if #cluster.log > KEPT then
    table.remove(cluster.log, 1)
  end
end

-- ---- a cluster's side, in its coroutine ------------------------------------

--- Plays lines of the stand-ins' script.
function Cluster:play(...)
  self.lines = { ... }
  coroutine.yield(function() return self.lines == nil end)
end

--- So long (s) nothing happens to this cluster, and it has no event.
function Cluster.rest(_, seconds)
  local over = epoch_s() + seconds
  coroutine.yield(function() return epoch_s() >= over end)
end

--- Waits for these events, in any order: { name, node } each. They must come at the earliest `from` seconds (default 0)
-- after what was played last, and at most `book.late` s later.
function Cluster:expect(wanted, from)
  local latest = self.done + (from or 0) + self.book.late
  for _, want in ipairs(wanted) do
    self.wanted[want[1] .. " " .. want[2].host] = { from = self.began + (from or 0) - EARLY_S, to = latest }
  end
  coroutine.yield(function() return next(self.wanted) == nil or epoch_s() > latest + LOG_S end)
  for key in pairs(self.wanted) do
    self.book:problem(self, "missed", key)
  end
  self.wanted = {}
end

-- ---- the book --------------------------------------------------------------

--- `stand`: plays the nodes; `daemon`: its Lua configuration has `ledger.LUA`. `late`: so many seconds after the
-- earliest moment an event may come.
function ledger.new(stand, daemon, late)
  return setmetatable({ stand = stand, daemon = daemon, late = late, clusters = {}, of_host = {}, untold = {},
    delays = {}, problems = {}, stalls = {}, read = 0, rest = "", told = 0 }, Ledger)
end

--- A cluster of these nodes, which plays `life(cluster)`: a function that never ends.
function Ledger:cluster(nodes, life)
  local cluster = setmetatable({ book = self, nodes = nodes, log = {}, wanted = {}, began = 0, done = 0 }, Cluster)
  cluster.life = coroutine.create(life)
  cluster.ready = function() return true end
  self.clusters[#self.clusters + 1] = cluster
  for _, node in ipairs(nodes) do
    self.of_host[node.host] = cluster
  end
  return cluster
end

--- An event that is not as it should be: `what` is "false", "missed", "early" or "late".
function Ledger:problem(cluster, what, event)
  note(cluster, "%s: %s", what, event)
  table.insert(self.problems, { at = epoch_s(), text = ("%s: %s; its cluster's log:\n  %s"):format(what, event,
    table.concat(cluster.log, "\n  ")) })
end

local function account(self, name, host, time)
  if not self.is_open then
    return
  end
  local cluster, key = self.of_host[host], name .. " " .. host
  local want = cluster.wanted[key]
  self.told = self.told + 1
  note(cluster, "%s at %.3f", key, time % 1000)
  if not want then
    self:problem(cluster, "false", key)
    return
  end
  cluster.wanted[key] = nil
  if time < want.from or time > want.to then
    self:problem(cluster, time < want.from and "early" or "late", key)
  end
  local kind = cluster.deed .. ": " .. name
  self.delays[kind] = self.delays[kind] or {}
  table.insert(self.delays[kind], time - cluster.began)
end

-- Concluded: one more that is to be told; told: one less.
local function count(self, name, label, by)
  local key = name .. " " .. label
  local left = (self.untold[key] or 0) + by
  self.untold[key] = left ~= 0 and left or nil
end

local function read_line(self, line)
  local name, host, time = line:match(" told ([%w_]+) (%S+) (%S+) ")
  local label = line:match(" node=(%S+)")
  if self.of_host[host] then
    count(self, name, label, -1)
    account(self, name, host, tonumber(time))
  elseif label then
    name = line:match(" event=([%w_]+)$")
    if name then
      count(self, name, label, 1)
    end
  end
end

-- What plusmoin's log has had since it was last read.
local function read_log(self)
  local file = assert(io.open(self.daemon.out_path, "rb"))
  file:seek("set", self.read)
  local text = file:read("a")
  file:close()
  self.read = self.read + #text
  text = self.rest .. text
  local from = 1
  while text:find("\n", from, true) do
    local line, behind = text:match("([^\n]*)\n()", from)
    read_line(self, line)
    from = behind
  end
  self.rest = text:sub(from)
end

-- Lets it go on, unless it must wait.
local function step(cluster)
  if cluster.ready() then
    local ok, ready = coroutine.resume(cluster.life, cluster)
    assert(ok, ready)
    cluster.ready = ready
  end
end

-- Plays what the clusters want to be played; they go on at once, so that what they expect stands before it is read.
local function play(self)
  local lines, players = {}, {}
  for _, cluster in ipairs(self.clusters) do
    if cluster.lines then
      players[#players + 1] = cluster
      table.move(cluster.lines, 1, #cluster.lines, #lines + 1, lines)
      note(cluster, "%s", table.concat(cluster.lines, ", "))
    end
  end
  if #lines == 0 then
    return
  end
  local began = epoch_s()
  self.stand:play(table.unpack(lines))
  for _, cluster in ipairs(players) do
    cluster.began, cluster.done, cluster.lines = began, epoch_s(), nil
    step(cluster)
  end
end

--- From now on each event counts: the start is over, and all that it has caused is told.
function Ledger:open()
  proc.wait_for("all events of the start", 10, function()
    read_log(self)
    return self:all_told()
  end, function() return self:untold_text() end)
  self.is_open = true
end

--- One turn: accounts for what has been fired, and lets each cluster go on that need not wait any longer.
function Ledger:turn()
  read_log(self)
  for _, cluster in ipairs(self.clusters) do
    step(cluster)
  end
  play(self)
end

--- Whether each event that was concluded has been told.
function Ledger:all_told()
  return next(self.untold) == nil
end

--- The events that were concluded and not told, and the other way round: lines of text.
function Ledger:untold_text()
  local lines = {}
  for key, left in pairs(self.untold) do
    lines[#lines + 1] = ("%s: concluded %d times more than told"):format(key, left)
  end
  return table.concat(lines, "\n")
end

--- Notes when the stand-ins stood still for `least_ms` or longer, as this machine ran others: they were silent then,
-- whatever the script says. To be called now and then, the first time before it counts.
function Ledger:note_stalls(least_ms)
  for ended, ms in self.stand:play("stalls " .. least_ms):gmatch("stall (%d+) (%d+)") do
    table.insert(self.stalls, { from = (ended - ms) / 1000, to = ended / 1000 + STALL_ENDS_S })
  end
end

local function is_beside(stalls, at)
  for _, stall in ipairs(stalls) do
    if at >= stall.from and at <= stall.to then
      return true
    end
  end
end

--- The problems, a list of texts, and how many more there were that stalls of the stand-ins have caused.
function Ledger:own_problems()
  local list = {}
  for _, problem in ipairs(self.problems) do
    list[#list + 1] = not is_beside(self.stalls, problem.at) and problem.text or nil
  end
  return list, #self.problems - #list
end

--- How long after its deed each kind of event came: lines of text.
function Ledger:delays_text()
  local lines = {}
  for kind, list in pairs(self.delays) do
    table.sort(list)
    lines[#lines + 1] = ("  %-32s %5d, median %.3f s, at most %.3f s"):format(kind, #list, list[(#list + 1) // 2],
      list[#list])
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

return ledger
