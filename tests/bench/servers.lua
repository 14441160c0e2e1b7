-- What watching costs the servers themselves: the CPU of a master and two slaves, beyond what they use idle, while
-- plusmoin watches them at `heartbeat` 1, beside libpq alone on the same work (floor.c), in turn. plusmoin's fresh
-- connections, which the floor does not make, are told by themselves. Run by `make bench`.
-- REPEATS=5 and SERVERS_SECONDS=60 in the environment make it longer.
local numbers = require "tests.bench.scale.numbers"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"

local REPEATS = tonumber(os.getenv("REPEATS") or "3")
local SECONDS = tonumber(os.getenv("SERVERS_SECONDS") or "20")
local SETTLE_MS = 2000
local HEARTBEAT, FRESH, NEVER = 1, 30, 0

-- A control group of its own below the second hierarchy (v2), which counts the CPU of whoever was in it; nil: this
-- machine lets us have none.
local function new_group()
  local root = (proc.read_file("/proc/mounts") or ""):match("%S+ (%S+) cgroup2 ")
  local path = root and ("%s/plusmoin-bench-%d"):format(root, proc.uv.os_getpid())
  return path and proc.uv.fs_mkdir(path, tonumber("755", 8)) and path or nil
end

-- Moves all processes of the servers into it, where what they start later is, too. Some end meanwhile.
local function join(group, servers)
  proc.wait_for("the servers to be in the control group", 10, function()
    local members, missing = proc.read_file(group .. "/cgroup.procs"), 0
    for _, server in ipairs(servers) do
      for _, pid in ipairs(proc.pids_in(server.data)) do
        if not ("\n" .. members):find("\n" .. pid .. "\n", 1, true) then
          missing = missing + 1
          local file = assert(io.open(group .. "/cgroup.procs", "w"))
          file:write(pid)
          file:close()
        end
      end
    end
    return missing == 0
  end)
end

-- us of CPU so far.
local function used_us(group)
  return tonumber(proc.read_file(group .. "/cpu.stat"):match("usage_usec (%d+)"))
end

-- us of the servers' CPU in a second, while all is as it is now.
local function cost(group)
  proc.pump(SETTLE_MS)
  local before = used_us(group)
  proc.pump(SECONDS * 1000)
  return (used_us(group) - before) / SECONDS
end

local function beside_floor(group, servers)
  local ports = {}
  for i, server in ipairs(servers) do
    ports[i] = server.port
  end
  local path = proc.new_dir("floor") .. "/floor"
  proc.must({ "cp", "build/tests/bench/floor", path }, { as_root = true, cwd = "." })
  local floor = proc.spawn { path, servers[1].host .. ":" .. table.concat(ports, ","), tostring(#ports),
    tostring(#ports), tostring(HEARTBEAT * 1000), "once" }
  proc.wait_for("the floor", 10, function() return floor:out():find "up\n" end, function() return floor:out() end)
  local used = cost(group)
  assert(floor:running(), floor:out())
  floor:kill()
  floor:wait()
  return used
end

local function beside_plusmoin(group, servers, fresh)
  local daemon = plusmoin.start { nodes = servers, triggers = { plusmoin_heartbeat = false },
    config = { heartbeat = HEARTBEAT, fresh_connect_interval = fresh, log_level = "error" } }
  local used = cost(group)
  daemon:stop_and_check()
  return used
end

local function say(what, list, floors)
  local of, ratios = numbers.of(list), floors and numbers.ratios(list, floors)
  print(("%-40s %6.0f us of CPU a second (%.0f to %.0f)%s"):format(what, of.median, of.min, of.max, ratios and
    ("  = %.2f x the floor's (%.2f to %.2f)"):format(ratios.median, ratios.min, ratios.max) or ""))
end

local function measure(group)
  local master, slaves = pg.cluster(2)
  local servers = { master, slaves[1], slaves[2] }
  join(group, servers)
  plusmoin.start({ nodes = servers }):stop_and_check() -- which makes the table; the floor finds it
  local idle, floors, without, with = {}, {}, {}, {}
  for i = 1, REPEATS do
    idle[i] = cost(group)
    floors[i] = beside_floor(group, servers) - idle[i]
    without[i] = beside_plusmoin(group, servers, NEVER) - idle[i]
    with[i] = beside_plusmoin(group, servers, FRESH) - idle[i]
  end
  print(("what watching costs a master and two slaves, %d times %g s each:"):format(REPEATS, SECONDS))
  say("  nobody watches them", idle)
  say("  beyond that: libpq alone", floors)
  say("  plusmoin without fresh connections", without, floors)
  say(("  plusmoin, each %g s a fresh connection"):format(FRESH), with, floors)
end

local group = new_group()
if not group then
  print("what watching costs the servers: not measured, no control group (cgroup v2) can be made here")
  os.exit(0)
end
local ok, message = pcall(measure, group)
plusmoin.stop_all()
pg.stop_all()
proc.wait_for("the end of the servers", 10, function() return proc.read_file(group .. "/cgroup.procs") == "" end)
proc.uv.fs_rmdir(group)
proc.cleanup()
if not ok then
  print(message)
  os.exit(1)
end
