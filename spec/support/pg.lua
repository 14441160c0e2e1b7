--- PostgreSQL servers for the tests: on 127.0.0.1, below the run's directory; standbys stream
-- from 127.0.0.2, so that a test can cut one of the two. What a killed server leaves of shared
-- memory lies in its directory (mmap), not in /dev/shm, where it would stay.
--
-- One cluster is prepared per run, or for all jobs of run-tests.sh (and per `family`, which
-- has a system identifier of its own); a master is a copy of it, and a standby is a copy of
-- it that streams from the master: so a master and two standbys are up in well
-- under a second. What waits here waits for a condition.
local pg_template = require "spec.support.pg_template"
local pg_versions = require "spec.support.pg_versions"
local proc = require "spec.support.proc"

local uv = proc.uv
local UP_SECONDS = 20

-- Where the servers' programs are: PLUSMOIN_PG_BIN says it, else those of the newest version that is installed.
local function bin_dir()
  local dir = os.getenv("PLUSMOIN_PG_BIN")
  if dir then
    return (dir:gsub("/*$", "/"))
  end
  local newest, none = 0, "no /usr/lib/postgresql/*/bin/postgres: `make deps-test` installs a server"
  for name in uv.fs_scandir_next, assert(uv.fs_scandir("/usr/lib/postgresql"), none) do
    local number = tonumber(name)
    if number and number > newest and uv.fs_stat(("/usr/lib/postgresql/%s/bin/postgres"):format(name)) then
      newest, dir = number, ("/usr/lib/postgresql/%s/bin/"):format(name)
    end
  end
  return assert(dir, none)
end

local BIN = bin_dir()
local version = pg_versions.of(BIN)

local pg = { servers = {}, STREAM_HOST = "127.0.0.2" }

--- The number of the servers' version: 15, ...
function pg.version()
  return version:major()
end

local Server = {}
Server.__index = Server

local SETTINGS = [[
listen_addresses = '127.0.0.1,127.0.0.2'
unix_socket_directories = ''
fsync = off
shared_buffers = 4MB
dynamic_shared_memory_type = mmap
max_connections = 30
max_wal_senders = 6
max_worker_processes = 1
max_parallel_workers = 0
max_logical_replication_workers = 0
superuser_reserved_connections = 3
autovacuum = off
wal_log_hints = on
wal_retrieve_retry_interval = 100ms
wal_receiver_status_interval = 1s
log_line_prefix = '%m [%p] %u '
log_statement = none
timezone = UTC
]]

local function template(family)
  return pg_template.of(version, family, SETTINGS .. version:settings())
end

-- `wire`: a network (spec.support.wire) in which it is a host; else it is at 127.0.0.1.
local function new_server(family, settings, wire)
  local at = wire and wire:host()
  local server = setmetatable({
    family = family, settings = settings or {}, wire = wire, at = at, host = at and at.address or "127.0.0.1",
    port = proc.free_port(),
  }, Server)
  server.name = server.host .. ":" .. server.port
  server.home = proc.new_dir("pg")
  server.data = server.home .. "/data"
  server.log_path = server.home .. "/log"
  proc.must({ "cp", "-r", "--preserve=mode", template(family), server.data })
  pg.servers[#pg.servers + 1] = server
  return server
end

--- A master. Options: settings (postgresql.conf), family, env (its environment, further), stopped (do not start),
-- wire (a network of spec.support.wire, in which it and its standbys are hosts).
function pg.master(options)
  options = options or {}
  local server = new_server(options.family or 1, options.settings, options.wire)
  server.env = options.env
  if not options.stopped then
    server:start()
  end
  return server
end

--- A standby of this server. Options: settings, env, stopped, nowait (do not wait until it streams).
function Server:standby(options)
  options = options or {}
  local server = new_server(self.family, options.settings, self.wire)
  server.upstream = self
  server.env = options.env
  if not options.stopped then
    server:start({ nowait = options.nowait })
  end
  return server
end

--- A master and `count` standbys, all streaming: master, {standbys}. `everywhere`: the settings are the standbys', too.
function pg.cluster(count, options)
  local master = pg.master(options)
  local standbys = {}
  for i = 1, count do
    standbys[i] = master:standby({ nowait = true, settings = options and options.everywhere and options.settings })
  end
  for _, standby in ipairs(standbys) do
    standby:wait_up()
    standby:wait_streaming()
  end
  return master, standbys
end

-- Configuration anew: it may have come from elsewhere (pg_rewind).
function Server:configure()
  local lines = { SETTINGS, version:settings(), "port = " .. self.port }
  local conninfo = self.upstream and ("host=%s port=%d user=postgres application_name=node%d")
    :format(self.upstream.at and self.upstream.host or pg.STREAM_HOST, self.upstream.port, self.port)
  lines[#lines + 1] = version:follow(self.data, conninfo)
  if self.at then
    lines[#lines + 1] = "listen_addresses = '*'"
    proc.write_file(self.data .. "/pg_hba.conf", "host all all all trust\nhost replication all all trust\n",
      tonumber("600", 8))
  end
  for name, value in pairs(self.settings) do
    lines[#lines + 1] = ("%s = '%s'"):format(name, tostring(value))
  end
  proc.write_file(self.data .. "/postgresql.conf", table.concat(lines, "\n") .. "\n", tonumber("600", 8))
  proc.write_file(self.data .. "/postgresql.auto.conf", "", tonumber("600", 8))
end

--- Whether the server says that it takes connections (what pg_ctl looks at).
function Server:ready()
  if not (self.process and self.process:running()) then
    error(("server %s ended\n%s"):format(self.name, self:log()), 0)
  end
  local text = proc.read_file(self.data .. "/postmaster.pid")
  return text ~= nil and text:find("^" .. self.process.pid .. "\n") ~= nil and text:find("\nready%s*\n") ~= nil
end

function Server:launch()
  self.crashed = nil
  self:configure()
  os.remove(self.data .. "/postmaster.pid")
  local argv = { BIN .. "postgres", "-D", self.data }
  self.process = proc.spawn(self.at and self.at:enter(argv) or argv, { output = self.log_path, cwd = self.data,
    env = self.env, as_root = self.at ~= nil })
end

-- A server that has never been up may still lose its port to another user of
-- this network (whom the marks of `free_port` do not bind): it takes another, even
-- where one of its two addresses is left.
local function move_if_port_was_taken(server)
  if not server.was_up and server:log():find("Address already in use", 1, true) then
    server:kill9()
    proc.release_port(server.port)
    server.port = proc.free_port()
    server.name = server.host .. ":" .. server.port
    os.remove(server.log_path)
    server:launch()
  end
end

function Server:wait_up()
  proc.wait_for("server " .. self.name, UP_SECONDS, function()
    move_if_port_was_taken(self)
    self.was_up = self:ready()
    return self.was_up
  end, function() return self:log() end)
  return self
end

function Server:wait_streaming()
  local name = "node" .. self.port
  proc.wait_for(self.name .. " to stream from " .. self.upstream.name, UP_SECONDS, function()
    local rows = self.upstream:sql("SELECT state FROM pg_stat_replication WHERE application_name = '" .. name .. "'")
    return rows[1] and rows[1][1] == "streaming"
  end, function() return self:log() end)
  return self
end

--- Starts a stopped server and waits until it takes connections (and a standby streams), unless nowait.
function Server:start(options)
  assert(not (self.process and self.process:running()), "already running: " .. self.name)
  self:launch()
  if not (options and options.nowait) then
    self:wait_up()
    if self.upstream and self.upstream.process and self.upstream.process:running() and not self.upstream.frozen then
      self:wait_streaming()
    end
  end
  return self
end

local STOP_SIGNALS = { smart = "sigterm", fast = "sigint", immediate = "sigquit" }

--- Stops it: "fast" (default), "smart" or "immediate"; waits for the end unless nowait.
function Server:stop(mode, options)
  self.process:kill(STOP_SIGNALS[mode or "fast"])
  if not (options and options.nowait) then
    proc.wait_for("the stop of " .. self.name, UP_SECONDS, function() return not self.process:running() end,
      function() return self:log() end)
  end
  return self
end

function Server:restart(mode)
  return self:stop(mode):start()
end

--- SIGKILL to the postmaster first, then to all its children; returns when none is left.
function Server:kill9()
  local pids = proc.pids_in(self.data)
  uv.kill(self.process.pid, "sigkill")
  proc.wait_for("the death of " .. self.name, 5, function()
    for _, pid in ipairs(pids) do
      uv.kill(pid, "sigkill")
    end
    pids = proc.pids_in(self.data)
    return #pids == 0 and not self.process:running()
  end)
  self.frozen, self.crashed = nil, true
  return self
end

--- SIGKILL to the postmaster alone; returns when its children have noticed and ended.
function Server:kill_postmaster()
  uv.kill(self.process.pid, "sigkill")
  proc.wait_for("the end of " .. self.name, UP_SECONDS, function()
    return #proc.pids_in(self.data) == 0 and not self.process:running()
  end)
  return self
end

--- SIGSTOP to all its processes: it keeps its connections and says nothing.
function Server:freeze()
  uv.kill(self.process.pid, "sigstop")
  for _, pid in ipairs(proc.pids_in(self.data)) do
    uv.kill(pid, "sigstop")
  end
  self.frozen = true
  return self
end

--- SIGSTOP to the postmaster alone: sessions go on, new ones get no answer.
function Server:freeze_postmaster()
  uv.kill(self.process.pid, "sigstop")
  self.frozen = true
  return self
end

--- What `pid` tells about itself in ps: "postgres: USER DATABASE ADDRESS(PORT) idle".
local function title_of(pid)
  return (proc.read_file("/proc/" .. pid .. "/cmdline") or ""):gsub("[%z ]+$", "")
end

--- SIGSTOP to the backends that serve plusmoin, each between two statements: one that is frozen within a statement
-- ends it by statement_timeout when it is thawed.
function Server:freeze_sessions()
  proc.wait_for("sessions between two statements", 10, function()
    local stopped, at_rest = {}, true
    for _, pid in ipairs(proc.pids_in(self.data)) do
      if title_of(pid):find("postgres: plusmoin plusmoin ", 1, true) then
        uv.kill(pid, "sigstop")
        stopped[#stopped + 1] = pid
        at_rest = at_rest and title_of(pid):find(" idle$") ~= nil
      end
    end
    if not at_rest then
      for _, pid in ipairs(stopped) do
        uv.kill(pid, "sigcont")
      end
    end
    return at_rest and #stopped > 0
  end)
  return self
end

function Server:thaw()
  for _, pid in ipairs(proc.pids_in(self.data)) do
    uv.kill(pid, "sigcont")
  end
  self.frozen = nil
  return self
end

--- Rows (lists of strings, NULL is "") of the last statement, asked as superuser in `dbname` (default postgres).
function Server:sql(text, dbname)
  local out = proc.must({ version:psql(), "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", self.host,
    "-p", tostring(self.port), "-U", "postgres", "-d", dbname or "postgres", "-c", text })
  local rows = {}
  for line in out:gmatch("([^\n]*)\n") do
    local row = {}
    for field in (line .. "\t"):gmatch("([^\t]*)\t") do
      row[#row + 1] = field
    end
    rows[#rows + 1] = row
  end
  return rows
end

--- Writes a row every 20 ms, in a session on the server's own host, whatever is cut outside; returns its process.
function Server:keep_busy()
  self:sql("CREATE TABLE IF NOT EXISTS busy (n int)")
  local argv = { version:psql(), "-Xqt", "-h", "127.0.0.1", "-p", tostring(self.port), "-U", "postgres",
    "-d", "postgres" }
  return proc.spawn(self.at and self.at:enter(argv) or argv, { as_root = self.at ~= nil, output = self.home .. "/busy",
    stdin = "INSERT INTO busy VALUES (1) \\watch 0.02\n" })
end

--- The server's version as a number: 150004 is 15.4.
function Server:version()
  return math.tointeger(tonumber(self:sql("SHOW server_version_num")[1][1]))
end

--- The pids of the backends that serve plusmoin.
function Server:sessions()
  local pids = {}
  for i, row in ipairs(self:sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'plusmoin'")) do
    pids[i] = tonumber(row[1])
  end
  return pids
end

--- Terminates plusmoin's sessions, as an administrator does.
function Server:end_sessions()
  self:sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'plusmoin'")
end

local RECEIVED = "SELECT coalesce(pg_last_wal_receive_lsn() - '0/0', 0)"

-- A master that was killed may have sent to another standby what this one lacks: that one could not follow it.
local function take_from_others(self)
  for _, other in ipairs(pg.servers) do
    if other ~= self and other.upstream == self.upstream and other.process and other.process:running()
      and not other.frozen then
      local wanted = tonumber(other:sql(RECEIVED)[1][1])
      local function has_it()
        return tonumber(self:sql(RECEIVED)[1][1]) >= wanted
      end
      if not has_it() then
        self:repoint(other, { nowait = true })
        proc.wait_for(self.name .. " to take what " .. other.name .. " has", UP_SECONDS, has_it,
          function() return self:log() end)
      end
    end
  end
end

--- Makes a master of a standby; returns when it is one.
function Server:promote()
  if self.upstream and self.upstream.crashed then
    take_from_others(self)
  end
  version:promote(self)
  self.upstream = nil
  proc.wait_for("the promotion of " .. self.name, UP_SECONDS, function()
    return self:sql("SELECT pg_is_in_recovery()")[1][1] == "f"
  end, function() return self:log() end)
  return self
end

--- The same by a signal, where it cannot be reached; it does not wait.
function Server:promote_unheard()
  version:promote_unheard(self)
  self.upstream = nil
  return self
end

--- Lets a running standby follow `other`, by a restart if it must be; returns when it streams (unless nowait).
function Server:repoint(other, options)
  self.upstream = other
  if version:follows_by_reload() then
    self:configure()
    self.process:kill("sighup")
  else
    self:stop("fast"):launch()
    self:wait_up()
  end
  if not (options and options.nowait) then
    self:wait_streaming()
  end
  return self
end

--- Lets all but the superuser in by `method` of pg_hba.conf: "trust" (the door is open), "reject", ...
function Server:let_in(method)
  proc.write_file(self.data .. "/pg_hba.conf", "local all all trust\nhost all postgres 127.0.0.1/32 trust\n"
    .. "host replication all 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 " .. method .. "\n")
  self:sql("SELECT pg_reload_conf()")
end

function Server:pause_replay()
  self:sql("SELECT pg_wal_replay_pause()")
  proc.wait_for("the pause of " .. self.name, 5, function()
    return self:sql(version:pause_state())[1][1] == "paused"
  end)
  return self
end

function Server:resume_replay()
  self:sql("SELECT pg_wal_replay_resume()")
  return self
end

--- A stopped server comes back as a standby of `other`: pg_rewind, or a new copy where that cannot be.
function Server:rewind_as_slave_of(other, options)
  other:sql("CHECKPOINT")
  self.upstream = nil
  self:configure()
  os.remove(self.data .. "/postmaster.pid")
  self.rewound = version:rewind(other, self.data)
  if not self.rewound then
    version:copy(other, self.data)
  end
  self.upstream = other
  return self:start(options)
end

--- A stopped server's place is taken by another one, of another family, which is not started.
function Server:replace(family)
  proc.remove_dir(self.data)
  proc.must({ "cp", "-r", "--preserve=mode", template(family), self.data })
  self.family, self.upstream = family, nil
  return self
end

function Server:log()
  return proc.read_file(self.log_path) or ""
end

-- What a server logs when a client is not polite, beside errors.
local IMPOLITE = { "ERROR:  ", "FATAL:  ", "PANIC:  ", "unexpected EOF", "could not receive data",
  "could not send data", "incomplete startup packet", "invalid length of startup packet" }

-- What it does by itself is no fault of a client's.
local OWN_WORDS = { "FATAL:  terminating connection", "FATAL:  the database system is" }

local function has_any(line, list)
  for _, words in ipairs(list) do
    if line:find(words, 1, true) then
      return true
    end
  end
  return false
end

--- The lines of its log that plusmoin should have spared it: errors and rude ends of plusmoin's own sessions.
function Server:complaints()
  local found = {}
  for line in self:log():gmatch("[^\n]+") do
    if line:find(" plusmoin ", 1, true) and has_any(line, IMPOLITE) and not has_any(line, OWN_WORDS) then
      found[#found + 1] = line
    end
  end
  return table.concat(found, "\n")
end

-- The System V segment that a killed server leaves behind (the kernel has 4,096 of
-- them in all); the 7th line of its pid file names it: key and id.
local function segment_of(server)
  local text = proc.read_file(server.data .. "/postmaster.pid") or ""
  return text:match("^[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n%s*%d+%s+(%d+)")
end

local function remove_segments(ids)
  if #ids > 0 then -- some are gone already: a server that was started again took them with it
    proc.run({ "ipcrm", table.unpack(ids) })
  end
end

--- Kills all servers and removes their files.
function pg.stop_all()
  local segments = {}
  for _, server in ipairs(pg.servers) do
    if server.process then
      server:kill9()
    end
    local segment = segment_of(server)
    if segment then
      segments[#segments + 1] = "-m"
      segments[#segments + 1] = segment
    end
    proc.remove_dir(server.home)
    proc.release_port(server.port)
  end
  remove_segments(segments)
  pg.servers = {}
end

return pg
