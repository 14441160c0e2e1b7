-- pgbouncer: leads PgBouncer's databases to the master, or to the slaves, as nodes change roles.
--
-- What for: clients connect to PgBouncer and stay connected over a failover. While a
-- database has no master, it is paused, and clients that send a query wait. Transactions
-- on a server that has gone or was demoted have `patience` to end; then all connections of
-- that database are ended (KILL), so that no client stays on such a server. When the new
-- master is known, the file of databases is replaced in one step, PgBouncer reloads it,
-- and the database is resumed (RESUME). A database of readers changes its hosts without a
-- pause; it is paused only while there is no server to read from.
--
-- The trigger changes only what differs, so it may run at any event, any number of times.
-- Run it at all of them: at plusmoin_up and plusmoin_heartbeat it restores what PgBouncer
-- forgot in a restart. While PgBouncer is down, the log has an error, and the file is
-- written all the same. A pause that somebody else has begun is left alone.
--
-- The writer stays the same while it is the master of its cluster. Then that cluster's new
-- master follows; while the cluster has none and exactly one other master is among the
-- database's nodes, that one does.
--
-- PgBouncer's configuration needs plusmoin's user among admin_users; the file of
-- databases, in a directory in which plusmoin may write; and a short server_login_retry
-- (with its default clients wait for up to 15 s after a failover):
--   [pgbouncer]
--   admin_users = plusmoin
--   server_login_retry = 0.02
--   %include /var/lib/plusmoin/pgbouncer/databases.ini
-- Where a server's name has IPv6 addresses, too, the server must listen on those: PgBouncer
-- connects to no others then (1.18 and 1.24, as Debian builds them).
--
-- Settings:
--   console    {"host" (an address, or a socket's directory), "port" (6432), "user",
--              "password"} of PgBouncer's console; required
--   file       absolute path of the file of databases, which is this trigger's alone;
--              one that exists keeps its mode and, where possible, its owner; required
--   databases  {"name": {"options", "role", "nodes", "master_reads"}}; required
--     options       further words of its line: "dbname=app pool_size=20"; default: none
--     role          "writer" (the default) or "reader": all slaves in sync that have the
--                   port of the first of them (PgBouncer takes several hosts, but one port)
--     nodes         ["host:port", ...]; default: all of plusmoin's
--     master_reads  whether the master is among the readers: "alone" (while no slave is;
--                   the default), "always" or "never"
--   patience   seconds that running transactions have to end before their server is left; default 1
--   timeout    seconds that the console has for one answer; default 2
--
-- Example (JSON; with the same entry at all the other events):
--   "triggers": {
--     "master_up": {"lua": "pgbouncer.lua", "settings": {
--       "console": {"host": "127.0.0.1", "user": "plusmoin"},
--       "file": "/var/lib/plusmoin/pgbouncer/databases.ini",
--       "databases": {"app": {"options": "dbname=app"}, "app_ro": {"options": "dbname=app", "role": "reader"}}}},
-- and in Lua:
--   local bouncer = { lua = "pgbouncer.lua", settings = {
--     console = { host = "127.0.0.1", user = "plusmoin" },
--     file = "/var/lib/plusmoin/pgbouncer/databases.ini",
--     databases = { app = { options = "dbname=app" } } } }
--   triggers = { master_up = bouncer, master_down = bouncer, ... }
local pm = require "plusmoin"
local given = require "plusmoin.given"
local remarks = require "plusmoin.remarks"
local roles = require "plusmoin.roles"
local turns = require "plusmoin.turns"

local DATABASE = {
  options = { type = "string", default = "", allowed = "PgBouncer's words of a database but host and port, in one line",
    ok = function(value)
      return type(value) == "string" and not value:find("[\n\r]")
        and not (" " .. value):lower():find("%s+host%s*=") and not (" " .. value):lower():find("%s+port%s*=")
    end },
  role = { default = "writer", allowed = '"writer" or "reader"', ok = given.one_of("writer", "reader") },
  nodes = { allowed = 'a list of nodes: ["host:port", ...]', ok = given.list_of(given.is_text) },
  master_reads = { default = "alone", allowed = '"alone", "always" or "never"',
    ok = given.one_of("alone", "always", "never") },
}

local CONSOLE = {
  host = { required = true, allowed = "an address, or the directory of a socket", ok = given.is_text },
  port = { default = 6432, allowed = "an integer from 1 to 65535", ok = given.is_port },
  user = { required = true, allowed = "a user of admin_users", ok = given.is_text },
  password = { allowed = "that user's password", ok = given.is_text },
}

local settings = given.check("pgbouncer", ..., {
  console = { required = true, allowed = '{"host", "port", "user", "password"}', ok = given.is_table,
    fields = CONSOLE },
  file = { required = true, allowed = "the absolute path of a file", ok = given.is_path },
  databases = { required = true, allowed = '{"name": {...}}, a name of letters, digits and _ . -', each = DATABASE,
    ok = given.map_of(function(name)
      return given.is_text(name) and not name:find("[^%w_.%-]") and name ~= "pgbouncer"
    end, given.is_table) },
  patience = { default = 1, allowed = "seconds, from 0.01 to 3600", ok = given.is_seconds },
  timeout = { default = 2, allowed = "seconds, from 0.01 to 3600", ok = given.is_seconds },
})
local console = settings.console

local databases = {} -- writers first, because readers of the same nodes follow them
for name, database in pairs(settings.databases) do
  database.name = name
  local nodes = table.move(database.nodes or {}, 1, #(database.nodes or {}), 1, {})
  table.sort(nodes)
  database.group = table.concat(nodes, " ") -- databases of the same nodes have the same writer
  databases[#databases + 1] = database
end
table.sort(databases, function(a, b)
  if a.role ~= b.role then
    return a.role == "writer"
  end
  return a.name < b.name
end)

local NAME = ("pgbouncer %s:%d %s"):format(console.host, console.port, settings.file)
local remark = remarks.new(pm, "pgbouncer", NAME)
local PASSES = 5    -- passes of looking and changing; two are enough unless something changes meanwhile
local PAUSE_S = 0.1 -- how long PAUSE is waited for; PgBouncer goes on with the pause afterwards
local LOOK_S = 0.02 -- between two looks at the connections that are left
local WAKE_S = 0.5  -- how long wake() asks PgBouncer after a RESUME
local HEAD = "; Written by plusmoin's pgbouncer.lua: what is changed here is lost.\n[databases]\n"
local WAITS = "; waits for a server: "

-- Runs a command of the console. Returns rows, or raises an error.
local function command(sql, timeout)
  local rows, why = pm.query({ host = console.host, port = console.port }, sql, nil, {
    admin = true, dbname = "pgbouncer", user = console.user, password = console.password,
    timeout = timeout or settings.timeout,
  })
  if not rows then
    error(("pgbouncer: %s: %s"):format(sql, why), 0)
  end
  return rows
end

-- Reads the file of databases. Returns {text =, lines = {name = "host=... "}, writers = {name = id},
-- waits = {name = true}}.
local function read_file()
  local found = { text = "", lines = {}, writers = {}, waits = {} }
  local file = io.open(settings.file)
  if not file then
    return found
  end
  found.text = file:read("a") or ""
  file:close()
  for line in found.text:gmatch("[^\n]+") do
    local name, rest = line:match("^([%w_.%-]+) = (.*)$")
    local host, port = (rest or ""):match("^host=(%S+) port=(%d+)")
    if name then
      found.lines[name], found.writers[name] = rest, host and host .. ":" .. port
    elseif line:sub(1, #WAITS) == WAITS then
      found.waits[line:sub(#WAITS + 1)] = true
    end
  end
  return found
end

-- Replaces the file by one with this text, in one step. Raises an error when that fails.
local function write_file(text)
  local temporary = settings.file .. ".plusmoin"
  os.remove(temporary)
  local copied = io.open(settings.file)
  if copied then
    copied:close()
    local done = pm.exec { "cp", "-p", "--attributes-only", settings.file, temporary, timeout = settings.timeout }
    if not done or done.code ~= 0 then
      error("pgbouncer: " .. (done and done.stderr or "cp is missing"), 0)
    end
  end
  local file, why = io.open(temporary, "w")
  local ok = file
  if file then
    ok, why = file:write(text)
    local closed, close_error = file:close()
    ok, why = ok and closed, why or close_error
  end
  if ok then
    ok, why = os.rename(temporary, settings.file)
  end
  if not ok then
    os.remove(temporary)
    error("pgbouncer: " .. tostring(why), 0)
  end
end

-- Returns the file's text: a line for each database whose line is known, and a comment for each in `held`, those that
-- this trigger has paused.
local function render(lines, held)
  local parts = { HEAD }
  for _, database in ipairs(databases) do
    if held[database.name] then
      parts[#parts + 1] = WAITS .. database.name .. "\n"
    end
    if lines[database.name] then
      parts[#parts + 1] = ("%s = %s\n"):format(database.name, lines[database.name])
    end
  end
  return table.concat(parts)
end

-- Returns the databases as PgBouncer has them: name -> {host =, port =, paused =, connections =}.
local function show_databases()
  local shown = {}
  for _, row in ipairs(command "SHOW DATABASES") do
    shown[row.name] = { host = row.host, port = tonumber(row.port), paused = tonumber(row.paused) ~= 0,
      connections = tonumber(row.current_connections) or 0 }
  end
  return shown
end

local function listed_nodes(database, nodes)
  local listed = {}
  for id in pairs(nodes) do
    listed[id] = database.nodes == nil or nil
  end
  local strangers = {}
  for _, id in ipairs(database.nodes or {}) do
    if nodes[id] then
      listed[id] = true
    else
      strangers[#strangers + 1] = id
    end
  end
  remark("strangers of " .. database.name, #strangers > 0 and ("%s: %s: no node of plusmoin's"):format(database.name,
    table.concat(strangers, ", ")) or nil)
  return listed
end

-- Returns the hosts and the port of a database of readers; nil: there is none to read from.
local function reader_hosts(readers, order)
  local hosts, port = {}, nil
  for _, node in ipairs(order) do
    if readers[roles.id(node)] and (port or node.port) == node.port then
      hosts[#hosts + 1], port = node.host, node.port
    end
  end
  return port and table.concat(hosts, ","), port
end

-- Returns where a database should lead: {host =, port =}; nil: it should be paused; false: too little is known yet.
local function wanted(database, clusters, present)
  local nodes, order = roles.nodes(clusters)
  local key = ("%s/%s"):format(NAME, database.group)
  local before = pm.state[key] or database.role == "writer" and present.writers[database.name] or nil
  local listed = listed_nodes(database, nodes)
  local decided = roles.decide(clusters, listed, listed, before, database.master_reads)
  pm.state[key] = decided.writer and roles.id(decided.writer) or before
  if database.role == "reader" then
    local host, port = reader_hosts(decided.readers, order)
    return host and { host = host, port = port, lost = decided.lost } or nil
  end
  remark("no writer of " .. database.name, decided.problem and database.name .. ": " .. decided.problem)
  if decided.writer then
    return { host = decided.writer.host, port = decided.writer.port }
  elseif decided.undecided then
    return false
  end
  return nil
end

local function line_of(database, want)
  return ("host=%s port=%d %s"):format(want.host, want.port, database.options)
end

-- Pauses databases. Connections that are left when `patience` is over are ended.
local function leave(names, renew)
  for _, name in ipairs(names) do
    pcall(command, "PAUSE " .. name, PAUSE_S) -- PAUSE waits for transactions; the loop below looks at them instead
    pm.log.info("pgbouncer: %s waits", name)
  end
  local until_s = pm.now() + settings.patience
  repeat
    renew()
    local shown, busy = show_databases(), {}
    for _, name in ipairs(names) do
      if shown[name] and (not shown[name].paused or shown[name].connections > 0) then
        busy[#busy + 1] = name
      end
    end
    if #busy == 0 then
      return
    elseif pm.now() >= until_s then
      for _, name in ipairs(busy) do
        command("KILL " .. name)
        pm.log.warning("pgbouncer: %s: its connections are ended, %g s were not enough", name, settings.patience)
      end
      return
    end
    pm.sleep(LOOK_S)
  until false
end

-- Returns the set of addresses of lost nodes, also those to which PgBouncer has resolved their names.
local function lost_addresses(is_lost, nodes)
  local lost, resolved = {}, {}
  for _, row in ipairs(command "SHOW DNS_HOSTS") do
    resolved[row.hostname] = row.addrs
  end
  for id, node in pairs(nodes) do
    if is_lost(id) then
      local addresses = resolved[node.host] -- "10.0.0.1:0,[fd00::1]:0"; SHOW SERVERS says fd00::1
      for address in ((addresses or node.host) .. ","):gmatch("([^,]+),") do
        lost[(addresses and address:match("^%[?(.-)%]?:%d+$") or address) .. ":" .. node.port] = true
      end
    end
  end
  return lost
end

-- Waits until no connection of a database of readers leads to a lost server. When `patience` is over, it ends all
-- connections of that database.
local function free_readers(name, want, nodes, renew)
  local until_s = pm.now() + settings.patience
  local lost = lost_addresses(want.lost, nodes)
  while true do
    renew()
    local stuck = false
    for _, row in ipairs(command "SHOW SERVERS") do
      stuck = stuck or row.database == name and lost[("%s:%s"):format(row.addr, row.port)]
    end
    if not stuck then
      return
    elseif pm.now() >= until_s then
      command("KILL " .. name)
      command("RESUME " .. name)
      pm.log.warning("pgbouncer: %s: its connections are ended: a server is lost", name)
      return
    end
    pm.sleep(LOOK_S)
  end
end

-- Returns the databases that must be paused before the file is changed, those to resume, and whether all others lead
-- where they should.
local function compare(wants, shown, held)
  local to_leave, to_resume, right = {}, {}, true
  for _, database in ipairs(databases) do
    local name = database.name
    local want, now = wants[name], shown[name]
    local moves = want and (not now or now.host ~= want.host or now.port ~= want.port)
    if now and (want == nil or moves and database.role == "writer") and (not now.paused or now.connections > 0) then
      to_leave[#to_leave + 1] = name
    elseif want and now and not moves and held[name] then
      if now.paused then
        to_resume[#to_resume + 1] = name
      else
        held[name] = nil -- PgBouncer was restarted, and has forgotten the pause
      end
    end
    right = right and not moves
  end
  return to_leave, to_resume, right
end

-- Returns the lines that the file should have.
local function plan(wants, present)
  local lines = {}
  for _, database in ipairs(databases) do
    local want = wants[database.name]
    lines[database.name] = want and line_of(database, want) or present.lines[database.name]
  end
  return lines
end

-- Writes the file if its text would change.
local function keep_file(lines, held, present)
  local text = render(lines, held)
  if text ~= present.text then
    write_file(text)
  end
end

local function reload(wants, lines, present, nodes, renew)
  command "RELOAD"
  for _, database in ipairs(databases) do
    local name = database.name
    local want = wants[name]
    if want and present.lines[name] ~= lines[name] then
      pm.log.info("pgbouncer: %s leads to %s:%d", name, want.host, want.port)
      if database.role == "reader" then
        free_readers(name, want, nodes, renew)
      end
    end
  end
end

-- Asks PgBouncer until no client waits. After a failed connection to the old server PgBouncer lets
-- server_login_retry pass, and tries the new one only when it wakes up: at the next tick of its own
-- clock, up to a third of a second later, or at a question such as these.
local function wake(names, renew)
  local until_s, resumed = pm.now() + WAKE_S, {}
  for _, name in ipairs(names) do
    resumed[name] = true
  end
  repeat
    renew()
    local waits = false
    for _, row in ipairs(command "SHOW POOLS") do
      waits = waits or resumed[row.database] and (tonumber(row.cl_waiting) or 0) > 0
    end
    if waits then
      pm.sleep(LOOK_S / 4)
    end
  until not waits or pm.now() >= until_s
end

local function resume(names, held, renew)
  for _, name in ipairs(names) do
    command("RESUME " .. name)
    held[name] = nil
    pm.log.info("pgbouncer: %s goes on", name)
  end
  if #names > 0 then
    wake(names, renew)
  end
end

-- Looks at PgBouncer and at the present roles, and takes the next steps. Returns true when there
-- are none. `held` is the set of databases that this trigger has paused. The file says so, too,
-- because a run may be killed, and plusmoin restarted.
local function pass(renew, held)
  local clusters, present = pm.clusters(), read_file()
  local wants = {}
  for _, database in ipairs(databases) do
    wants[database.name] = wanted(database, clusters, present)
    held[database.name] = held[database.name] or present.waits[database.name]
  end
  local lines = plan(wants, present)
  local ok, shown = pcall(show_databases)
  if not ok then -- so that PgBouncer finds the right file when it comes back
    keep_file(lines, held, present)
    error(shown, 0)
  end
  local to_leave, to_resume, right = compare(wants, shown, held)
  if #to_leave > 0 then
    for _, name in ipairs(to_leave) do
      held[name] = true
    end
    keep_file(present.lines, held, present)
    leave(to_leave, renew)
    return false
  elseif not right or render(lines, {}) ~= render(present.lines, {}) then
    keep_file(lines, held, present)
    reload(wants, lines, present, (roles.nodes(clusters)), renew)
    return false
  end
  resume(to_resume, held, renew)
  keep_file(lines, held, present)
  return #to_resume == 0
end

-- Logs once that PgBouncer tries a server that was down again too late.
local function check_retry()
  for _, row in ipairs(command "SHOW CONFIG") do
    if row.key == "server_login_retry" and (tonumber(row.value) or 0) > 1 then
      remark("server_login_retry", ("server_login_retry is %s s: clients may wait that long after a failover; "
        .. "0.02 is better"):format(row.value))
      return
    end
  end
  remark("server_login_retry", nil)
end

local function settle(renew, held)
  for _ = 1, PASSES do
    renew()
    if pass(renew, held) then
      return
    end
  end
  error("pgbouncer: its databases do not stay as they are set: another program changes them", 0)
end

return function(event)
  local finish, renew = turns.take(pm, NAME, event.id, settings.patience + 3 * settings.timeout)
  local held = pm.state[NAME .. " holds"] or {}
  local ok, why = pcall(settle, renew, held)
  if ok and (event.name == "plusmoin_up" or event.name == "plusmoin_heartbeat") then
    ok, why = pcall(check_retry)
  end
  pm.state[NAME .. " holds"] = held
  finish()
  if not ok then
    error(why, 0)
  end
end
