-- Several monitors on three members of etcd on this machine: from kill -9 of the acting one to the first trigger of
-- the next, and the part of it that is plusmoin's (from the end of the lease on); a clean hand-over; from kill -9 of a
-- master to its trigger with `monitors` and without, in turn. ROUNDS of each (10). Run by `make bench`.
local etcd = require "spec.support.etcd"
local history = require "spec.support.history"
local monitors = require "spec.support.monitors"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"

local ROUNDS = tonumber(os.getenv("ROUNDS") or "10")
local WHAT = os.getenv("WHAT") -- "deaths": these alone
local TTLS = { 3, 5 }

local function report(what, times)
  table.sort(times)
  print(("%-62s median %7.0f ms  worst %7.0f ms  (%d)"):format(what, times[(#times + 1) // 2], times[#times], #times))
end

-- When the watch heard of the end of the lead, after that revision; the revision.
local function gone_after(watch, revision)
  local found
  proc.wait_for("the end of a term", 20, function()
    for _, one in ipairs(watch:revisions()) do
      for _, change in ipairs(one.changes) do
        if one.revision > revision and change.key == "lead" and change.gone then
          found = one
          return true
        end
      end
    end
  end)
  return found.ms, found.revision
end

-- The acting one of the two leaves `ROUNDS` times, and begins anew.
local function hand_overs(group, watch, leave)
  local whole, ours = {}, {}
  for _ = 1, ROUNDS do
    local acting = group:acting()
    proc.pump(300 + math.random(2000)) -- somewhere between two renewals
    local revision, before = watch.highest, #group:entries { what = "start" }
    local left = proc.mono_ms()
    leave(acting)
    local gone = gone_after(watch, revision)
    local first
    proc.wait_for("the next one's first trigger", 20, function()
      first = group:entries { what = "start" }[before + 1]
      return first
    end, function() return group:diagnose() end)
    whole[#whole + 1], ours[#ours + 1] = first.ms - left, first.ms - gone
    acting:start()
    proc.wait_for("two monitors", 20, function()
      local says = monitors.says(group:acting())
      return says and #says.monitors == 2
    end)
  end
  return whole, ours
end

local function take_overs(cluster, nodes)
  local watch = history.of(cluster, monitors.PREFIX)
  for _, ttl in ipairs(TTLS) do
    local group = monitors.new { etcd = cluster, nodes = nodes, ttl = ttl }
    group:monitor "a"
    group:monitor "b"
    group:acting()
    local whole, ours = hand_overs(group, watch, function(daemon) daemon:kill9() end)
    report(("ttl %d: kill -9 of the acting one -> the next one's trigger"):format(ttl), whole)
    report("    the end of its lease -> the next one's trigger", ours)
    if ttl == TTLS[#TTLS] then
      whole = hand_overs(group, watch, function(daemon) daemon:stop_and_check() end)
      report("    clean stop of the acting one -> the next one's trigger", whole)
    end
    plusmoin.stop_all()
    proc.pump(ttl * 1000 + 1500) -- the last leases end
  end
end

-- From kill -9 of the master to the trigger, some times.
local function deaths(cluster, nodes, with, times)
  local group = monitors.new { etcd = cluster, nodes = nodes, ttl = 5 }
  local daemon = group:monitor("a", { alone = not with })
  if with then
    monitors.wait_acts(daemon)
  end
  group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
  for _ = 1, 5 do
    local downs, ups = #group:entries { name = "master_down" } // 4, #group:entries { name = "master_up" } // 4
    local pids = proc.pids_in(nodes[1].data) -- that takes longer than what is measured
    local struck = proc.mono_ms()
    proc.uv.kill(nodes[1].process.pid, "sigkill")
    for _, pid in ipairs(pids) do
      proc.uv.kill(pid, "sigkill")
    end
    nodes[1]:kill9()
    times[#times + 1] = group:wait_entry({ what = "start", name = "master_down", which = 1 }, downs + 1).ms - struck
    nodes[1]:start()
    group:wait_entry({ what = "end", name = "master_up", which = 2 }, ups + 1)
    proc.pump(1200)
  end
  daemon:stop_and_check()
end

io.stdout:setvbuf("line")
local ok, message = pcall(function()
  local cluster = etcd.start(3)
  local master, slaves = pg.cluster(1)
  local nodes = { master, slaves[1] }
  if WHAT ~= "deaths" then
    take_overs(cluster, nodes)
  end
  local with, without = {}, {}
  for _ = 1, math.max(ROUNDS // 5, 1) do
    deaths(cluster, nodes, true, with)
    deaths(cluster, nodes, false, without)
  end
  report("kill -9 of a master -> its trigger, with `monitors`", with)
  report("    without", without)
end)
plusmoin.stop_all()
history.stop_all()
etcd.stop_all()
pg.stop_all()
proc.cleanup()
if not ok then
  print(message)
  os.exit(1)
end
