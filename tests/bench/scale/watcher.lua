--- What watches the farm: plusmoin, or the floor (floor.c), on the machine's first core. Both are started, waited for
-- until all nodes have been asked, looked at from outside, and ended.
local cjson = require "cjson"
local farm = require "tests.bench.scale.farm"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"

local watcher = {}

local Watcher = {}
Watcher.__index = Watcher

local START_SECONDS = 30
local LOOK_MS = 100
local NEVER = 86400 -- s: the floor makes no fresh connections

local function floor_binary()
  local path = proc.shared.floor
  if not path then
    path = proc.new_dir("floor") .. "/floor"
    proc.must({ "cp", "build/tests/bench/floor", path }, { as_root = true, cwd = "." })
    proc.shared.floor = path
  end
  return path
end

local function join(...)
  local all = {}
  for _, list in ipairs { ... } do
    table.move(list, 1, #list, #all + 1, all)
  end
  return all
end

-- Starts it, and waits until `ready` says when it was ready, in s since it began; nil: not yet.
local function start(self, argv, ready, options)
  self.output = self.dir .. "/out"
  local under = options.under or (options.core and { "taskset", "-c", tostring(options.core) }) or {}
  local wall_s, wall_us = proc.uv.gettimeofday()
  self.began_s = wall_s + wall_us / 1e6
  self.process = proc.spawn(join(under, argv), { output = self.output, cwd = self.dir })
  pcall(proc.wait_for, "all nodes to be asked", options.seconds or START_SECONDS, function()
    self.start_s = ready(self)
    return self.start_s or not self.process:running()
  end)
  if not self.process:running() then
    error(self.kind .. " has ended: " .. (proc.read_file(self.output) or ""):sub(-2000), 0)
  end
  return self
end

-- When the file was written, in s since the start; nil: it is not there.
local function written_s(self, path)
  local stat = proc.uv.fs_stat(path)
  return stat and stat.mtime.sec + stat.mtime.nsec / 1e9 - self.began_s
end

-- The floor has said that it is up.
local function floor_ready(self)
  return proc.read_file(self.output):find "up\n" and written_s(self, self.output)
end

-- The status has each node in a place. It is looked at ten times a second: it is long, and the farm's core reads it.
local function plusmoin_ready(self)
  if proc.mono_ms() - (self.looked_ms or 0) < LOOK_MS then
    return nil
  end
  self.looked_ms = proc.mono_ms()
  local at = written_s(self, self.config.status_file)
  local text = at and proc.read_file(self.config.status_file) or ""
  local whole = text:find('"clusterless":[]', 1, true) and not text:find('"lost":[{', 1, true)
  local _, known = text:gsub('"is_slave":', "")
  return whole and known == self.farm.count and at or nil
end

-- Options: core, heartbeat (s), fresh (s between two fresh connections of a node), config (further settings), under
-- (argv that it runs under, in place of a core), seconds (how long the start may take).
function watcher.plusmoin(of, options)
  local self = setmetatable({ kind = "plusmoin", farm = of, dir = proc.new_dir("scale") }, Watcher)
  proc.give(self.dir)
  self.config = {
    dbname = "plusmoin", user = "plusmoin", nodes = {}, heartbeat = options.heartbeat,
    fresh_connect_interval = options.fresh or NEVER, log_level = "info", daemon_user = proc.user,
    pid_file = self.dir .. "/pid", status_file = self.dir .. "/status.json", log_file = self.dir .. "/log",
    control_socket = self.dir .. "/sock", connection = { sslmode = "disable" },
  }
  for key, value in pairs(options.config or {}) do
    self.config[key] = value
  end
  for i, node in ipairs(of.nodes) do
    self.config.nodes[i] = { host = node.host, port = node.port }
  end
  proc.write_file(self.dir .. "/plusmoin.json", cjson.encode(self.config))
  return start(self, { plusmoin.binary(), "-c", self.dir .. "/plusmoin.json", "-x", "start" }, plusmoin_ready, options)
end

--- `pace`: "once" or "spread". Options: core, heartbeat, under.
function watcher.floor(of, pace, options)
  local self = setmetatable({ kind = "floor", farm = of, dir = proc.new_dir("scale") }, Watcher)
  proc.give(self.dir)
  return start(self, { floor_binary(), of.nodes[1].host .. ":" .. of.nodes[1].port, tostring(of.count),
    tostring(farm.CLUSTER), tostring(math.floor(options.heartbeat * 1000)), pace }, floor_ready, options)
end

--- ns of CPU so far, of all threads.
function Watcher:cpu_ns()
  local sum = 0
  local tasks = proc.uv.fs_scandir("/proc/" .. self.process.pid .. "/task")
  for name in function() return proc.uv.fs_scandir_next(tasks) end do
    local text = proc.read_file(("/proc/%d/task/%s/schedstat"):format(self.process.pid, name))
    sum = sum + (tonumber((text or ""):match("^%d+")) or 0)
  end
  return sum
end

--- KiB of memory that are its own, and its share of what it shares.
function Watcher:pss_kib()
  return tonumber(proc.read_file("/proc/" .. self.process.pid .. "/smaps_rollup"):match("Pss:%s+(%d+)"))
end

--- Lets it run for `seconds`: what it did meanwhile, by itself and by the farm's counters. `node_rounds`: how often a
-- node was asked, counted by the beats that the masters got, one a round.
function Watcher:watch(seconds)
  self.farm:bursts()
  local before, cpu_ns = self.farm:total(), self:cpu_ns()
  proc.pump(seconds * 1000)
  local seen_ns = self:cpu_ns() - cpu_ns
  local counted = self.farm:total()
  for name, count in pairs(counted) do
    counted[name] = count - before[name]
  end
  return { cpu_ns = seen_ns, counted = counted, bursts = self.farm:bursts(),
    node_rounds = counted.beats * farm.CLUSTER }
end

--- What plusmoin concluded: how many nodes are masters and slaves, how many of its events nothing has caused.
function Watcher:conclusions()
  local status, placed, events = cjson.decode(proc.read_file(self.config.status_file)), 0, 0
  for _, cluster in ipairs(status.clusters) do
    placed = placed + #cluster.slaves + (cluster.master ~= cjson.null and 1 or 0)
  end
  for name in (proc.read_file(self.output) or ""):gmatch("event=([%a_]+)") do
    events = events + ((name == "plusmoin_up" or name == "plusmoin_heartbeat") and 0 or 1)
  end
  return placed, events
end

function Watcher:stop()
  self.process:kill("sigterm")
  self.process:wait(30)
end

return watcher
