--- A plusmoin under test: its configuration, its process, what it fired.
--
-- Each one works in a fresh directory below the run's; a recorder is the
-- command of every event and leaves one file per run, which `events` reads.
-- `expect_events` takes the events in order, heartbeats left out, and
-- `quiet` sees to it that none came.
local proc = require "spec.support.proc"
local cjson = require "cjson"

local uv = proc.uv
local plusmoin = { running = {} }

local Daemon = setmetatable({}, { __index = require "spec.support.events" })
Daemon.__index = Daemon

local EVENTS = {
  "plusmoin_up", "cluster_created", "split_brain", "master_down", "master_up", "slave_down", "slave_up", "node_held",
  "master_unreachable", "monitor_isolated", "monitor_reconnected",
  "plusmoin_heartbeat",
}
local LOG_LINES = 60
local STOP_SECONDS = 10

-- What a sanitizer says when it has found something.
local ALARMS = { "ERROR: AddressSanitizer", "LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:" }

-- The program and the recorder, where the servers' user can run them.
local function binaries()
  local dir = proc.shared.binaries
  if not dir then
    dir = proc.new_dir("bin")
    proc.must({ "cp", os.getenv("PLUSMOIN_BIN") or "build/plusmoin", dir .. "/plusmoin" },
      { as_root = true, cwd = "." })
    proc.must({ os.getenv("CC") or "gcc", "-O1", "-o", dir .. "/recorder", "spec/support/recorder.c" },
      { as_root = true, cwd = "." })
    proc.must({ "cp", "tests/tools/tsan.supp", "tests/tools/lsan.supp", dir }, { as_root = true, cwd = "." })
    proc.shared.binaries = dir
  end
  return dir
end

--- Where the program is, for specs that run it by hand.
function plusmoin.binary()
  return binaries() .. "/plusmoin"
end

function plusmoin.recorder()
  return binaries() .. "/recorder"
end

local function nodes_of(servers)
  local nodes = {}
  for i, server in ipairs(servers) do
    nodes[i] = { host = server.host, port = server.port, name = server.label, dbname = server.dbname,
      connection = server.connection }
  end
  return nodes
end

-- A value as Lua writes it.
local function literal(value)
  if value == cjson.null then
    return "nil"
  elseif type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local parts = {}
  for key, item in pairs(value) do
    parts[#parts + 1] = ("[%s] = %s"):format(literal(key), literal(item))
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

--- The configuration as a Lua file: a table `config`, then `body`, which may change it.
function Daemon:lua(body)
  return ("local config = %s\n%s\nreturn config\n"):format(literal(self.config), body)
end

--- Prepares a plusmoin: directory and configuration. Options: nodes (servers),
-- triggers (by event: replaces the recorder; false: none), and any key of the
-- configuration in `config`; `text` is a whole configuration in place of all that;
-- `lua` makes it a Lua configuration, in which that text may change `config`; `files`
-- (name -> text) lie beside the configuration.
function plusmoin.new(options)
  local dir = proc.new_dir("pm")
  local self = setmetatable({ dir = dir, taken = 0, starts = 0 }, Daemon)
  self.events_dir = dir .. "/events"
  assert(uv.fs_mkdir(self.events_dir, tonumber("755", 8)))
  proc.give(self.events_dir)
  self.config_path = dir .. "/plusmoin.json"
  self.out_path = dir .. "/out.log"
  self.recorder = { command = { binaries() .. "/recorder", self.events_dir } }
  local triggers = {}
  for _, event in ipairs(EVENTS) do
    triggers[event] = self.recorder
  end
  for event, command in pairs(options.triggers or {}) do
    triggers[event] = command or cjson.null
  end
  self.config = {
    dbname = "plusmoin", user = "plusmoin", nodes = nodes_of(options.nodes or {}), triggers = triggers,
    heartbeat = 0.3, query_timeout = 0.6, retry_interval = 0.2, restart_grace = 1, max_sync_delay = 5,
    recover_sync_delay = 3, connect_timeout = 2, trigger_timeout = 5, shutdown_grace = 1, log_level = "debug",
    daemon_user = proc.user, pid_file = dir .. "/plusmoin.pid", status_file = dir .. "/status.json",
    log_file = dir .. "/plusmoin.log", control_socket = dir .. "/plusmoin.sock",
    lua = { patience = 30 }, -- what sanitizers make slow on a busy machine holds no host
  }
  for key, value in pairs(options.config or {}) do
    self.config[key] = value
  end
  for name, text in pairs(options.files or {}) do
    proc.write_file(dir .. "/" .. name, text)
  end
  if options.lua then
    self.config_path = dir .. "/plusmoin.lua"
  end
  proc.write_file(self.config_path, options.text or options.lua and self:lua(options.lua) or self:json())
  return self
end

function Daemon:json()
  local text = cjson.encode(self.config)
  return (text:gsub('"nodes":{}', '"nodes":[]'):gsub('"hold_on":{}', '"hold_on":[]')) -- cjson knows no empty list
end

--- Prepares and starts one in the foreground. Further options: args (default
-- start -x), env, stdout_fd, names (a name server of spec.support.names, which it asks); nowait: do not wait for
-- plusmoin_up of `clusters` (1).
function plusmoin.start(options)
  local self = plusmoin.new(options)
  self:start(options)
  if not options.nowait then
    for _ = 1, options.clusters or 1 do
      self:expect_events { { "plusmoin_up" } }
    end
  end
  return self
end

function Daemon:start(options)
  options = options or {}
  local argv = { plusmoin.binary(), "-c", self.config_path }
  for _, word in ipairs(options.args or { "-x", "start" }) do
    argv[#argv + 1] = word
  end
  local env = { TSAN_OPTIONS = "halt_on_error=0:suppressions=" .. binaries() .. "/tsan.supp" }
  for name, value in pairs(options.env or {}) do
    env[name] = value
  end
  self.started_ms = proc.mono_ms()
  self.process = proc.spawn(options.names and options.names:with(argv) or argv, {
    output = not options.stdout_fd and self.out_path or nil, stdout_fd = options.stdout_fd, env = env,
    cwd = self.dir, as_root = options.names ~= nil,
  })
  plusmoin.running[self] = true
  return self
end

-- A process that is nobody's child here: the daemon that `start` left behind.
local Detached = {}
Detached.__index = Detached

function Detached:running()
  local stat = proc.read_file("/proc/" .. self.pid .. "/stat")
  return stat ~= nil and not stat:find("%) Z ")
end

function Detached:kill(signal)
  uv.kill(self.pid, signal)
end

function Detached.err()
  return ""
end

function Detached:wait(seconds)
  proc.wait_for("the end of pid " .. self.pid, seconds, function() return not self:running() end)
  return 0 -- its status is for whoever it is handed to
end

--- Runs `start` to its end: exit code, stdout, stderr. After a 0 this object is
-- the daemon: its log is the log file. Options: as_root, env, args.
function Daemon:daemonize(options)
  options = options or {}
  local argv = { plusmoin.binary(), "-c", self.config_path, table.unpack(options.args or { "start" }) }
  local code, out, err = proc.run(argv, { cwd = self.dir, as_root = options.as_root, env = options.env })
  if code == 0 then
    self.process = setmetatable({ pid = math.tointeger(tonumber(proc.read_file(self.config.pid_file))) }, Detached)
    self.out_path = self.config.log_file
    plusmoin.running[self] = true
  end
  return code, out, err
end

function Daemon:log()
  return (proc.read_file(self.out_path) or "") .. self.process:err()
end

--- Whether one line of the log has all these words (plain text).
function Daemon:logged(...)
  for line in self:log():gmatch("[^\n]+") do
    local all = true
    for _, word in ipairs { ... } do
      all = all and line:find(word, 1, true)
    end
    if all then
      return true
    end
  end
  return false
end

--- Waits for such a line: the log is written by a thread of its own.
function Daemon:wait_logged(...)
  local words = { ... }
  proc.wait_for("the log's " .. table.concat(words, ", "), 10, function() return self:logged(table.unpack(words)) end,
    function() return self:diagnose() end)
end

-- What to look at when something did not happen.
function Daemon:diagnose()
  local lines, told = {}, {}
  for line in self:log():gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  for _, event in ipairs(self:events()) do
    if event.name ~= "plusmoin_heartbeat" then
      told[#told + 1] = event.text
    end
  end
  local state = self.process:running() and "running" or
    ("ended: exit %s, signal %s"):format(tostring(self.process.code), tostring(self.process.signal))
  return ("plusmoin is %s\n-- events since start --\n%s\n-- last lines of its log --\n%s\n"):format(state,
    table.concat(told, "\n"), table.concat(lines, "\n", math.max(1, #lines - LOG_LINES)))
end

--- The status file as a table, and as text; nil while there is none.
function Daemon:status_file()
  local text = proc.read_file(self.config.status_file)
  return text and cjson.decode(text), text
end

function Daemon:wait_status(what, fn, seconds)
  return proc.wait_for("status: " .. what, seconds or 10, function()
    local status = self:status_file()
    return status and fn(status) and status
  end, function() return tostring(select(2, self:status_file())) .. "\n" .. self:diagnose() end)
end

--- The server's place by the status file: "master 0", "slave 0", "lost 0", "clusterless".
function Daemon:place(server)
  for _, cluster in ipairs((self:status_file() or { clusters = {} }).clusters) do
    local lists = { slave = cluster.slaves, lost = cluster.lost, master = {} }
    lists.master[1] = cluster.master ~= cjson.null and cluster.master or nil
    for place, list in pairs(lists) do
      for _, node in ipairs(list) do
        if node.port == server.port and node.host == server.host then
          return ("%s %d"):format(place, cluster.cluster_id)
        end
      end
    end
  end
  return "clusterless"
end

function Daemon:wait_place(server, place, seconds)
  return self:wait_status(server.name .. " " .. place, function() return self:place(server) == place end, seconds)
end

--- Asks the control socket: a table (or the text of a line) as request, a table as answer.
function Daemon:ask(request, seconds)
  local pipe, parts, ended = uv.new_pipe(false), {}, false
  local failure
  pipe:connect(self.config.control_socket, function(err)
    if err then
      failure = err
      return
    end
    pipe:write((type(request) == "table" and cjson.encode(request) or request) .. "\n")
    pipe:read_start(function(_, data)
      parts[#parts + 1] = data
      ended = data == nil or data:find("\n") ~= nil
    end)
  end)
  local ok, err = pcall(proc.wait_for, "an answer on the control socket", seconds or 5,
    function() return ended or failure end, function() return self:diagnose() end)
  pipe:close()
  if not ok or failure then
    error(failure or err, 2)
  end
  local line = table.concat(parts)
  return line ~= "" and cjson.decode(line) or nil, line
end

--- Writes its configuration as it is now, and reloads it, which must succeed.
function Daemon:reload()
  proc.write_file(self.config_path, self:json())
  local answer = self:ask({ request = "reload" }, 15)
  assert(answer.ok, answer.error)
end

--- As `cli`, but as root (where the tests run as root).
function Daemon:root_cli(...)
  return proc.run({ plusmoin.binary(), "-c", self.config_path, ... }, { cwd = self.dir, as_root = true })
end

--- Runs the program with this configuration: exit code, stdout, stderr.
function Daemon:cli(...)
  return proc.run({ plusmoin.binary(), "-c", self.config_path, ... }, { cwd = self.dir })
end

function Daemon:term()
  self.process:kill("sigterm")
  return self
end

function Daemon:kill9()
  if self.process:running() then
    uv.kill(self.process.pid, "sigkill")
    self.process:wait(5)
  end
  plusmoin.running[self] = nil
end

--- SIGTERM, exit 0 within seconds, and no word of a sanitizer.
function Daemon:stop_and_check()
  plusmoin.running[self] = nil
  self:term()
  local ended, code, signal = pcall(self.process.wait, self.process, STOP_SECONDS)
  local log = self:log()
  for _, alarm in ipairs(ALARMS) do
    if log:find(alarm, 1, true) then
      error(alarm .. " in plusmoin's output:\n" .. log:sub(log:find(alarm, 1, true), -1):sub(1, 6000), 2)
    end
  end
  if not ended or code ~= 0 then
    self:kill9()
    error(("no clean end: exit %s, signal %s\n%s"):format(tostring(code), tostring(signal), self:diagnose()), 2)
  end
end

--- Ends those that a failed test has left running, by KILL, and says nothing.
function plusmoin.stop_all()
  for daemon in pairs(plusmoin.running) do
    daemon:kill9()
  end
  plusmoin.running = {}
end

return plusmoin
