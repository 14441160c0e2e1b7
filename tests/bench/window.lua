-- What the window does, and what it costs, beside nginx with static files where that is a yardstick. Run by
-- `make bench`. QUICK=1 makes it shorter, REPEATS=5 longer, PARTS="health status news many mass cpu" chooses. The
-- machine's load stands before each line: what else runs shows in all figures, so compare within a round.
local farm = require "tests.bench.scale.farm"
local haproxy = require "spec.support.haproxy"
local news = require "tests.bench.window.news"
local numbers = require "tests.bench.scale.numbers"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local pressure = require "tests.bench.window.pressure"
local proc = require "spec.support.proc"
local standin = require "spec.support.standin"
local web = require "spec.support.web"

local QUICK = os.getenv("QUICK") == "1"
local REPEATS = tonumber(os.getenv("REPEATS") or QUICK and "2" or "3")
local SECONDS = QUICK and 10 or 30
local STATUS_SECONDS = QUICK and 2 or 5
local CPU_SECONDS = QUICK and 4 or 10
local DEATHS = QUICK and 5 or 20
local RATE, CONNECTIONS = 2000, 16
local SOME, MANY, VERY_MANY = 100, 1000, 5000
local AGENT_INTER_MS = 100
local STREAMS, DYING, DYING_SECONDS = 20, "n*5", 4 -- of clusters of ten: a slave of each
local SETTLE_SECONDS = 3

local function say(format, ...)
  local load1 = proc.read_file("/proc/loadavg"):match("^[%d.]+")
  print(("[load %5s] "):format(load1) .. format:format(...))
end

-- "what: min/median/max unit".
local function report(what, list, unit, goal)
  local of = numbers.of(list)
  say("%-66s %9.2f /%9.2f /%9.2f %s%s", what, of.min, of.median, of.max, unit, goal and ", goal " .. goal or "")
  return of
end

local function ratio(what, above, below, goal)
  local of = numbers.ratios(above, below)
  say("%-66s %9.2f /%9.2f /%9.2f x, goal %s", what, of.min, of.median, of.max, goal)
end

local function rest(seconds)
  local deadline = proc.mono_ms() + seconds * 1000
  while proc.mono_ms() < deadline do
    proc.pump(deadline - proc.mono_ms())
  end
end

-- ---- requests ----

-- The monitor's lateness while `deed` is done.
local function late_while(place, deed)
  local before = pressure.lateness(place)
  deed()
  return pressure.between(before, pressure.lateness(place))
end

local function note_late(lists, late)
  table.insert(lists.mean, late.mean_ms)
  for _, ms in ipairs { 5, 10, 25 } do
    lists[ms] = (lists[ms] or 0) + late[ms]
  end
  lists.count = (lists.count or 0) + late.count
end

local function report_late(what, lists)
  report("    the monitor's timer late, " .. what .. ", mean", lists.mean, "ms")
  say("    %s: of %d %d late by > 5 ms, %d by > 10, %d by > 25", what, lists.count, lists[5], lists[10], lists[25])
end

local function health()
  local fleet = pressure.fleet(SOME, {})
  local path = ("/nodes/%s:%d/primary"):format(fleet.farm.nodes[1].host, fleet.farm.nodes[1].port)
  local place, stop = pressure.nginx { primary = (pressure.page(fleet.place, path)) }
  local how = { connections = CONNECTIONS, seconds = SECONDS, rate = RATE }
  local ours, theirs = {}, {}
  local quiet, asked = { mean = {} }, { mean = {} }
  say("%s at %d requests a second for %d s, %d connections, %d nodes; min / median / max of %d", "/nodes/NODE/primary",
    RATE, SECONDS, CONNECTIONS, SOME, REPEATS)
  for _ = 1, REPEATS do
    local seen
    note_late(quiet, late_while(fleet.place, function() rest(SECONDS) end))
    table.insert(theirs, pressure.ask(place, "/primary", how))
    note_late(asked, late_while(fleet.place, function() seen = pressure.ask(fleet.place, path, how) end))
    table.insert(ours, seen)
  end
  local function of(list, name)
    local values = {}
    for i, one in ipairs(list) do
      values[i] = one[name] / 1000
    end
    return values
  end
  for _, name in ipairs { "late_us", "p50_us", "p99_us", "p999_us", "max_us" } do
    report("    nginx " .. name:gsub("_us", ""), of(theirs, name), "ms")
    report("    window " .. name:gsub("_us", ""), of(ours, name), "ms")
  end
  ratio("    p99: window / nginx", of(ours, "p99_us"), of(theirs, "p99_us"), "<= 1.5")
  report_late("nobody asks", quiet)
  report_late("asked", asked)
  stop()
  fleet.daemon:stop()
  standin.stop_all()
end

local function status()
  local fleet = pressure.fleet(MANY, {})
  local text = pressure.page(fleet.place, "/status.json")
  local place, stop, nginx_ms = pressure.nginx { ["status.json"] = text }
  local how = { connections = CONNECTIONS, seconds = STATUS_SECONDS, rate = 0 }
  local ours, theirs, our_us, their_us = {}, {}, {}, {}
  local function window_ms()
    return pressure.thread_ms(fleet, "window")
  end
  local function ask(at, spent_ms) -- requests a second, us of CPU a request
    local before = spent_ms()
    local seen = pressure.ask(at, "/status.json", how)
    return seen.rate, (spent_ms() - before) * 1000 / seen.answered
  end
  say("/status.json of %d nodes (%d bytes), as fast as it goes, %d connections, %d s", MANY, #text, CONNECTIONS,
    STATUS_SECONDS)
  for i = 1, REPEATS do
    theirs[i], their_us[i] = ask(place, nginx_ms)
    ours[i], our_us[i] = ask(fleet.place, window_ms)
  end
  report("    nginx", theirs, "requests a second")
  report("    window", ours, "requests a second")
  ratio("    window / nginx", ours, theirs, ">= 0.5")
  report("    nginx, CPU a request", their_us, "us")
  report("    window, CPU a request", our_us, "us")
  stop()
  fleet.daemon:stop()
  standin.stop_all()
end

-- ---- news ----

local function deaths()
  local events, answers = news.deaths(DEATHS)
  say("kill -9 of a real master, heartbeat 60, %d times", DEATHS)
  report("    to the event in an open /events", events, "ms", "median <= 25, max <= 80")
  report("    to 503 of /nodes/NODE/primary, asked each ms", answers, "ms", "median <= 25, max <= 80")
  local down = news.haproxy(DEATHS, AGENT_INTER_MS)
  report(("    to DOWN in HAProxy, agent-inter %dms"):format(AGENT_INTER_MS), down, "ms", "<= 130 + that")
end

-- ---- many nodes ----

local PAGES = { "/", "/status.json", "/clusters", "/clusters/0", "/events?since=", "/metrics", "/live", "/ready" }

local function ask_all(fleet)
  local node = ("/nodes/%s:%d"):format(fleet.farm.nodes[1].host, fleet.farm.nodes[1].port)
  for _, path in ipairs(PAGES) do
    local _, _, code = pressure.page(fleet.place, path)
    assert(code == 200, path)
  end
  for _, path in ipairs { node, node .. "/explain", node .. "/primary", "/nodes/nobody" } do
    pressure.page(fleet.place, path)
  end
end

local function many()
  local of = farm.start(VERY_MANY)
  local shut, open, ms = {}, {}, {}
  local late = { mean = {} }
  for i = 1, REPEATS do
    local without = pressure.watch(of, { http = false, heartbeat = 2 })
    rest(SETTLE_SECONDS)
    shut[i] = without.daemon:pss_kib() / 1024
    without.daemon:stop()
    local with = pressure.watch(of, { heartbeat = 2 })
    rest(SETTLE_SECONDS)
    ask_all(with)
    open[i] = with.daemon:pss_kib() / 1024
    note_late(late, late_while(with.place, function()
      for _ = 1, 10 do
        local _, took_ms = pressure.page(with.place, "/metrics")
        ms[#ms + 1] = took_ms
      end
    end))
    with.daemon:stop()
  end
  say("%d nodes", VERY_MANY)
  report("    PSS, shut", shut, "MiB")
  report("    PSS, open, all pages asked for once", open, "MiB")
  local more = {}
  for i = 1, REPEATS do
    more[i] = open[i] - shut[i]
  end
  report("    the window's part", more, "MiB", "<= 8")
  report("    /metrics", ms, "ms", "<= 200")
  report_late("/metrics asked for all the time", late)
  of.stop()
end

-- A slave of each cluster dies at the same time; `streams` clients read along. ms of CPU of monitor and window.
local function die_at_once(of, streams)
  local fleet = pressure.watch(of, { http = streams > 0, heartbeat = 5 })
  local wires = {}
  for i = 1, streams do
    wires[i] = web.connect(fleet.place):say(web.request("/events"))
  end
  rest(SETTLE_SECONDS)
  local monitor, window = pressure.thread_ms(fleet, "monitor"), pressure.thread_ms(fleet, "window")
  of.stand:play(DYING .. " die")
  rest(DYING_SECONDS)
  monitor, window = pressure.thread_ms(fleet, "monitor") - monitor, pressure.thread_ms(fleet, "window") - window
  for _, wire in ipairs(wires) do
    local _, told = wire.heard:gsub("\nevent: slave_down\n", "")
    assert(told == of.count // farm.CLUSTER, told)
  end
  web.close_all()
  of.stand:play(DYING .. " serve")
  fleet.daemon:stop()
  return monitor, window
end

local function mass()
  local of = farm.start(VERY_MANY)
  local shut, open, window = {}, {}, {}
  for i = 1, REPEATS do
    shut[i] = die_at_once(of, 0)
    open[i], window[i] = die_at_once(of, STREAMS)
  end
  say("CPU when %d of %d nodes die at once, in %d s", VERY_MANY // farm.CLUSTER, VERY_MANY, DYING_SECONDS)
  report("    the monitor's thread, window shut", shut, "ms")
  report(("    the monitor's thread, %d clients read /events"):format(STREAMS), open, "ms")
  report("    the window's thread", window, "ms")
  ratio("    the monitor's, open / shut", open, shut, "about 1")
  of.stop()
end

local function cpu()
  local of = farm.start(MANY)
  local shut, open = {}, {}
  local function spent(http)
    local fleet = pressure.watch(of, { http = http })
    rest(SETTLE_SECONDS)
    local before = fleet.daemon:cpu_ns()
    rest(CPU_SECONDS)
    local ms = (fleet.daemon:cpu_ns() - before) / 1e6 / CPU_SECONDS
    fleet.daemon:stop()
    return ms
  end
  for i = 1, REPEATS do
    shut[i] = spent(false)
    open[i] = spent()
  end
  say("CPU of all threads, %d nodes, heartbeat 1, nobody asks, %d s", MANY, CPU_SECONDS)
  report("    shut", shut, "ms a second")
  report("    open", open, "ms a second")
  ratio("    open / shut", open, shut, "about 1")
  of.stop()
end

local PARTS = { health = health, status = status, news = deaths, many = many, mass = mass, cpu = cpu }

local ok, message = pcall(function()
  math.randomseed(os.time())
  for part in (os.getenv("PARTS") or "health status news many mass cpu"):gmatch("%a+") do
    PARTS[part]()
  end
end)
haproxy.stop_all()
plusmoin.stop_all()
pg.stop_all()
pcall(standin.stop_all)
proc.cleanup()
if not ok then
  print(message)
  os.exit(1)
end
