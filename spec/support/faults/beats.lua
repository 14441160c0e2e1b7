--- The matrix's rows of what befalls the table that plusmoin writes to (spec/support/faults.lua).
local proc = require "spec.support.proc"

local WHY = "it is the master's"

local function sql(text, dbname)
  return function(server)
    server:sql(text, dbname)
  end
end

-- A session that locks the table until it is ended.
local function lock(server, cell)
  cell.locker = proc.spawn({ "psql", "-XAtq", "-h", server.host, "-p", tostring(server.port), "-U", "postgres",
    "-d", "plusmoin", "-c", "BEGIN; LOCK TABLE heartbeat; SELECT pg_sleep(600)" }, { output = "/dev/null" })
end

local function unlock(server, cell)
  server:sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'"
    .. " AND pid <> pg_backend_pid()")
  cell.locker:wait()
end

return {
  { name = "beat table dropped", only = "master", why = WHY, rude = "one beat finds it gone",
    strike = sql("DROP TABLE heartbeat", "plusmoin") },
  { name = "beat table without privilege", only = "master", why = WHY,
    strike = sql("ALTER TABLE heartbeat OWNER TO postgres; REVOKE ALL ON heartbeat FROM plusmoin;"
      .. "GRANT SELECT ON heartbeat TO plusmoin", "plusmoin"),
    mend = sql("ALTER TABLE heartbeat OWNER TO plusmoin", "plusmoin"), held = "table" },
  { name = "beat table with foreign columns", replicated = true, only = "master", why = "it is replicated",
    strike = sql("DROP TABLE heartbeat; CREATE TABLE heartbeat (who TEXT NOT NULL); GRANT ALL ON heartbeat TO plusmoin",
      "plusmoin"), mend = sql("DROP TABLE heartbeat", "plusmoin"), held = "table" },
  { name = "beat table with 1,000 rows", only = "master", why = WHY,
    strike = sql("INSERT INTO heartbeat SELECT 7, 'x', n FROM generate_series(1, 1000) n", "plusmoin") },
  { name = "beat table locked for less than max_sync_delay", only = "master", why = WHY,
    rude = "what meets the lock gives up",
    strike = sql("BEGIN; LOCK TABLE heartbeat; SELECT pg_sleep(1.2); COMMIT", "plusmoin") },
  { name = "beat table locked, and without a replica identity", only = "master", why = WHY,
    rude = "what meets the lock gives up", strike = function(server)
      server:sql("ALTER TABLE heartbeat REPLICA IDENTITY DEFAULT", "plusmoin")
      server:sql("BEGIN; LOCK TABLE heartbeat; SELECT pg_sleep(1.2); COMMIT", "plusmoin")
    end },
  { name = "beat table made anew by a transaction that takes its time", only = "master", why = WHY,
    rude = "what meets the lock gives up", strike = function(server)
      server:sql("DROP TABLE heartbeat", "plusmoin")
      server:sql("BEGIN; CREATE TABLE IF NOT EXISTS heartbeat (cluster_id INT, master TEXT, tstamp BIGINT);"
        .. "ALTER TABLE heartbeat OWNER TO plusmoin; SELECT pg_sleep(1.2); COMMIT", "plusmoin")
    end },
  { name = "beat table locked for longer than max_sync_delay", only = "master", why = WHY,
    rude = "what meets the lock gives up",
    settings = { max_sync_delay = 1.5, recover_sync_delay = 1.5 }, strike = lock, mend = unlock, down = "query_error" },
  { name = "beat table dropped and not to be made again", only = "master", why = WHY,
    rude = "one look at each finds it gone",
    strike = sql("ALTER DATABASE plusmoin OWNER TO postgres; DROP TABLE heartbeat", "plusmoin"),
    mend = sql "ALTER DATABASE plusmoin OWNER TO plusmoin", held = "table" },
  { name = "beat table in a publication for all tables", only = "master", why = WHY,
    strike = sql("CREATE PUBLICATION everything FOR ALL TABLES", "plusmoin") },
  { name = "beat table in a publication, with no right to its replica identity", only = "master", why = WHY,
    strike = sql("ALTER TABLE heartbeat REPLICA IDENTITY NOTHING; ALTER TABLE heartbeat OWNER TO postgres;"
      .. "GRANT ALL ON heartbeat TO plusmoin; CREATE PUBLICATION everything FOR ALL TABLES", "plusmoin"),
    mend = sql("DROP PUBLICATION everything", "plusmoin"), held = "table" },
}
