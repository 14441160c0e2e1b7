-- How long from each way of dying to the start of its trigger, on a slave with `heartbeat` 60, against
-- its bound; from a promotion and a return to theirs; for what only a question finds out, from the poll that
-- met it (`heartbeat` 0.8), or from the keepalive that met it (`heartbeat` 60; TCP asks a second time after 1 s at
-- the earliest, and only then gives up). Beside them the yardstick: spawning a process and seeing it end.
-- Run by `make bench`.
local machine = require "spec.support.machine"
local network = require "spec.support.network"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local ROUNDS = tonumber(os.getenv("ROUNDS") or "20")
local GRACE_MS, RETRY_MS, QUERY_MS, POLL_MS = 300, 200, 300, 800
local CONFIG = { heartbeat = 60, max_sync_delay = 120, recover_sync_delay = 60, restart_grace = GRACE_MS / 1000,
  retry_interval = RETRY_MS / 1000, query_timeout = QUERY_MS / 1000 }

local function report(what, times, bound_ms)
  table.sort(times)
  local median, worst = times[(#times + 1) // 2], times[#times]
  print(("%-56s median %7.1f ms  worst %7.1f ms  bound %6.0f ms: %s"):format(what, median, worst, bound_ms,
    median <= bound_ms and "kept" or "MISSED"))
end

local function yardstick()
  local times = {}
  for i = 1, ROUNDS do
    local began = proc.mono_ms()
    proc.must { "/bin/true" }
    times[i] = proc.mono_ms() - began
  end
  table.sort(times)
  print(("%-56s median %7.1f ms  worst %7.1f ms  (%d times each)"):format("yardstick: spawn /bin/true and see it end",
    times[(#times + 1) // 2], times[#times], ROUNDS))
end

-- The ms of the next event `name`, which is then taken.
local function next_ms(daemon, name)
  return daemon:expect_events({ { name }, seconds = 30 }).ms
end

-- Each `die` of a slave, until its trigger; and each return, from the moment it streams.
local function deaths(what, die, bound_ms)
  local daemon, _, slaves = scene.start { config = CONFIG, slaves = 1 }
  local slave, times, back = slaves[1], {}, {}
  for i = 1, ROUNDS do
    local struck = proc.mono_ms()
    die(slave)
    times[i] = next_ms(daemon, "slave_down") - struck
    slave:start()
    local streams = proc.mono_ms()
    back[i] = math.max(next_ms(daemon, "slave_up") - streams, 0)
    proc.pump(1200) -- a connection that breaks within 1 s of being made is reconnected slowly (rules, "Rounds")
  end
  report(what .. " -> slave_down", times, bound_ms)
  report("    streams again -> slave_up", back, RETRY_MS + 100)
  scene.finish()
end

local function config_with(changes)
  local config = {}
  for _, from in ipairs { CONFIG, changes } do
    for key, value in pairs(from) do
      config[key] = value
    end
  end
  return config
end

-- When the monitor asked last, by this process's clock: what it wrote through the master.
local function last_poll_ms(master)
  local seconds, micros = proc.uv.gettimeofday()
  local wall_minus_mono = seconds * 1000 + micros / 1000 - proc.mono_ms()
  return tonumber(master:sql("SELECT max(tstamp) FROM heartbeat", "plusmoin")[1][1]) - wall_minus_mono
end

-- Each `strike` of a slave, from the next poll to its trigger.
local function silences(what, strike, mend, bound_ms)
  if machine.lacks("cuts") then
    print(what .. ": " .. machine.lacks("cuts"))
    return
  end
  local daemon, master, slaves = scene.start { slaves = 1,
    config = config_with { heartbeat = POLL_MS / 1000, fresh_connect_interval = 0 } }
  local times = {}
  for i = 1, ROUNDS do
    daemon:quiet_rounds(2)
    strike(slaves[1])
    local polled = last_poll_ms(master)
    local struck = proc.mono_ms()
    local down = next_ms(daemon, "slave_down")
    while polled < struck do
      polled = polled + POLL_MS
    end
    times[i] = down - polled
    mend(slaves[1])
    next_ms(daemon, "slave_up")
  end
  report(what .. " -> slave_down, after the poll", times, bound_ms)
  scene.finish()
end

-- The ms at which the next packet of ours meets the rule in its way: nft tells of each as it passes. `act` makes the
-- rule, and must mark them for tracing.
local function met_ms(act)
  local trace = proc.spawn({ "nft", "monitor", "trace" }, { as_root = true })
  proc.wait_for("nft to listen", 5, function()
    return (proc.read_file("/proc/" .. trace.pid .. "/net/netlink") or ""):find("%s12%s+" .. trace.pid .. "%s")
  end)
  act()
  proc.wait_for("a packet", 10, function() return trace:out():find("packet:", 1, true) end)
  local met = proc.mono_ms()
  trace:kill("sigkill")
  trace:wait()
  return met
end

-- Each `verdict` on the packets to a slave that is not asked, from the keepalive that met it to the trigger.
local function vanishings(what, matches, verdict, bound_ms)
  if machine.lacks("cuts") then
    print(what .. ": " .. machine.lacks("cuts"))
    return
  end
  local daemon, _, slaves = scene.start { slaves = 1, config = config_with { fresh_connect_interval = 0 } }
  local times = {}
  for i = 1, ROUNDS do
    proc.pump(1200) -- its session has been idle for a while
    local met = met_ms(function() network.cut(slaves[1], matches, "meta nftrace set 1 " .. verdict) end)
    times[i] = next_ms(daemon, "slave_down") - met
    network.restore()
    next_ms(daemon, "slave_up")
  end
  report(what .. " -> slave_down, after the keepalive", times, bound_ms)
  scene.finish()
end

-- A promotion while the seat is empty or its holder failing, from its end to master_up.
local function promotions(what, leave, config)
  local times = {}
  for i = 1, ROUNDS do
    local daemon, master, slaves = scene.start { config = config, slaves = 1 }
    leave(master, daemon)
    slaves[1]:promote()
    local promoted = proc.mono_ms()
    times[i] = math.max(next_ms(daemon, "master_up") - promoted, 0)
    scene.finish()
  end
  report("pg_promote done, " .. what .. " -> master_up", times, RETRY_MS + 100)
end

local ok, message = pcall(function()
  yardstick()
  deaths("kill -9 of all", function(server) server:kill9() end, 20)
  deaths("kill -9 of the postmaster alone", function(server) server:kill_postmaster() end, 20)
  deaths("fast stop", function(server) server:stop("fast") end, GRACE_MS + 100)
  deaths("immediate stop", function(server) server:stop("immediate") end, GRACE_MS + 100)
  silences("frozen", function(server) server:freeze() end, function(server) server:thaw() end, QUERY_MS + 50)
  silences("drop", function(server)
    network.cut(server, { network.TO_MONITORED, network.FROM_MONITORED }, "drop")
  end, network.restore, QUERY_MS + 50)
  silences("reject (icmp)", function(server)
    network.cut(server, { network.TO_MONITORED }, "reject with icmpx type host-unreachable")
  end, network.restore, QUERY_MS + 50)
  silences("reject (tcp reset)", function(server)
    network.cut(server, { network.TO_MONITORED }, "reject with tcp reset")
  end, network.restore, 20)
  local both = { network.TO_MONITORED, network.FROM_MONITORED }
  vanishings("drop", both, "drop", 1000 + QUERY_MS + 50)
  vanishings("reject (icmp)", { network.TO_MONITORED }, "reject with icmpx type host-unreachable", 1000 + QUERY_MS + 50)
  vanishings("reject (tcp reset)", { network.TO_MONITORED }, "reject with tcp reset", 20)
  promotions("seat empty", function(master, daemon)
    master:kill9()
    daemon:expect_events { { "master_down" } }
  end, CONFIG)
  promotions("holder failing", function(master) master:stop("fast") end, config_with { restart_grace = 60 })
end)
network.restore()
plusmoin.stop_all()
pg.stop_all()
proc.cleanup()
if not ok then
  print(message)
  os.exit(1)
end
