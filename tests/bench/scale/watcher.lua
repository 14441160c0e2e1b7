--- What watches the farm: plusmoin, or the floor (floor.c), on the machine's first core. Both are started, waited for
-- until all nodes have been asked, looked at from outside, and ended.
local cjson = require "cjson"
local farm = require "tests.bench.scale.farm"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"

local watcher = {}

local Watcher = {}
Watcher.__index = Watcher

local START_SECONDS = 120
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

-- What the file has got since this was last asked.
local function read_on(self)
  local file = io.open(self.output)
  if not file then
    return ""
  end
  file:seek("set", self.read)
  local text = file:read("a")
  file:close()
  text = text:match("^.*\n") or ""
  self.read = self.read + #text
  return text
end

-- How often `words` have come on stdout so far, in whole lines.
local function seen(self, words)
  for _ in read_on(self):gmatch(words) do
    self.seen = self.seen + 1
  end
  return self.seen
end

local function start(self, argv, options)
  self.output, self.read, self.seen = self.dir .. "/out", 0, 0
  local under = options.under or (options.core and { "taskset", "-c", tostring(options.core) }) or {}
  local began, wall_s, wall_us = proc.mono_ms(), proc.uv.gettimeofday()
  self.began_wall_s = wall_s + wall_us / 1e6
  self.process = proc.spawn(join(under, argv), { output = self.output, cwd = self.dir })
  local done = pcall(proc.wait_for, "all nodes to be asked", options.seconds or START_SECONDS, function()
    return seen(self, self.words) >= self.wanted or not self.process:running()
  end)
  if not self.process:running() then
    error(self.kind .. " has ended: " .. (proc.read_file(self.output) or ""):sub(-2000), 0)
  end
  self.start_s = done and (proc.mono_ms() - began) / 1000 or nil
  return self
end

-- Waits for the status in which each node has a place, which is what a start is for: the time until its file was made.
local function wait_status(self)
  local written
  local done = pcall(proc.wait_for, "a status of all nodes", START_SECONDS, function()
    local stat = proc.uv.fs_stat(self.config.status_file)
    written = stat and stat.mtime.sec + stat.mtime.nsec / 1e9
    return stat and self:conclusions() == self.farm.count
  end)
  self.start_s = self.start_s and done and written - self.began_wall_s or nil
  return self
end

-- Options: core, heartbeat (s), fresh (s between two fresh connections of a node), config (further settings), under
-- (argv that it runs under, in place of a core), seconds (how long the start may take).
function watcher.plusmoin(of, options)
  local self = setmetatable({ kind = "plusmoin", farm = of, dir = proc.new_dir("scale") }, Watcher)
  proc.give(self.dir)
  self.words, self.wanted = "changes its place: clusterless", of.count
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
  return wait_status(start(self, { plusmoin.binary(), "-c", self.dir .. "/plusmoin.json", "-x", "start" }, options))
end

--- `pace`: "once" or "spread". Options: core, heartbeat, under.
function watcher.floor(of, pace, options)
  local self = setmetatable({ kind = "floor", farm = of, dir = proc.new_dir("scale") }, Watcher)
  proc.give(self.dir)
  self.words, self.wanted = "up\n", 1
  return start(self, { floor_binary(), of.nodes[1].host .. ":" .. of.nodes[1].port, tostring(of.count),
    tostring(farm.CLUSTER), tostring(math.floor(options.heartbeat * 1000)), pace }, options)
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
