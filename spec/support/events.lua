--- What a plusmoin under test has fired (a part of spec/support/plusmoin.lua): a recorder is the command of
-- every event and leaves one file per run.
local cjson = require "cjson"
local proc = require "spec.support.proc"

local uv = proc.uv
local Events = {}

local function read_event(path)
  local head, body = proc.read_file(path):match("^(.-\n)\n(.*)$")
  local event = { env = {}, raw = body }
  for name, value in head:gmatch("([^=\n]+)=([^\n]*)\n") do
    if name:find("^PLUSMOIN_") then
      event.env[name] = value
    else
      event[name] = math.tointeger(tonumber(value))
    end
  end
  event.name = event.env.PLUSMOIN_TRIGGER
  event.ms = event.mono_ns / 1e6
  local ok, data = pcall(cjson.decode, body)
  event.data = ok and data or nil
  event.node = event.env.PLUSMOIN_NODE_PORT and
    event.env.PLUSMOIN_NODE_HOST .. ":" .. event.env.PLUSMOIN_NODE_PORT or nil
  event.text = ("%s %s cluster %s rule %s reason %s"):format(event.name, event.node or "-",
    event.env.PLUSMOIN_CLUSTER_ID, event.env.PLUSMOIN_RULE or "-", event.env.PLUSMOIN_NODE_REASON or "-")
  return event
end

--- All events so far: those a call saw before keep their places, new ones follow in the order in which their
-- commands started (commands of two clusters run at once: the file of the one started first may come second).
function Events:events()
  self.read, self.seen = self.read or {}, self.seen or {}
  local names = {}
  for name in uv.fs_scandir_next, assert(uv.fs_scandir(self.events_dir)) do
    if name:find("%.event$") and not self.read[name] then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    self.read[name] = read_event(self.events_dir .. "/" .. name)
    table.insert(self.seen, self.read[name])
  end
  return table.move(self.seen, 1, #self.seen, 1, {})
end

--- As `events`, heartbeats left out.
function Events:changes()
  local list = {}
  for _, event in ipairs(self:events()) do
    if event.name ~= "plusmoin_heartbeat" then
      list[#list + 1] = event
    end
  end
  return list
end

--- How many heartbeats have fired, by cluster id (text).
function Events:heartbeats()
  local counts = {}
  for _, event in ipairs(self:events()) do
    if event.name == "plusmoin_heartbeat" then
      local id = event.env.PLUSMOIN_CLUSTER_ID
      counts[id] = (counts[id] or 0) + 1
    end
  end
  return counts
end

-- nil if the event is as expected, else what is different about it.
local function differs(event, want)
  local server = want[2]
  if event.name ~= want[1] then
    return "event"
  elseif server and event.node ~= server.name then
    return "node"
  elseif want.cluster and event.env.PLUSMOIN_CLUSTER_ID ~= tostring(want.cluster) then
    return "cluster"
  elseif want.rule and event.env.PLUSMOIN_RULE ~= want.rule then
    return "rule"
  elseif want.reason and event.env.PLUSMOIN_NODE_REASON ~= want.reason then
    return "reason"
  end
end

local function wanted_text(want)
  return ("%s %s cluster %s rule %s reason %s"):format(want[1], want[2] and want[2].name or "*",
    tostring(want.cluster or "*"), want.rule or "*", want.reason or "*")
end

--- The next events (heartbeats left out) are these, in this order:
-- { name, server, cluster =, rule =, reason = }, each. Returns them. `list.seconds`: how long to wait.
function Events:expect_events(list)
  local found = {}
  for _, want in ipairs(list) do
    local event = proc.wait_for("event " .. wanted_text(want), list.seconds or 10, function()
      return self:changes()[self.taken + 1] or not self.process:running() and { name = "the end", env = {} }
    end, function() return self:diagnose() end)
    local what = differs(event, want)
    if what then
      error(("wrong %s: expected %s\n%s"):format(what, wanted_text(want), self:diagnose()), 2)
    end
    self.taken = self.taken + 1
    found[#found + 1] = event
  end
  return table.unpack(found)
end

--- The next events are these, in any order (of different rounds or clusters).
function Events:expect_any_order(list)
  local left = table.move(list, 1, #list, 1, {})
  while #left > 0 do
    local event = proc.wait_for("event " .. wanted_text(left[1]), list.seconds or 10, function()
      return self:changes()[self.taken + 1]
    end, function() return self:diagnose() end)
    local place
    for i, want in ipairs(left) do
      place = place or not differs(event, want) and i or nil
    end
    if not place then
      error(("unexpected %s\n%s"):format(event.text, self:diagnose()), 2)
    end
    table.remove(left, place)
    self.taken = self.taken + 1
  end
end

--- The first event `name` not yet taken for which `predicate` holds (default: any).
function Events:wait_event(name, predicate, seconds)
  return proc.wait_for("event " .. name, seconds or 10, function()
    local passed = 0
    for _, event in ipairs(self:events()) do
      if event.name ~= "plusmoin_heartbeat" then
        passed = passed + 1
      end
      if event.name == name and (name == "plusmoin_heartbeat" or passed > self.taken)
        and (not predicate or predicate(event)) then
        return event
      end
    end
  end, function() return self:diagnose() end)
end

--- Nothing but heartbeats fires for so long.
function Events:quiet(seconds)
  proc.watch(seconds, function()
    local event = self:changes()[self.taken + 1]
    if event or not self.process:running() then
      error(("expected silence, got %s\n%s"):format(event and event.text or "its end", self:diagnose()), 3)
    end
  end)
end

--- Waits until `count` more regular rounds of each cluster have been, in silence.
function Events:quiet_rounds(count)
  local before = self:heartbeats()
  proc.wait_for(count .. " rounds", count * self.config.heartbeat * 2 + 5, function()
    local event = self:changes()[self.taken + 1]
    if event then
      error(("expected silence, got %s\n%s"):format(event.text, self:diagnose()), 0)
    end
    local now = self:heartbeats()
    for id in pairs(now) do
      if now[id] < (before[id] or 0) + count then
        return false
      end
    end
    return next(now) ~= nil
  end, function() return self:diagnose() end)
end

return Events
