--- A real pgpool-II in front of servers, with PCP.
local proc = require "spec.support.proc"

local pgpool = {}

local Pgpool = {}
Pgpool.__index = Pgpool

pgpool.running = {}

local OVERDUE_MS = 3000

local CONFIG = [[
backend_clustering_mode = 'streaming_replication'
listen_addresses = '127.0.0.1'
port = %d
socket_dir = '%s'
pcp_listen_addresses = '127.0.0.1'
pcp_port = %d
pcp_socket_dir = '%s'
pid_file_name = '%s/pid'
logdir = '%s'
num_init_children = 24
max_pool = 1
health_check_period = 0
failover_on_backend_error = off
failover_on_backend_shutdown = off
sr_check_period = 0
sr_check_user = 'plusmoin'
sr_check_database = 'plusmoin'
search_primary_node_timeout = 1
load_balance_mode = on
]]

--- Starts one. Options: settings = further lines of pgpool.conf, stopped.
function pgpool.start(servers, options)
  options = options or {}
  local self = setmetatable({ dir = proc.new_dir("pgpool"), port = proc.free_port(), pcp_port = proc.free_port() },
    Pgpool)
  local lines = { CONFIG:format(self.port, self.dir, self.pcp_port, self.dir, self.dir, self.dir) }
  for i, server in ipairs(servers) do
    lines[#lines + 1] = ("backend_hostname%d = '%s'\nbackend_port%d = %d\nbackend_weight%d = 1\n"):format(
      i - 1, server.host, i - 1, server.port, i - 1)
  end
  proc.write_file(self.dir .. "/pgpool.conf", table.concat(lines) .. (options.settings or ""))
  -- "secret"
  proc.write_file(self.dir .. "/pcp.conf", "plusmoin:5ebe2294ecd0e0f08eab7690d2a6ee69\n")
  self.passfile = self.dir .. "/pcppass"
  proc.write_file(self.passfile, "*:*:plusmoin:secret\n", tonumber("600", 8))
  pgpool.running[self] = true
  if not options.stopped then
    self:run()
  end
  return self
end

--- Starts it, again maybe; returns when it answers PCP.
function Pgpool:run()
  self.process = proc.spawn({ "pgpool", "-n", "-f", self.dir .. "/pgpool.conf", "-F", self.dir .. "/pcp.conf" },
    { output = self.dir .. "/log" })
  proc.wait_for("pgpool", 10, function()
    if not self.process:running() then
      error("pgpool ended: " .. self:log(), 0)
    end
    return self:nodes() ~= nil
  end)
  return self
end

function Pgpool:log()
  return proc.read_file(self.dir .. "/log") or ""
end

--- The words of each backend's line of pcp_node_info; nil and the error.
function Pgpool:nodes()
  local code, out, err = proc.run({ "pcp_node_info", "-h", "127.0.0.1", "-p", tostring(self.pcp_port), "-U", "plusmoin",
    "-w", "-a" }, { env = { PCPPASSFILE = self.passfile } })
  if code ~= 0 then
    return nil, err
  end
  local rows = {}
  for line in out:gmatch("([^\n]+)\n") do
    local row = {}
    for field in line:gmatch("%S+") do
      row[#row + 1] = field
    end
    rows[#rows + 1] = row
  end
  return rows
end

--- What it makes of its backends, as "s1 s2* -": attached, the primary, detached.
function Pgpool:roles()
  local words = {}
  for i, row in ipairs(self:nodes() or {}) do
    words[i] = row[3] == "3" and "-" or "s" .. i .. (row[7] == "primary" and "*" or "")
  end
  return table.concat(words, " ")
end

--- Waits until they are that.
function Pgpool:wait_roles(words, why)
  proc.wait_for("pgpool's " .. words, 20, function()
    local is_so = self:roles() == words
    if not is_so then
      proc.watch(0.05, function() end) -- each question is a program, and a child of pgpool's
    end
    return is_so
  end,
    function() return self:roles() .. "\n" .. (why and why() or "") .. self:log():sub(-4000) end)
end

--- Runs a pcp program; raises when it fails.
function Pgpool:pcp(program, ...)
  proc.must({ program, "-h", "127.0.0.1", "-p", tostring(self.pcp_port), "-U", "plusmoin", "-w", ... },
    { env = { PCPPASSFILE = self.passfile } })
end

-- pgpool 4.6 waits for ever for a child that it forked while it told all of them to end.
local function kill_children(process)
  local _, pids = proc.run { "ps", "-o", "pid=", "--ppid", tostring(process.pid) }
  for pid in pids:gmatch("%d+") do
    proc.uv.kill(math.tointeger(tonumber(pid)), "sigkill")
  end
end

function Pgpool:kill()
  if self.process and self.process:running() then
    self.process:kill("sigint")
    local overdue = proc.mono_ms() + OVERDUE_MS
    proc.wait_for("the end of pgpool", 20, function()
      if proc.mono_ms() > overdue then
        kill_children(self.process)
      end
      return not self.process:running()
    end, function() return self:log():sub(-4000) end)
  end
  return self
end

--- Ends all of them.
function pgpool.stop_all()
  for one in pairs(pgpool.running) do
    one:kill()
    proc.remove_dir(one.dir)
    pgpool.running[one] = nil
  end
end

return pgpool
