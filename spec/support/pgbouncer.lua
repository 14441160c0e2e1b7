--- A real PgBouncer whose databases are in a file of their own.
local proc = require "spec.support.proc"

local pgbouncer = {}

local Pgbouncer = {}
Pgbouncer.__index = Pgbouncer

pgbouncer.running = {}

local CONFIG = [[
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
admin_users = plusmoin
pool_mode = %s
logfile = %s
pidfile = %s
ignore_startup_parameters = extra_float_digits
]]

--- Starts one. Options: pool_mode (transaction), settings = further lines of [pgbouncer], databases = text of the
-- file of databases (none), names = a name server of spec.support.names, which it asks, stopped.
function pgbouncer.start(options)
  options = options or {}
  local self = setmetatable({ dir = proc.new_dir("pgbouncer"), port = proc.free_port(), names = options.names },
    Pgbouncer)
  self.file = self.dir .. "/databases.ini"
  proc.write_file(self.dir .. "/users", '"plusmoin" ""\n')
  proc.write_file(self.file, options.databases or "[databases]\n")
  proc.write_file(self.dir .. "/pgbouncer.ini", CONFIG:format(self.port, self.dir .. "/users",
    options.pool_mode or "transaction", self.dir .. "/log", self.dir .. "/pid")
    .. (options.settings or "") .. "\n%include " .. self.file .. "\n")
  pgbouncer.running[self] = true
  if not options.stopped then
    self:run()
  end
  return self
end

--- Starts it, again maybe; returns when it listens.
function Pgbouncer:run()
  local argv = { "pgbouncer", self.dir .. "/pgbouncer.ini" }
  self.process = proc.spawn(self.names and self.names:with(argv) or argv,
    { output = self.dir .. "/out", as_root = self.names ~= nil })
  proc.wait_for("PgBouncer", 10, function()
    if not self.process:running() then
      error("PgBouncer ended: " .. (proc.read_file(self.dir .. "/out") or ""), 0)
    end
    return (proc.read_file(self.dir .. "/log") or ""):find("process up", 1, true) ~= nil and self:try("SHOW VERSION")
  end)
  return self
end

function Pgbouncer:kill()
  if self.process and self.process:running() then
    self.process:kill("sigkill")
    self.process:wait()
  end
  os.remove(self.dir .. "/pid")
  return self
end

local function fields(line)
  local list = {}
  for field in (line .. "\t"):gmatch("([^\t]*)\t") do
    list[#list + 1] = field
  end
  return list
end

--- Rows of a console command, by the names of their columns, whose places differ between PgBouncer's versions;
-- nil and the error.
function Pgbouncer:try(command)
  local code, out, err = proc.run({ "psql", "-XAq", "-P", "footer=off", "-F", "\t", "-h", "127.0.0.1",
    "-p", tostring(self.port), "-U", "plusmoin", "-d", "pgbouncer", "-c", command },
    { env = { PGPASSWORD = self.password } })
  if code ~= 0 then
    return nil, err
  end
  local rows, columns = {}, nil
  for line in out:gmatch("([^\n]*)\n") do
    local row = {}
    for i, value in ipairs(columns and fields(line) or {}) do
      row[columns[i]] = value
    end
    rows[#rows + 1] = columns and row
    columns = columns or fields(line)
  end
  return rows
end

--- host:port of a database, and whether it is paused.
function Pgbouncer:database(name)
  for _, row in ipairs(assert(self:try("SHOW DATABASES"))) do
    if row.name == name then
      return row.host .. ":" .. row.port, assert(row.paused, "SHOW DATABASES has no column paused") ~= "0"
    end
  end
end

--- Ends all of them.
function pgbouncer.stop_all()
  for one in pairs(pgbouncer.running) do
    one:kill()
    proc.remove_dir(one.dir)
    pgbouncer.running[one] = nil
  end
end

return pgbouncer
