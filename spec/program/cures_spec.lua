-- Each cure that `plusmoin check` prints is applied to a real server, and what it was printed for is gone then.
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local TABLE = "CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT);"
local MAY = "GRANT SELECT, INSERT, DELETE ON heartbeat TO plusmoin;"
local BEAT = "WITH old AS (DELETE FROM heartbeat RETURNING master, tstamp) INSERT INTO heartbeat (cluster_id, master, "
  .. "tstamp) SELECT 1::int, '127.0.0.1:65432'::text, greatest(1800000000000::bigint, (SELECT max(tstamp) + 1 FROM old "
  .. "WHERE tstamp < 253402300799999)) RETURNING tstamp, (SELECT coalesce(master, '') FROM old ORDER BY tstamp DESC "
  .. "NULLS LAST LIMIT 1), (SELECT max(tstamp) FROM old)"

-- Everything as it was, without a table.
local RESET = [[
  DROP TABLE IF EXISTS public.heartbeat; DROP TABLE IF EXISTS plusmoin.heartbeat;
  ALTER ROLE plusmoin RESET ALL; ALTER ROLE plusmoin IN DATABASE plusmoin RESET ALL; ALTER DATABASE plusmoin RESET ALL;
  ALTER ROLE ALL RESET ALL; CREATE SCHEMA IF NOT EXISTS public; ALTER SCHEMA public OWNER TO postgres;
  GRANT ALL ON SCHEMA public TO plusmoin; GRANT USAGE ON SCHEMA public TO public;
]]
local SERVER_RESET = "ALTER SYSTEM RESET ALL; SELECT pg_reload_conf();"
local GUARD = "CREATE OR REPLACE FUNCTION guard() RETURNS event_trigger LANGUAGE plpgsql AS "
  .. "$$ BEGIN RAISE 'no'; END $$;"
local RAISE = "CREATE OR REPLACE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;"

-- { what check says, what breaks it (SQL in the database, as superuser), ... }. `server`: SQL that needs a reload;
-- `open`: advice, of what only the server can reckon: here it does refuse the beat; `beats`: the beat is written
-- nonetheless;
-- `undo`: so that the next case does not find it.
local QUICK = {
  { "transactions are read-only, by ALTER DATABASE", TABLE .. MAY
    .. "ALTER DATABASE plusmoin SET default_transaction_read_only = on;" },
  { "no schema of search_path (nosuch, by ALTER DATABASE) is there", TABLE .. MAY
    .. "ALTER DATABASE plusmoin SET search_path = nosuch;" },
  { "no right to SELECT, INSERT, DELETE", TABLE },
  { "row level security of table heartbeat lets us SELECT, INSERT, DELETE no row", TABLE .. MAY
    .. "ALTER TABLE heartbeat ENABLE ROW LEVEL SECURITY;" },
  { "column extra of table heartbeat is NOT NULL", TABLE .. MAY .. "ALTER TABLE heartbeat ADD extra int NOT NULL;" },
  { 'trigger "gu%d" of table heartbeat runs at each beat', TABLE .. MAY .. RAISE
    .. 'CREATE TRIGGER "gu%d" BEFORE INSERT ON heartbeat FOR EACH ROW EXECUTE PROCEDURE raise();', open = true },
}
local LONG = {
  { "transactions are read-only, by ALTER ROLE:", TABLE .. MAY
    .. "ALTER ROLE plusmoin SET default_transaction_read_only = on;" },
  { "transactions are read-only, by ALTER ROLE ... IN DATABASE:", TABLE .. MAY
    .. "ALTER ROLE plusmoin IN DATABASE plusmoin SET default_transaction_read_only = on;" },
  { "transactions are read-only, by ALTER ROLE ALL:", TABLE .. MAY
    .. "ALTER ROLE ALL SET default_transaction_read_only = on;", undo = "SET default_transaction_read_only = off" },
  { "transactions are read-only, by postgresql.conf", TABLE .. MAY,
    server = "ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf();" },
  { "no schema of search_path (nosuch, by ALTER ROLE)", "ALTER ROLE plusmoin SET search_path = nosuch;" },
  { "no schema of search_path (nosuch, by ALTER ROLE ... IN DATABASE)",
    "ALTER ROLE plusmoin IN DATABASE plusmoin SET search_path = nosuch;" },
  { "no schema of search_path (nosuch, by ALTER ROLE ALL)", "ALTER ROLE ALL SET search_path = nosuch;" },
  { "no schema of search_path (nosuch, by postgresql.conf", "",
    server = "ALTER SYSTEM SET search_path = nosuch; SELECT pg_reload_conf();" },
  { "no schema of search_path (\"$user\", public) is there", "REVOKE ALL ON SCHEMA public FROM plusmoin, public;" },
  { "no schema of search_path (\"$user\", public) is there", "DROP SCHEMA public CASCADE;" },
  { "no right to make it in schema public", "REVOKE CREATE ON SCHEMA public FROM plusmoin, public;" },
  { "no right to make it in schema plusmoin", 'CREATE SCHEMA IF NOT EXISTS plusmoin; '
    .. "GRANT USAGE ON SCHEMA plusmoin TO plusmoin;", undo = "DROP SCHEMA plusmoin CASCADE" },
  { "no right to INSERT on table heartbeat", "CREATE SCHEMA plusmoin; GRANT USAGE ON SCHEMA plusmoin TO plusmoin;"
    .. TABLE:gsub("heartbeat", "plusmoin.heartbeat") .. "GRANT SELECT, DELETE ON plusmoin.heartbeat TO plusmoin;",
    undo = "DROP SCHEMA plusmoin CASCADE" }, -- the cure names the schema, which is not in psql's path
  { "table heartbeat is unlogged", "CREATE UNLOGGED " .. TABLE:sub(8) .. MAY, beats = true },
  { "lets us INSERT no row", TABLE .. MAY .. "ALTER TABLE heartbeat ENABLE ROW LEVEL SECURITY; "
    .. "CREATE POLICY plusmoin ON heartbeat FOR SELECT USING (true); "
    .. "CREATE POLICY b ON heartbeat FOR DELETE USING (true)" },
  { "lets us SELECT, INSERT, DELETE no row", TABLE .. MAY .. "ALTER TABLE heartbeat OWNER TO plusmoin; ALTER TABLE "
    .. "heartbeat ENABLE ROW LEVEL SECURITY; ALTER TABLE heartbeat FORCE ROW LEVEL SECURITY;" },
  { "lets us SELECT, INSERT, DELETE no row", TABLE .. MAY .. "ALTER TABLE heartbeat ENABLE ROW LEVEL SECURITY; CREATE "
    .. "POLICY a ON heartbeat USING (true); CREATE POLICY b ON heartbeat AS RESTRICTIVE USING (false);" },
  { 'policy "a" of table heartbeat decides on each beat: (cluster_id > 9)', TABLE .. MAY .. "ALTER TABLE heartbeat "
    .. "ENABLE ROW LEVEL SECURITY; CREATE POLICY a ON heartbeat USING (cluster_id > 9);", open = true },
  { 'policy "b" of table heartbeat decides on each beat: (cluster_id > 9)', TABLE .. MAY .. "ALTER TABLE heartbeat "
    .. "ENABLE ROW LEVEL SECURITY; CREATE POLICY a ON heartbeat USING (true); CREATE POLICY b ON heartbeat "
    .. "AS RESTRICTIVE USING (cluster_id > 9);", open = true },
  { "table heartbeat has no column tstamp", "CREATE TABLE heartbeat (cluster_id INT, master TEXT);" .. MAY },
  { "column tstamp of table heartbeat is of type integer", "CREATE TABLE heartbeat (cluster_id INT, master TEXT, "
    .. "tstamp INT DEFAULT 0 NOT NULL); INSERT INTO heartbeat VALUES (1, 'a', 1);" .. MAY },
  { "column tstamp of table heartbeat is of type text", "CREATE TABLE heartbeat (cluster_id INT, master TEXT, "
    .. "tstamp TEXT);" .. MAY },
  { "column tstamp of table heartbeat is of type timestamp", "CREATE TABLE heartbeat (cluster_id INT, master TEXT, "
    .. "tstamp timestamptz);" .. MAY },
  { "column master of table heartbeat is of type character varying(5)", "CREATE TABLE heartbeat (cluster_id INT, "
    .. "master VARCHAR(5), tstamp BIGINT);" .. MAY },
  { "column master of table heartbeat is of type inet", "CREATE TABLE heartbeat (cluster_id INT, master inet, tstamp "
    .. "BIGINT);" .. MAY },
  { "column cluster_id of table heartbeat is of type uuid", "CREATE TABLE heartbeat (cluster_id uuid, master TEXT, "
    .. "tstamp BIGINT);" .. MAY },
  { "column cluster_id of table heartbeat is generated", "CREATE TABLE heartbeat (cluster_id INT GENERATED ALWAYS AS "
    .. "IDENTITY, master TEXT, tstamp BIGINT);" .. MAY },
  { "column master of table heartbeat is generated", "CREATE TABLE heartbeat (cluster_id INT, master TEXT GENERATED "
    .. "ALWAYS AS ('x') STORED, tstamp BIGINT);" .. MAY, since = 12 },
  { 'rule "r" of table heartbeat rewrites the beat', TABLE .. MAY
    .. "CREATE RULE r AS ON INSERT TO heartbeat DO INSTEAD NOTHING;" },
  { 'rule "r" of table heartbeat rewrites the beat', TABLE .. MAY
    .. "CREATE RULE r AS ON INSERT TO heartbeat DO ALSO SELECT 1;" },
  { 'rule "r" of table heartbeat rewrites the beat', TABLE .. MAY
    .. "CREATE RULE r AS ON INSERT TO heartbeat WHERE new.cluster_id = 9 DO INSTEAD NOTHING;" },
  { 'rule "r" of table heartbeat rewrites the beat', TABLE .. MAY
    .. "CREATE RULE r AS ON DELETE TO heartbeat DO INSTEAD NOTHING;" },
  { 'rule "r" of table heartbeat rewrites the beat', TABLE .. MAY
    .. "CREATE RULE r AS ON DELETE TO heartbeat DO ALSO SELECT 1;" },
  { 'constraint "c" of table heartbeat must hold', TABLE .. MAY
    .. "ALTER TABLE heartbeat ADD CONSTRAINT c CHECK (cluster_id > 9);", open = true },
  { 'event trigger "guard" may refuse', GUARD .. "CREATE EVENT TRIGGER guard ON ddl_command_start "
    .. "WHEN TAG IN ('CREATE TABLE') EXECUTE PROCEDURE guard();", open = true,
    undo = "DROP EVENT TRIGGER guard" },
  { 'event trigger "guard" may refuse', GUARD .. "CREATE EVENT TRIGGER guard ON ddl_command_end EXECUTE PROCEDURE "
    .. "guard(); ALTER EVENT TRIGGER guard ENABLE ALWAYS;", open = true, undo = "DROP EVENT TRIGGER guard" },
  { "published without a replica identity", TABLE .. MAY .. "CREATE PUBLICATION p FOR TABLE heartbeat;", beats = true,
    undo = "DROP PUBLICATION p" },
  { "none has table heartbeat", TABLE .. MAY .. 'CREATE PUBLICATION "P%";', beats = true,
    undo = 'DROP PUBLICATION "P%"' },
  { 'publication "p" would have it at once', "CREATE PUBLICATION p FOR ALL TABLES;", beats = true,
    undo = "DROP PUBLICATION p" },
  { "wal_receiver_timeout is 0", TABLE .. MAY, beats = true,
    server = "ALTER SYSTEM SET wal_receiver_timeout = 0; SELECT pg_reload_conf();" },
  { "wal_receiver_timeout is 60 s", TABLE .. MAY, beats = true,
    server = "ALTER SYSTEM SET wal_receiver_timeout = '60s'; SELECT pg_reload_conf();" },
}

local function psql(master, sql, user)
  return proc.run({ "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", tostring(master.port), "-U",
    user or "postgres", "-d", "plusmoin" }, { stdin = sql })
end

-- As superuser, each statement by itself.
local function run(master, sql)
  local code, _, err = psql(master, "SET default_transaction_read_only = off; SET client_min_messages = error;\n"
    .. sql)
  assert(code == 0, sql .. "\n" .. err)
end

-- Whether the server takes a beat from plusmoin's role, making the table where there is none.
local function beats(master)
  local code = psql(master, "\\set ON_ERROR_STOP off\n" .. TABLE .. "\n\\set ON_ERROR_STOP on\n" .. BEAT .. ";\n"
    .. BEAT, "plusmoin")
  return code == 0
end

-- Checks until `done(out)`: a reload of a server's settings takes its time.
local function check_until(daemon, what, done)
  local code, out
  proc.wait_for(what, 10, function()
    code, out = daemon:cli("check")
    return done(out)
  end, function() return tostring(out) end)
  return code, out
end

-- The finding's grade and cure.
local function finding(out, says)
  local lines = {}
  for line in out:gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  for i, line in ipairs(lines) do
    if line:find(says, 1, true) then
      return line:match(": (%a+): "), (lines[i + 1] or ""):match("^    (.*)")
    end
  end
end

local function try(master, daemon, case)
  local says = case[1]
  run(master, RESET .. SERVER_RESET)
  run(master, case[2])
  run(master, case.server or "")
  local code, out = check_until(daemon, says, function(text) return text:find(says, 1, true) end)
  local grade, cure = finding(out, says)
  assert(cure, says .. " has no cure in:\n" .. out)
  if not case.beats then
    assert.equal(case.open and "advice" or "PROBLEM", grade)
    assert.equal(case.open and 0 or 1, code, out)
    assert.is_false(beats(master), says .. ": and the beat is written nonetheless, after " .. case[2])
  end
  local sql = cure:gsub("^in database plusmoin: ", ""):gsub(" on each subscriber.*", "")
  has(sql, ";")
  run(master, sql)
  check_until(daemon, "the end of " .. says .. " after " .. sql, function(text)
    return not text:find(says, 1, true)
  end)
  if not case.beats then
    assert.is_true(beats(master), says .. ": no beat is written after " .. sql)
  end
  run(master, case.undo or "")
end

local function try_all(cases)
  local master, tried = pg.master(), 0
  local daemon = plusmoin.new { nodes = { master }, config = { query_timeout = 3 } }
  for _, case in ipairs(cases) do
    if pg.version() >= (case.since or 0) then
      try(master, daemon, case)
      tried = tried + 1
    end
  end
  return tried
end

-- The cure of the only PROBLEM, and what it was printed for.
local function only_cure(daemon)
  local code, out = daemon:cli("check")
  assert.equal(1, code, out)
  local _, cure = finding(out, ": PROBLEM: ")
  return assert(cure, out), out
end

local function as_admin(master, sql)
  proc.must({ "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", tostring(master.port), "-U", "postgres",
    "-d", "postgres" }, { stdin = sql })
end

describe("a cure of check's", function()
  after_each(scene.finish)

  it("opens the doors of a server, whatever the names are", function()
    local master = pg.master()
    local daemon = plusmoin.new { nodes = { master }, config = { query_timeout = 3, user = 'Mon%d"i', password = "%s'%",
      dbname = "a%s \"B" } }
    local function password(sql) return (sql:gsub("'%.%.%.'", function() return "'%s''%'" end)) end
    as_admin(master, password(only_cure(daemon))) -- there is no such role
    as_admin(master, 'ALTER ROLE "Mon%d""i" NOLOGIN')
    as_admin(master, (only_cure(daemon)))
    local cure, out = only_cure(daemon)
    has(out, "no_database: ")
    as_admin(master, cure)
    daemon:cli("check")
    assert.equal(0, (daemon:cli("check")))
    master:let_in("reject")
    proc.wait_for("the door to be shut", 10, function() return daemon:cli("check") == 1 end)
    local line, sql = only_cure(daemon):match("^pg_hba.conf: (.*); and the password: (.*)$")
    local hba = master.data .. "/pg_hba.conf"
    proc.write_file(hba, line .. "\n" .. proc.read_file(hba), tonumber("600", 8))
    as_admin(master, password(sql) .. " SELECT pg_reload_conf();")
    proc.wait_for("the door to be open", 10, function() return daemon:cli("check") == 0 end)
    has(only_cure(plusmoin.new { nodes = { master }, config = { user = "plusmoin", query_timeout = 3 } }),
      "pg_hba.conf: host    plusmoin  plusmoin  127.0.0.1/32  scram-sha-256")
  end)

  it("is not printed for rights that were given column by column, and suffice", function()
    local master = pg.master()
    local daemon = plusmoin.new { nodes = { master }, config = { query_timeout = 3 } }
    run(master, TABLE .. "GRANT DELETE, SELECT (master, tstamp), INSERT (cluster_id, master) ON heartbeat TO plusmoin;")
    has(select(2, only_cure(daemon)), "no right to INSERT on table heartbeat")
    run(master, "GRANT INSERT (tstamp) ON heartbeat TO plusmoin;")
    local code, out = daemon:cli("check")
    assert.equal(0, code, out)
    assert.is_true(beats(master))
  end)

  it("is of the configuration where that is what sets it", function()
    local daemon = plusmoin.new { nodes = { pg.master() }, config = { query_timeout = 3,
      connection = { options = "-c default_transaction_read_only=on" } } }
    assert.equal("connection.options: without default_transaction_read_only", (only_cure(daemon)))
    daemon.config.connection.options = "-c search_path=nosuch"
    proc.write_file(daemon.config_path, daemon:json())
    has(only_cure(daemon), "connection.options: without search_path; in database plusmoin: GRANT")
  end)

  it("lets a standby answer that has hot_standby = off", function()
    local master = pg.master()
    local standby = master:standby { settings = { hot_standby = "off" }, nowait = true }
    local daemon = plusmoin.new { nodes = { standby }, config = { query_timeout = 3 } }
    local _, out = check_until(daemon, "its words", function(text) return text:find("starting: ", 1, true) end)
    if pg.version() >= 14 then
      check_until(daemon, "them all", function(text) return text:find("Hot standby mode is disabled", 1, true) end)
      _, out = daemon:cli("check")
      local _, cure = finding(out, "starting: ")
      assert.equal("hot_standby = on in postgresql.conf, and a restart", cure)
    end
    has(out, "hot_standby = on in postgresql.conf")
    standby:stop("immediate")
    standby.settings.hot_standby = "on"
    standby:start()
    local code
    code, out = daemon:cli("check")
    assert.equal(0, code, out)
  end)

  it("cures what is met most", function()
    assert.equal(#QUICK, try_all(QUICK))
  end)

  it("cures all that the server can be made to say #long", function()
    print(("%d cures were printed and applied, and cured"):format(try_all(LONG)))
  end)
end)
