-- Settings of the role, the database, both, or the server that reach plusmoin's sessions: nothing comes of them. No
-- event, no error in plusmoin's log or of its sessions in a server's, `check` is content, and pm.query's answers are
-- the same. (What is evidence, default_transaction_read_only, and what says where the table is, is left alone.)
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local VERSION = pg.version()

-- Name, value; the versions that have it; `file = false`: not in postgresql.conf; `alone`: not with the others.
local SETTINGS = {
  { "default_transaction_isolation", "serializable" },
  { "default_transaction_deferrable", "on" },
  { "statement_timeout", "1ms" },
  { "lock_timeout", "1ms" },
  { "idle_in_transaction_session_timeout", "1ms" },
  { "idle_session_timeout", "250ms", from = 14 },
  { "transaction_timeout", "80ms", from = 17 },
  { "client_encoding", "LATIN1" },
  { "client_min_messages", "debug5" },
  { "DateStyle", "German, DMY" },
  { "IntervalStyle", "sql_standard" },
  { "TimeZone", "Pacific/Apia" },
  { "bytea_output", "escape" },
  { "extra_float_digits", "-15" },
  { "row_security", "off" },
  { "standard_conforming_strings", "off" },
  { "escape_string_warning", "off" },
  { "synchronous_commit", "remote_apply" },
  { "default_tablespace", "pg_global" }, -- where no table of ours may be
  { VERSION >= 16 and "debug_parallel_query" or "force_parallel_mode", "on" },
  { "quote_all_identifiers", "on" },
  { "transform_null_equals", "on" },
  { "array_nulls", "off" },
  { "xmloption", "document" },
  { "exit_on_error", "on" },
  { "enable_seqscan", "off" },
  { "jit", "on", from = 11, alone = true }, -- beside enable_seqscan pm.query would compile for half a second
  { "plan_cache_mode", "force_generic_plan", from = 12 },
  { "session_replication_role", "replica" },
  { "role", "keeper", file = false },
}

-- The tests' own words to a server are not theirs.
local CALM = "dbname=%s options='-c statement_timeout=0 -c lock_timeout=0 -c default_transaction_deferrable=off"
  .. " -c default_transaction_isolation=read\\\\ committed -c client_min_messages=warning -c exit_on_error=off'"

local function calm(server, sql)
  return server:sql(sql, CALM:format("postgres"))
end

local function of_catalogue(whose)
  return function(master, settings)
    local sql = {}
    for i, setting in ipairs(settings) do
      sql[i] = ("ALTER %s SET %s = '%s'"):format(whose, setting[1], setting[2]:gsub(", ", "', '"))
    end
    calm(master, #sql > 0 and table.concat(sql, "; ") or ("ALTER %s RESET ALL"):format(whose))
  end
end

-- In postgresql.auto.conf, as ALTER SYSTEM has it, and taken by all who run.
local function of_server(master, settings, slave)
  local lines = {}
  for i, setting in ipairs(settings) do
    lines[i] = setting.file ~= false and ("%s = '%s'\n"):format(setting[1], setting[2]) or ""
  end
  for _, server in ipairs { master, slave } do
    local before = calm(server, "SELECT pg_conf_load_time()")[1][1]
    proc.write_file(server.data .. "/postgresql.auto.conf", table.concat(lines), tonumber("600", 8))
    calm(server, "SELECT pg_reload_conf()")
    proc.wait_for("the reload", 10, function()
      return calm(server, "SELECT pg_conf_load_time()")[1][1] ~= before
    end, function() return server:log() end)
  end
end

-- Each: has these settings, and no others, from now on.
local PLACES = {
  { "role", of_catalogue "ROLE plusmoin" },
  { "database", of_catalogue "DATABASE plusmoin" },
  { "role in database", of_catalogue "ROLE plusmoin IN DATABASE plusmoin" },
  { "server", of_server },
}

-- What pm.query is asked at each beat, and what it must answer: on the master and on the slave.
local TRIGGER = [[
local pm = require "plusmoin"
config.triggers.plusmoin_heartbeat = { function(event)
  for _, server in ipairs { event.master, event.slaves[1] } do
    local rows, why = pm.query(server, "SELECT DATE '2026-02-01' AS day, '1 day 02:03:04'::interval AS span,"
      .. " '\\x00ff'::bytea AS bytes, length('a\\b') AS len, 0.125::float8 AS eighth, pg_sleep(0.1),"
      .. " (SELECT count(*) FROM guarded) AS seen, 'ü' AS letter", nil, { connection = { application_name = "run" } })
    assert(rows, why)
    local row = rows[1]
    local said = table.concat({ row.day, row.span, row.bytes, row.len, row.eighth, row.seen, row.letter }, "|")
    assert(said == "2026-02-01|1 day 02:03:04|\\x00ff|3|0.125|1|ü", said)
  end
end, config.triggers.plusmoin_heartbeat }
]]

local GUARDED = "CREATE TABLE guarded AS SELECT i FROM generate_series(1, 3) i; ALTER TABLE guarded ENABLE ROW LEVEL"
  .. " SECURITY; CREATE POLICY one ON guarded USING (i = 1); GRANT SELECT ON guarded TO public"

local function start()
  local master, slaves = pg.cluster(1)
  master:sql(GUARDED, "plusmoin")
  master:sql("CREATE ROLE keeper; GRANT keeper TO plusmoin")
  local daemon = plusmoin.start { nodes = { master, slaves[1] }, lua = TRIGGER,
    config = { heartbeat = 0.4, fresh_connect_interval = 0.3, query_timeout = 1 } }
  daemon:quiet_rounds(1)
  master:sql("GRANT ALL ON heartbeat TO keeper; CREATE PUBLICATION own FOR TABLE heartbeat", "plusmoin")
  return { daemon = daemon, master = master, slave = slaves[1] }
end

local function wait_replayed(it)
  local lsn = calm(it.master, "SELECT pg_current_wal_lsn()")[1][1]
  proc.wait_for("the slave to have it", 10, function()
    return calm(it.slave, ("SELECT pg_last_wal_replay_lsn() >= '%s'"):format(lsn))[1][1] == "t"
  end)
end

-- The daemon's sessions are new ones from now on.
local function connect_anew(it)
  for _, server in ipairs { it.master, it.slave } do
    calm(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'plusmoin'")
  end
end

-- Lines of a log behind byte `from` that complain.
local function complaints(text, from, words)
  local found = {}
  for line in text:sub(from + 1):gmatch("[^\n]+") do
    if words(line) then
      found[#found + 1] = line
    end
  end
  return found
end

local function is_complaint_of_ours(line)
  return line:find(" plusmoin ERROR: ", 1, true) or line:find(" plusmoin FATAL: ", 1, true)
    and not line:find("due to administrator command", 1, true)
end

local function is_error(line)
  return line:find(" error ", 1, true)
end

-- What came of the settings; nil: nothing.
local function trouble(it, rounds)
  local logs = { it.daemon:log(), it.master:log(), it.slave:log() }
  connect_anew(it)
  local quiet, why = pcall(it.daemon.quiet_rounds, it.daemon, rounds)
  if not quiet then
    return tostring(why):match("[^\n]+")
  end
  local code, out, err = it.daemon:cli("check")
  if code ~= 0 or not out:find("All will work.", 1, true) then
    return "check: " .. out .. err
  end
  for advice in out:gmatch("advice: ([^\n]+)") do
    if not advice:find("idle_session_timeout", 1, true) and not advice:find("wal_receiver_timeout", 1, true) then
      return "check: " .. advice
    end
  end
  return complaints(it.daemon:log(), #logs[1], is_error)[1]
    or complaints(it.master:log(), #logs[2], is_complaint_of_ours)[1]
    or complaints(it.slave:log(), #logs[3], is_complaint_of_ours)[1]
end

-- Those of this version; `together`: that go with each other.
local function known(together)
  local list = {}
  for _, setting in ipairs(SETTINGS) do
    if (setting.from or 0) <= VERSION and not (together and setting.alone) then
      list[#list + 1] = setting
    end
  end
  return list
end

describe("settings that reach plusmoin's sessions", function()
  after_each(scene.finish)

  it("all at once, at each place, change nothing", function()
    local it = start()
    assert.is_nil(trouble(it, 1))
    for _, place in ipairs(PLACES) do
      place[2](it.master, known(true), it.slave)
      wait_replayed(it)
      local why = trouble(it, 2)
      assert.is_nil(why, ("%s: %s"):format(place[1], why))
      place[2](it.master, {}, it.slave)
    end
    -- who runs takes those of the server by a reload
    connect_anew(it)
    it.daemon:quiet_rounds(2)
    of_server(it.master, known(true), it.slave)
    it.daemon:quiet_rounds(2)
  end)

  it("one by one, at each place, change nothing #long", function()
    local it = start()
    local broken, tried = {}, 0
    for _, place in ipairs(PLACES) do
      for _, setting in ipairs(known()) do
        if place[2] ~= of_server or setting.file ~= false then
          tried = tried + 1
          place[2](it.master, { setting }, it.slave)
          wait_replayed(it)
          local why = trouble(it, 3)
          place[2](it.master, {}, it.slave)
          if why then
            broken[#broken + 1] = ("%s, %s: %s"):format(setting[1], place[1], why)
            connect_anew(it)
            it.daemon:wait_place(it.slave, "slave 0", 30)
            it.daemon:wait_place(it.master, "master 0", 30)
            it.daemon.taken = #it.daemon:changes()
          end
        end
      end
    end
    assert.is_true(tried >= 100, tried)
    assert.equal("", table.concat(broken, "\n"))
  end)

  it("let the table be made: where and how is not the database's to say", function()
    local master = pg.master()
    master:sql("ALTER DATABASE plusmoin SET default_tablespace = 'pg_global'")
    if VERSION >= 12 then
      master:sql("CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler", "plusmoin")
      master:sql("ALTER ROLE plusmoin SET default_table_access_method = 'other'")
    end
    master:sql("CREATE SCHEMA elsewhere AUTHORIZATION plusmoin", "plusmoin")
    -- the user's own options stand, but for what is pinned
    master.connection = { options = "-c search_path=elsewhere -c default_tablespace=pg_global" }
    local daemon = plusmoin.start { nodes = { master } }
    daemon:quiet_rounds(1)
    assert.equal("elsewhere", master:sql("SELECT schemaname FROM pg_tables WHERE tablename = 'heartbeat'",
      "plusmoin")[1][1])
    assert.equal(VERSION >= 12 and "heap" or "", master:sql("SELECT a.amname FROM pg_class c LEFT JOIN pg_am a"
      .. " ON a.oid = c.relam WHERE c.relname = 'heartbeat'", "plusmoin")[1][1])
    assert.equal("", master:complaints())
  end)

  it("do not hide that a server is stopped at once: a restart is none's loss", function()
    local master, slaves = pg.cluster(1)
    master:sql("ALTER ROLE plusmoin SET client_min_messages = 'error'")
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, config = { restart_grace = 20 } }
    daemon:quiet_rounds(1)
    master:stop("immediate")
    daemon:quiet(1)
    master:start()
    daemon:quiet_rounds(1)
  end)

  it("of pm.query are the caller's to choose", function()
    local master = pg.master()
    local daemon = plusmoin.start { nodes = { master }, nowait = true, lua = [[
local pm = require "plusmoin"
config.triggers.plusmoin_up = function(event)
  local options = { connection = { options = "-c DateStyle=German -c default_transaction_isolation=serializable" } }
  local row = pm.query(event.master, "SELECT DATE '2026-02-01' AS day, current_setting('transaction_isolation')"
    .. " AS level", nil, options)[1]
  pm.log.info("said %s, %s", row.day, row.level)
end
]] }
    daemon:wait_logged("said 01.02.2026, serializable")
    has(daemon:log(), "plusmoin_up")
  end)
end)
