--- Faults of the fleet of spec/support/council_trial.lua: { name, begin(trial) -> undo, seconds(trial) for how long }.
local history = require "spec.support.history"
local monitors = require "spec.support.monitors"
local proc = require "spec.support.proc"

local uv = proc.uv
local faults = {}

local function fault(name, seconds, begin)
  faults[#faults + 1] = { name = name, seconds = seconds, begin = begin }
end

local function long(trial)
  return trial.ttl + 1.5
end

local function short()
  return 0.1 + math.random() * 0.9
end

local function freeze(daemon)
  daemon.frozen = true
  uv.kill(daemon.process.pid, "sigstop")
  return function()
    daemon.frozen = nil
    uv.kill(daemon.process.pid, "sigcont")
  end
end

local function kill(daemon)
  daemon:kill9()
  return function() daemon:start() end
end

local function freeze_member(member)
  member:freeze()
  return function() member:thaw() end
end

local function kill_member(member)
  member:kill()
  return function() member:start() end
end

local function both(first, second)
  return function()
    first()
    second()
  end
end

-- One that does not act.
local function standby(trial, acting)
  local others = {}
  for _, daemon in ipairs(trial.daemons) do
    others[#others + 1] = daemon ~= acting and daemon or nil
  end
  return others[math.random(#others)]
end

local function follower(trial)
  local _, others = trial.etcd:leader()
  return others[math.random(#others)]
end

local function hold(trial, daemon, ways)
  local all = trial.links[daemon.index]
  for _, link in ipairs(all) do
    for _, way in ipairs(ways) do
      link:hold(way)
    end
  end
  return function()
    for _, link in ipairs(all) do
      link:let_go()
    end
  end
end

fault("monitor: kill -9 of the acting one", long, function(_, acting) return kill(acting) end)
fault("monitor: the acting one stopped for ttl + 1.5 s", long, function(_, acting) return freeze(acting) end)
fault("monitor: the acting one stopped for less than 1 s", short, function(_, acting) return freeze(acting) end)
fault("monitor: clean stop of the acting one", short, function(_, acting)
  acting:stop_and_check()
  return function() acting:start() end
end)
fault("monitor: resign", short, function(_, acting)
  acting:cli("monitors", "resign")
  return function() end
end)
fault("monitor: kill -9 of a standby", short, function(trial, acting) return kill(standby(trial, acting)) end)
fault("monitor: a standby stopped for ttl + 1.5 s", long, function(trial, acting)
  return freeze(standby(trial, acting))
end)
fault("monitor: all stopped for ttl + 1.5 s", long, function(trial)
  local undo = function() end
  for _, daemon in ipairs(trial.daemons) do
    undo = both(undo, freeze(daemon))
  end
  return undo
end)
fault("etcd: kill -9 of the leader", short, function(trial) return kill_member((trial.etcd:leader())) end)
fault("etcd: the leader stopped for ttl + 1.5 s", long, function(trial) return freeze_member((trial.etcd:leader())) end)
fault("etcd: kill -9 of a follower", short, function(trial) return kill_member(follower(trial)) end)
fault("etcd: a follower stopped for ttl + 1.5 s", long, function(trial) return freeze_member(follower(trial)) end)
fault("etcd: no majority for ttl + 1.5 s", long, function(trial)
  local leader, others = trial.etcd:leader()
  return both(freeze_member(leader), freeze_member(others[1]))
end)
fault("etcd: leader stopped, the acting one killed", long, function(trial, acting)
  return both(freeze_member((trial.etcd:leader())), kill(acting))
end)
fault("etcd: leader and acting one stopped", long, function(trial, acting)
  return both(freeze(acting), freeze_member((trial.etcd:leader())))
end)
fault("etcd: compaction", short, function(trial)
  local member = follower(trial)
  local _, revision = history.read(member, monitors.PREFIX .. "lead")
  member:must("/v3/kv/compaction", { revision = revision, physical = true })
  return function() end
end)
fault("etcd: a member's disk is full", short, function(trial)
  local member = follower(trial)
  local id = member:must("/v3/maintenance/status", {}).header.member_id
  member:must("/v3/maintenance/alarm", { action = "ACTIVATE", memberID = id, alarm = "NOSPACE" })
  return function()
    trial.etcd:leader():must("/v3/maintenance/alarm", { action = "DEACTIVATE", memberID = id, alarm = "NOSPACE" })
  end
end)
fault("links: answers to the acting one are lost", short, function(trial, acting)
  for _, link in ipairs(trial.links[acting.index]) do
    link.swallow = math.random(4)
  end
  return function()
    for _, link in ipairs(trial.links[acting.index]) do
      link.swallow = 0
    end
  end
end)
fault("links: the acting one's to etcd, for ttl + 1.5 s", long, function(trial, acting)
  return hold(trial, acting, { "there", "back" })
end)
fault("links: the acting one's from etcd, for ttl + 1.5 s", long, function(trial, acting)
  return hold(trial, acting, { "back" })
end)
fault("links: the acting one's from etcd, for less than 1 s", short, function(trial, acting)
  return hold(trial, acting, { "back" })
end)
fault("links: a standby's to etcd, for ttl + 1.5 s", long, function(trial, acting)
  return hold(trial, standby(trial, acting), { "there", "back" })
end)

fault("clock: a monitor's steps by an hour and back", short, function(trial)
  if trial.stepped then
    for _ = 1, 5 do -- it should act
      local acting = trial.group:acting()
      if acting == trial.stepped then
        break
      end
      acting:cli("monitors", "resign")
      proc.pump(200)
    end
    trial.stepped:set_clock(math.random(2) == 1 and 3600 or -3600)
  end
  return function()
    if trial.stepped then
      trial.stepped:set_clock(0)
    end
  end
end)

return faults
