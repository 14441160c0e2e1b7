--- What can happen to a real server: the rows of the matrix (spec/program/matrix_spec.lua).
--
-- A row: name; strike = function(server, cell), mend = function(server, cell) where it does not
-- end by itself; and what plusmoin must conclude of that server:
--   down = the reason of its master_down (M2) or slave_down (S1), one word or {master =, slave =}, true: any
--   (killed it is refused, or reset where a connect was under way);
--   held = the reason of its node_held; neither: silence
-- bound_ms: from the strike to the event (generous; the tight ones are in tests/bench); patience:
-- settings that differ; only = "master" with why, where a column makes no sense; wide: also in
-- the columns of several servers; replicated: strikes the slaves of a master, too.
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"

local uv = proc.uv

local faults = {}

-- The processes that serve plusmoin's connections.
local function our_backends(server)
  local pids = {}
  for i, row in ipairs(server:sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'plusmoin'")) do
    pids[i] = tonumber(row[1])
  end
  assert(#pids > 0, "no session of plusmoin's")
  return pids
end

--- Rows of pg_hba.conf, read again.
function faults.set_hba(server, rows)
  proc.write_file(server.data .. "/pg_hba.conf", "local all all trust\nhost all postgres 127.0.0.1/32 trust\n"
    .. "host replication all 127.0.0.1/32 trust\n" .. rows)
  server:sql("SELECT pg_reload_conf()")
end

function faults.open_hba(server)
  faults.set_hba(server, "host all all 127.0.0.1/32 trust\n")
end

local function start(server)
  server:start()
end

local function thaw(server)
  server:thaw()
end

local function sql(text, dbname)
  return function(server)
    server:sql(text, dbname)
  end
end

-- A statement on the master of a cell: what concerns roles and databases is replicated.
local function on_master(text, dbname)
  return function(_, cell)
    cell.master:sql(text, dbname)
  end
end

-- Sessions of the application's, until there is no slot left but the superusers'.
local function fill(server, cell)
  cell.sessions = {}
  for i = 1, 30 do
    cell.sessions[i] = proc.spawn({ "psql", "-XAtq", "-h", server.host, "-p", tostring(server.port), "-U", "plusmoin",
      "-d", "plusmoin", "-c", "SELECT pg_sleep(600)" }, { output = "/dev/null" })
  end
end

local function empty(server, cell)
  server:sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'"
    .. " AND pid <> pg_backend_pid()")
  for _, session in ipairs(cell.sessions) do
    session:wait()
  end
end

local TABLE = "plusmoin_" .. uv.os_getpid() -- of nft's, in the root namespace: it concerns the servers' ports alone
local is_cut = false

-- Packets to and from the server's port meet `verdict`.
local function cut(verdict)
  return function(server)
    local rules = { "add table inet " .. TABLE,
      ("add chain inet %s out { type filter hook output priority 0 ; }"):format(TABLE),
      ("add rule inet %s out tcp dport %d %s"):format(TABLE, server.port, verdict) }
    if verdict == "drop" then
      rules[#rules + 1] = ("add rule inet %s out tcp sport %d drop"):format(TABLE, server.port)
    end
    is_cut = true
    proc.must({ "nft", "-f", "-" }, { stdin = table.concat(rules, "\n") .. "\n", as_root = true })
  end
end

--- Whether we may: root, with nft, where there is a right to it.
function faults.can_cut()
  if faults.may_cut == nil then
    local probe = ("add table inet %s\ndelete table inet %s\n"):format(TABLE, TABLE)
    local ok, code = pcall(proc.run, { "nft", "-f", "-" }, { stdin = probe, as_root = true })
    faults.may_cut = proc.is_root and ok and code == 0
  end
  return faults.may_cut
end

--- Takes away what of the network was cut.
function faults.restore()
  if is_cut then
    is_cut = false
    proc.must({ "nft", "delete", "table", "inet", TABLE }, { as_root = true })
  end
end

faults.cut = cut

faults.rows = {
  { name = "kill -9 of all", wide = true, core = true, strike = function(server) server:kill9() end, mend = start,
    down = true },
  { name = "kill -9 of the postmaster alone", core = true, strike = function(server) server:kill_postmaster() end,
    mend = start, down = true },
  { name = "kill -9 of a backend of ours", strike = function(server)
    uv.kill(our_backends(server)[1], "sigkill")
    server:wait_up()
  end },
  { name = "SIGSTOP of all", wide = true, strike = function(server) server:freeze() end, mend = thaw, down = "hung" },
  { name = "SIGSTOP of the postmaster alone", strike = function(server) server:freeze_postmaster() end, mend = thaw,
    down = "no_new_connections" },
  { name = "SIGSTOP of our backend alone", strike = function(server)
    for _, pid in ipairs(our_backends(server)) do
      uv.kill(pid, "sigstop")
    end
  end },
  { name = "fast stop", strike = function(server) server:stop("fast") end, mend = start, down = "refused" },
  { name = "smart stop", strike = function(server)
    local asked = proc.mono_ms()
    server:stop("smart")
    local took = proc.mono_ms() - asked -- fresh_connect_interval + 1 s, and what a load takes
    assert(took < 1500 + 2000, "our session held up a smart stop: ms " .. took)
  end, mend = start, down = "refused" },
  { name = "immediate stop", strike = function(server) server:stop("immediate") end, mend = start, down = "refused" },
  { name = "restart within the grace", settings = { restart_grace = 10 }, strike = function(server)
    server:restart("fast")
  end },
  { name = "immediate restart within the grace", settings = { restart_grace = 10 }, strike = function(server)
    server:restart("immediate")
  end },
  { name = "restart past the grace", wide = true, settings = { restart_grace = 0.3 },
    strike = function(server) server:stop("fast") end, mend = start, down = "refused" },
  { name = "network: drop", wide = true, cuts = true, strike = cut "drop", mend = faults.restore, down = "hung" },
  { name = "network: reject (tcp reset)", cuts = true, strike = cut "reject with tcp reset",
    mend = faults.restore, down = "refused" },
  { name = "network: reject (icmp)", cuts = true, strike = cut "reject with icmpx type host-unreachable",
    mend = faults.restore, down = "unreachable" },
  { name = "our session terminated", strike = function(server)
    server:sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'plusmoin'")
  end },
  { name = "slots full", strike = fill, mend = empty, held = "full" },
  { name = "password changed", strike = function(server)
    faults.set_hba(server, "host all all 127.0.0.1/32 scram-sha-256\n")
  end, mend = faults.open_hba, held = "auth" },
  { name = "pg_hba refuses", strike = function(server)
    faults.set_hba(server, "host all all 127.0.0.1/32 reject\n")
  end, mend = faults.open_hba, held = "auth" },
  { name = "password changed, and then a restart", settings = { max_sync_delay = 1.5, recover_sync_delay = 1.5 },
    strike = function(server)
      faults.set_hba(server, "host all all 127.0.0.1/32 scram-sha-256\n")
      server:restart("fast")
    end, mend = faults.open_hba, held = "auth", then_down = "auth" },
  { name = "database closed", replicated = true, only = "master", why = "it is replicated",
    strike = on_master "ALTER DATABASE plusmoin ALLOW_CONNECTIONS false",
    mend = on_master "ALTER DATABASE plusmoin ALLOW_CONNECTIONS true", held = "no_database" },
  { name = "role renamed", replicated = true, only = "master", why = "it is replicated",
    strike = on_master "ALTER ROLE plusmoin RENAME TO elsewhere",
    mend = on_master "ALTER ROLE elsewhere RENAME TO plusmoin", held = "auth" },
  { name = "default_transaction_read_only", only = "master", why = "a slave is read only",
    strike = function(server)
      server:sql("ALTER SYSTEM SET default_transaction_read_only = on")
      server:sql("SELECT pg_reload_conf()")
    end, mend = function(server)
      server:sql("ALTER SYSTEM RESET default_transaction_read_only")
      server:sql("SELECT pg_reload_conf()")
    end, down = "read_only" },
  { name = "beat table dropped", only = "master", why = "it is the master's",
    strike = sql("DROP TABLE heartbeat", "plusmoin") },
  { name = "beat table without privilege", only = "master", why = "it is the master's",
    strike = sql("ALTER TABLE heartbeat OWNER TO postgres; REVOKE ALL ON heartbeat FROM plusmoin;"
      .. "GRANT SELECT ON heartbeat TO plusmoin", "plusmoin"),
    mend = sql("ALTER TABLE heartbeat OWNER TO plusmoin", "plusmoin"), held = "table" },
  { name = "beat table with foreign columns", replicated = true, only = "master", why = "it is replicated",
    strike = sql("DROP TABLE heartbeat; CREATE TABLE heartbeat (who TEXT NOT NULL); GRANT ALL ON heartbeat TO plusmoin",
      "plusmoin"), mend = sql("DROP TABLE heartbeat", "plusmoin"), held = "table" },
  { name = "beat table with 1,000 rows", only = "master", why = "it is the master's",
    strike = sql("INSERT INTO heartbeat SELECT 7, 'x', n FROM generate_series(1, 1000) n", "plusmoin") },
  { name = "database dropped with force", replicated = true, only = "master", why = "it is replicated",
    settings = { max_sync_delay = 1.5, recover_sync_delay = 1.5 },
    strike = on_master "DROP DATABASE plusmoin WITH (FORCE)",
    mend = on_master "CREATE DATABASE plusmoin OWNER plusmoin",
    held = "no_database", then_down = "no_database" },
  { name = "beat table locked for less than max_sync_delay", only = "master", why = "it is the master's",
    strike = sql("BEGIN; LOCK TABLE heartbeat; SELECT pg_sleep(1.2); COMMIT", "plusmoin") },
}

--- Only for rows with `only`: whether the row makes sense for a server of this role.
function faults.fits(row, role)
  return row.only == nil or row.only == role
end

faults.pg = pg
return faults
