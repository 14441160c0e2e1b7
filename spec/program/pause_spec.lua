-- How often a server is asked that refuses us in the same words again and again: each refusal is a line in its log.
local cjson = require "cjson"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"

-- Pauses are 0.1 s until a server has said the same for a second, then a tenth of that time.
local OFTEN = { heartbeat = 0.2, retry_interval = 0.1, query_timeout = 1, fresh_connect_interval = 0.2,
  max_sync_delay = 60 }
local FROM, TO = 1.5, 3 -- seconds after the first refusal; 7 pauses of a tenth are between them, and 15 of 0.1 s

-- When the server logged lines with these words, in seconds after the first one.
local function times(server, words)
  local list = {}
  for line in server:log():gmatch("[^\n]+") do
    local day, hour, minute, second = line:match("^%d+%-%d+%-(%d+) (%d+):(%d+):([%d.]+) ")
    if day and line:find(words, 1, true) then
      list[#list + 1] = ((day * 24 + hour) * 60 + minute) * 60 + second
    end
  end
  local first = list[1]
  for i, time in ipairs(list) do
    list[i] = time - first
  end
  return list
end

local function count_between(list, from, to)
  local count = 0
  for _, time in ipairs(list) do
    count = count + ((time >= from and time < to) and 1 or 0)
  end
  return count
end

-- Each of `cases` ({ server, its words }) has logged them as often as pauses of a tenth have it, where `to` is twice
-- as long ago as `from`.
local function expect_pauses(daemon, cases, from, to)
  from, to = from or FROM, to or TO
  for _, case in ipairs(cases) do
    proc.wait_for("the refusals of " .. case[2], 20, function()
      local list = times(case[1], case[2])
      return #list > 0 and list[#list] > to
    end, function() return case[1]:log() .. daemon:diagnose() end)
  end
  for _, case in ipairs(cases) do
    local list = times(case[1], case[2])
    local told = case[2] .. ": " .. table.concat(list, " ")
    assert.is_true(count_between(list, from, to) <= 11, told)
    assert.is_true(count_between(list, from, to) >= 3, told)
    assert.is_true(count_between(list, 0, 1) >= 3, told)
  end
end

-- The one that there is for others than superusers.
local function take_slot(server)
  proc.spawn { "psql", "-Xq", "-h", server.host, "-p", tostring(server.port), "-U", "plusmoin", "-d", "plusmoin",
    "-c", "SELECT pg_sleep(600)" }
  proc.wait_for("its session", 10, function()
    return server:log():find("connection authorized: user=plusmoin", 1, true)
  end, function() return server:log() end)
end

local NO_DDL = [[CREATE FUNCTION no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'no DDL here'; END$$;
  CREATE EVENT TRIGGER no_ddl ON ddl_command_start EXECUTE PROCEDURE no_ddl()]]
local PLAIN_TABLE = [[CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT);
  ALTER TABLE heartbeat OWNER TO plusmoin; ]]
local TABLE = PLAIN_TABLE .. "ALTER TABLE heartbeat REPLICA IDENTITY FULL; "
local RAISE = [[CREATE FUNCTION no_beats() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'no beats here'; END$$;
  CREATE TRIGGER no_beats BEFORE INSERT ON heartbeat FOR EACH ROW EXECUTE PROCEDURE no_beats()]]
local NO_ROWS = [[CREATE FUNCTION no_rows() RETURNS bool LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'no rows here'; END$$; CREATE POLICY no_rows ON heartbeat USING (no_rows());
  ALTER TABLE heartbeat ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY]]
local RLS = "ALTER TABLE heartbeat ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"

describe("a server that says the same again and again", function()
  after_each(function() scene.finish(standin.stop_all) end)

  it("is asked after a tenth of that time: no hot standby, full, password, database, no TLS", function()
    local master = pg.master()
    local cold = master:standby { settings = { hot_standby = "off" }, nowait = true }
    local full = pg.master { settings = { max_connections = 4, superuser_reserved_connections = 3,
      log_connections = "on" } }
    local shut, nowhere = pg.master(), pg.master()
    local plain = pg.master { settings = { log_connections = "on" } }
    take_slot(full)
    shut:let_in("reject")
    nowhere.dbname = "nowhere"
    plain.connection = { sslmode = "require" }
    local daemon = plusmoin.start { nodes = { master, cold, full, shut, nowhere, plain }, config = OFTEN }
    expect_pauses(daemon, { { cold, "FATAL:  the database system is not accepting connections" },
      { full, "FATAL:  remaining connection slots" }, { shut, "FATAL:  pg_hba.conf rejects" },
      { nowhere, 'FATAL:  database "nowhere"' }, { plain, "connection received: host=127.0.0.1" } })
    daemon:quiet(0)
  end)

  it("or refuses the beat is asked for its role as ever, and sent the beat after such a pause", function()
    local secure, checked, raising, guarded = pg.master { settings = { log_statement = "all" } }, pg.master(),
      pg.master(), pg.master()
    local roleless = pg.master() -- it cannot say its role either
    for _, server in ipairs { secure, checked, raising, guarded } do
      server:sql("CREATE FUNCTION is_slave() RETURNS bool LANGUAGE sql AS 'SELECT pg_is_in_recovery()'", "plusmoin")
    end
    secure:sql(TABLE .. RLS, "plusmoin")
    checked:sql(TABLE .. "ALTER TABLE heartbeat ADD CHECK (tstamp < 0)", "plusmoin")
    raising:sql(TABLE .. RAISE, "plusmoin")
    guarded:sql(NO_DDL, "plusmoin")
    local config = { is_slave_statement = "SELECT is_slave()" }
    for name, value in pairs(OFTEN) do
      config[name] = value
    end
    local daemon = plusmoin.start { nodes = { secure, checked, raising, guarded, roleless }, config = config,
      nowait = true, triggers = { split_brain = false } }
    local beats = "ERROR:  new row violates row-level security policy"
    expect_pauses(daemon, { { secure, beats }, { checked, "ERROR:  new row for relation" },
      { raising, "ERROR:  no beats here" }, { guarded, 'ERROR:  relation "heartbeat" does not' },
      { roleless, "ERROR:  function is_slave() does not" } })
    assert.is_true(count_between(times(secure, ": SELECT is_slave()"), FROM, TO) >= 9, secure:log())
    secure:sql("ALTER TABLE heartbeat DISABLE ROW LEVEL SECURITY", "plusmoin")
    daemon:expect_events { { "cluster_created", secure, rule = "U2" }, seconds = 10 }
  end)

  it("or refuses to set the table's REPLICA IDENTITY, without which beats are written as well", function()
    local guarded = pg.master()
    guarded:sql(PLAIN_TABLE .. NO_DDL, "plusmoin")
    local daemon = plusmoin.start { nodes = { guarded }, config = { heartbeat = 0.1, retry_interval = 0.1,
      fresh_connect_interval = 0.05, query_timeout = 1 } }
    expect_pauses(daemon, { { guarded, "ERROR:  no DDL here" } })
    daemon:quiet_rounds(1)
  end)

  it("of a lock on the table #long", function()
    local daemon, master = scene.start { slaves = 1, config = { heartbeat = 0.2, retry_interval = 0.1,
      query_timeout = 0.3, max_sync_delay = 60 } }
    local lock = proc.spawn { "psql", "-Xq", "-h", master.host, "-p", tostring(master.port), "-U", "postgres", "-d",
      "plusmoin", "-c", "BEGIN; LOCK TABLE heartbeat; SELECT pg_sleep(600)" }
    expect_pauses(daemon, { { master, "ERROR:  canceling statement due to lock timeout" } }, 6, 12)
    lock:kill()
    master:sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'")
    daemon:wait_logged("answers again", master.name)
    daemon:quiet_rounds(2)
  end)

  it("is left alone as long where it keeps its place: a refused beat, a row, a door that is shut", function()
    local daemon, master, slaves = scene.start { config = OFTEN }
    slaves[1]:let_in("reject")
    daemon:expect_events { { "node_held", slaves[1], reason = "auth" } }
    master:sql(NO_ROWS, "plusmoin")
    daemon:expect_any_order { { "node_held", master, reason = "table" }, { "node_held", slaves[2], reason = "table" } }
    expect_pauses(daemon, { { master, "ERROR:  no rows here" }, { slaves[2], "ERROR:  no rows here" },
      { slaves[1], "FATAL:  pg_hba.conf rejects" } })
    slaves[1]:end_sessions() -- without a kept connection, too
    local from = #times(slaves[1], "FATAL:  pg_hba.conf rejects")
    daemon:quiet(1.5)
    assert.is_true(#times(slaves[1], "FATAL:  pg_hba.conf rejects") - from <= 6, slaves[1]:log())
    daemon:wait_place(slaves[1], "slave 0")
    master:sql("DROP FUNCTION no_rows CASCADE; ALTER TABLE heartbeat DISABLE ROW LEVEL SECURITY", "plusmoin")
    slaves[1]:let_in("trust")
    for _, server in ipairs { master, slaves[1], slaves[2] } do
      daemon:wait_logged("no longer held", server.name)
    end
    daemon:quiet_rounds(2)
  end)

  it("counts at once when the time is over for which it is held, however long its pause is", function()
    local daemon, _, slaves = scene.start { slaves = 1, config = { heartbeat = 20, retry_interval = 15,
      query_timeout = 1, max_sync_delay = 3, recover_sync_delay = 2 } }
    slaves[1]:let_in("reject")
    local gone = proc.mono_ms()
    slaves[1]:end_sessions()
    daemon:expect_any_order { { "node_held", slaves[1], reason = "auth" } }
    local down = daemon:expect_events { { "slave_down", slaves[1], reason = "auth" } }
    assert.is_true(down.ms - gone >= 2900 and down.ms - gone < 5000, down.ms - gone)
  end)

  it("is asked at once after a reload, and its beat is tried", function()
    local raising, shut = pg.master(), pg.master { family = 2 }
    raising:sql(TABLE .. RAISE, "plusmoin")
    shut:let_in("reject")
    local daemon = plusmoin.start { nodes = { raising, shut }, nowait = true,
      config = { heartbeat = 20, retry_interval = 15, query_timeout = 1 } }
    daemon:wait_status("both", function(status)
      local nodes = status.clusterless
      return #nodes == 2 and nodes[1].reason ~= cjson.null and nodes[2].reason ~= cjson.null
    end)
    raising:sql("DROP FUNCTION no_beats CASCADE", "plusmoin")
    shut:let_in("trust")
    daemon.config.trigger_timeout = 6
    daemon:reload()
    local reloaded = proc.mono_ms()
    for _ = 1, 2 do
      assert.is_true(daemon:expect_events { { "cluster_created", rule = "U2" } }.ms - reloaded < 4000)
    end
  end)

  it("is found at once after a short recovery", function()
    local stand = standin.start()
    local nodes = stand:servers("n", 2, "127.24.7.1")
    stand:play("up n1: n2", "n2 fatal 57P03")
    local daemon = plusmoin.start { nodes = nodes, config = OFTEN }
    daemon:quiet(1)
    stand:play "n2 serve"
    local served = proc.mono_ms()
    assert.is_true(daemon:expect_events { { "slave_up", nodes[2], rule = "U3" } }.ms - served < 1000)
  end)
end)
