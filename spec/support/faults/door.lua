--- The matrix's rows of servers that live and let plusmoin not in, or not write (spec/support/faults.lua).
local proc = require "spec.support.proc"

local function open_hba(server)
  server:let_in("trust")
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

return {
  { name = "slots full", strike = fill, mend = empty, held = "full" },
  { name = "password changed", strike = function(server)
    server:let_in("scram-sha-256")
  end, mend = open_hba, held = "auth" },
  { name = "pg_hba refuses", strike = function(server)
    server:let_in("reject")
  end, mend = open_hba, held = "auth" },
  { name = "password changed, and then a restart", settings = { max_sync_delay = 1.5, recover_sync_delay = 1.5 },
    strike = function(server)
      server:let_in("scram-sha-256")
      server:restart("fast")
    end, mend = open_hba, held = "auth", then_down = "auth" },
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
  { name = "database dropped with force", replicated = true, only = "master", why = "it is replicated",
    settings = { max_sync_delay = 1.5, recover_sync_delay = 1.5 },
    strike = on_master "DROP DATABASE plusmoin WITH (FORCE)",
    mend = on_master "CREATE DATABASE plusmoin OWNER plusmoin",
    held = "no_database", then_down = "no_database" },
}
