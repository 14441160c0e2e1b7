-- Holds (P1) that meet something else: a restart, a reload, another failure, a second master.
local disk = require "spec.support.disk"
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local QUICK = { heartbeat = 0.5, fresh_connect_interval = 0.5, max_sync_delay = 30 }
local NO_BEATS = "ALTER TABLE heartbeat OWNER TO postgres; REVOKE ALL ON heartbeat FROM plusmoin;"
  .. "GRANT SELECT ON heartbeat TO plusmoin"

local function count_logged(daemon, words)
  local _, count = daemon:log():gsub(words, "")
  return count
end

local function wait_released(daemon, server)
  proc.wait_for("the end of the hold", 20, function() return daemon:logged("no longer held", server.name) end,
    function() return daemon:diagnose() end)
end

describe("a node that is held", function()
  after_each(scene.finish)

  it("is held by a reload with a wrong database, too: its connections were well until then", function()
    local daemon, master, slaves = scene.start { config = { heartbeat = 0.5, max_sync_delay = 3,
      recover_sync_delay = 2 } }
    daemon.config.dbname = "nowhere"
    local reloaded = proc.mono_ms()
    daemon:reload()
    local held, down, up = {}, { seconds = 20 }, { seconds = 20 }
    for i, server in ipairs { master, slaves[1], slaves[2] } do
      held[i] = { "node_held", server, cluster = 0, rule = "P1", reason = "no_database" }
      down[i] = { i == 1 and "master_down" or "slave_down", server, cluster = 0, reason = "no_database" }
      up[i] = { i == 1 and "master_up" or "slave_up", server, cluster = 0 }
    end
    daemon:expect_any_order(held)
    daemon:expect_any_order(down)
    assert.is_true(daemon:changes()[daemon.taken].ms - reloaded > 2900)
    daemon.config.dbname = "plusmoin"
    daemon:reload()
    daemon:expect_any_order(up)
    daemon:quiet_rounds(2)
  end)

  it("keeps its connection over a reload of other settings, which goes by the new times", function()
    local daemon, master = scene.start { slaves = 1, config = { heartbeat = 0.5, query_timeout = 2,
      fresh_connect_interval = 0.5, max_sync_delay = 3 } }
    master:let_in("reject")
    daemon:expect_events { { "node_held", master, reason = "auth" } }
    daemon.config.query_timeout, daemon.config.connect_timeout = 0.8, 3
    daemon:reload()
    -- a lock that is waited for by the old time would end the kept connection
    master:sql("BEGIN; LOCK TABLE heartbeat; SELECT pg_sleep(1.2); COMMIT", "plusmoin")
    daemon:quiet(4)
    daemon:wait_place(master, "master 0")
  end)

  it("has its restart_grace when it restarts", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { heartbeat = 0.5, max_sync_delay = 30,
      restart_grace = 1.5 } }
    master:sql("ALTER TABLE heartbeat OWNER TO postgres; REVOKE ALL ON heartbeat FROM plusmoin;"
      .. "GRANT INSERT, UPDATE, DELETE ON heartbeat TO plusmoin", "plusmoin")
    daemon:expect_any_order { { "node_held", master, reason = "table" }, { "node_held", slaves[1], reason = "table" } }
    daemon:quiet(2) -- longer than the grace
    slaves[1]:restart("fast")
    daemon:quiet_rounds(3)
    daemon:wait_place(slaves[1], "slave 0")
  end)

  it("is told once, a restart in between is no end of it", function()
    local daemon, _, slaves = scene.start { config = QUICK }
    slaves[1]:let_in("reject")
    daemon:expect_events { { "node_held", slaves[1], reason = "auth" } }
    daemon:quiet_rounds(1)
    slaves[1]:restart("fast")
    daemon:quiet(3)
    assert.equal(0, count_logged(daemon, "no longer held"))
    slaves[1]:let_in("trust")
    wait_released(daemon, slaves[1])
    daemon:quiet_rounds(2)
    assert.equal(1, count_logged(daemon, "no longer held"))
  end)

  it("has its end told when a lock on the table came in between", function()
    local daemon, master = scene.start { slaves = 1, config = QUICK }
    master:sql(NO_BEATS, "plusmoin")
    daemon:expect_events { { "node_held", master, reason = "table" } }
    master:sql("BEGIN; ALTER TABLE heartbeat OWNER TO plusmoin; SELECT pg_sleep(1.5); COMMIT", "plusmoin")
    wait_released(daemon, master)
    daemon:quiet_rounds(2)
  end)

  it("for longer than max_sync_delay is not down when its table is mended under a lock #matrix", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { heartbeat = 0.5, fresh_connect_interval = 0.5,
      max_sync_delay = 3 } }
    master:sql(NO_BEATS, "plusmoin")
    daemon:expect_events { { "node_held", master, reason = "table" } }
    daemon:quiet(3.5)
    master:sql("BEGIN; ALTER TABLE heartbeat OWNER TO plusmoin; SELECT pg_sleep(1.2); COMMIT", "plusmoin")
    wait_released(daemon, master)
    daemon:quiet_rounds(2)
    daemon:wait_place(slaves[1], "slave 0")
  end)

  it("for its table, and told once that it goes, is down at once when it is killed later", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { heartbeat = 0.5, fresh_connect_interval = 0.5,
      max_sync_delay = 30, restart_grace = 5 } }
    master:sql("ALTER TABLE heartbeat OWNER TO postgres; REVOKE ALL ON heartbeat FROM plusmoin;"
      .. "GRANT INSERT, UPDATE, DELETE ON heartbeat TO plusmoin", "plusmoin")
    daemon:expect_any_order { { "node_held", master, reason = "table" }, { "node_held", slaves[1], reason = "table" } }
    slaves[1]:end_sessions()
    daemon:quiet_rounds(3)
    local killed = proc.mono_ms()
    slaves[1]:kill9()
    local down = daemon:expect_events { { "slave_down", slaves[1], reason = "refused" } }
    assert.is_true(down.ms - killed < 2500, down.ms - killed)
  end)

  it("is asked at once after a reload", function()
    local daemon, _, slaves = scene.start { slaves = 1, config = { heartbeat = 20, fresh_connect_interval = 10,
      max_sync_delay = 60, retry_interval = 15 } }
    slaves[1]:let_in("reject")
    daemon:expect_events { { "node_held", slaves[1], reason = "auth" }, seconds = 20 }
    slaves[1]:let_in("trust")
    local reloaded = proc.mono_ms()
    daemon.config.trigger_timeout = 6
    daemon:reload()
    wait_released(daemon, slaves[1])
    assert.is_true(proc.mono_ms() - reloaded < 3000)
  end)

  it("and answers has a split beside it told", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { heartbeat = 0.5, max_sync_delay = 30 } }
    master:sql(NO_BEATS, "plusmoin")
    daemon:expect_events { { "node_held", master, reason = "table" } }
    daemon:quiet_rounds(1)
    slaves[1]:promote()
    slaves[1]:sql("ALTER TABLE heartbeat OWNER TO plusmoin", "plusmoin")
    daemon:wait_event("cluster_created", function(event)
      return event.node == slaves[1].name and event.env.PLUSMOIN_RULE == "M6"
    end, 5)
    daemon:wait_place(master, "master 0")
    daemon:wait_place(slaves[1], "master 1")
  end)

  it("and then frozen loses the seat to the slave that is promoted: no split", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    master:sql(NO_BEATS, "plusmoin")
    daemon:expect_events { { "node_held", master, reason = "table" } }
    daemon:quiet_rounds(1)
    master:freeze()
    slaves[1]:promote()
    slaves[1]:sql("ALTER TABLE heartbeat OWNER TO plusmoin", "plusmoin")
    daemon:wait_event("master_up", function(event)
      return event.node == slaves[1].name and event.env.PLUSMOIN_CLUSTER_ID == "0"
    end)
    for _, event in ipairs(daemon:changes()) do
      assert.is_true(event.name ~= "cluster_created", event.text)
    end
  end)
end)

describe("a beat", function()
  after_each(function() scene.finish(disk.restore) end)

  it("that a trigger of its table swallows is refused by the table", function()
    local master = pg.master()
    local daemon = plusmoin.start { nodes = { master }, config = QUICK }
    master:sql("CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
      .. "CREATE TRIGGER swallow BEFORE INSERT ON heartbeat FOR EACH ROW EXECUTE FUNCTION swallow()", "plusmoin")
    daemon:expect_events { { "node_held", master, rule = "P1", reason = "table" } }
    daemon:wait_logged("held in its place", "a trigger or rule of table heartbeat")
    master:sql("DROP TRIGGER swallow ON heartbeat", "plusmoin")
    wait_released(daemon, master)
    daemon:quiet_rounds(2)
  end)

  it("for which the server has no memory left is held, as a connect is", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = QUICK }
    master:sql("CREATE FUNCTION exhaust() RETURNS trigger LANGUAGE plpgsql AS "
      .. "'BEGIN RAISE EXCEPTION USING ERRCODE = ''53200'', MESSAGE = ''out of memory''; END';"
      .. "CREATE TRIGGER exhaust BEFORE INSERT ON heartbeat FOR EACH ROW EXECUTE FUNCTION exhaust()", "plusmoin")
    daemon:expect_events { { "node_held", master, rule = "P1", reason = "full" } }
    daemon:quiet_rounds(3)
    daemon:wait_place(master, "master 0")
    daemon:wait_place(slaves[1], "slave 0")
    master:sql("DROP TRIGGER exhaust ON heartbeat", "plusmoin")
    wait_released(daemon, master)
    daemon:quiet_rounds(2)
  end)

  it("for which the disk has no room is held, too", function()
    machine.need("mounts")
    local daemon, master = scene.start { slaves = 0, config = QUICK }
    local make_room = disk.full_table(master)
    daemon:expect_events { { "node_held", master, rule = "P1", reason = "full" } }
    daemon:wait_logged("held in its place", "No space left on device")
    daemon:quiet_rounds(3)
    make_room()
    wait_released(daemon, master)
    daemon:quiet_rounds(2)
  end)
end)

describe("a look", function()
  after_each(scene.finish)

  it("whose statement finds no memory left holds master and slave", function()
    local master, slaves = pg.cluster(1)
    master:sql("CREATE TABLE gate (shut BOOLEAN); GRANT SELECT ON gate TO plusmoin;"
      .. "CREATE FUNCTION am_i_slave() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN IF EXISTS (SELECT FROM gate) THEN "
      .. "RAISE EXCEPTION USING ERRCODE = ''53200'', MESSAGE = ''out of memory''; END IF;"
      .. "RETURN pg_is_in_recovery(); END'", "plusmoin")
    local config = { is_slave_statement = "SELECT am_i_slave()" }
    for key, value in pairs(QUICK) do
      config[key] = value
    end
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, config = config }
    master:sql("INSERT INTO gate VALUES (true)", "plusmoin")
    daemon:expect_any_order { { "node_held", master, rule = "P1", reason = "full" },
      { "node_held", slaves[1], rule = "P1", reason = "full" } }
    assert.is_true(daemon:logged("a question was refused", "out of memory"))
    daemon:quiet_rounds(3)
    master:sql("DELETE FROM gate", "plusmoin")
    wait_released(daemon, master)
    wait_released(daemon, slaves[1])
    daemon:quiet_rounds(2)
  end)
end)
