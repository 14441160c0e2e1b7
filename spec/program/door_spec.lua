-- A server that is alive and lets nobody in: fresh connections beside the kept one, and who is held (P1).
local machine = require "spec.support.machine"
local network = require "spec.support.network"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local relay = require "spec.support.relay"
local scene = require "spec.support.scene"

-- A fresh connection twice a second for each of the three; a regular round only at the start.
local QUICK = { heartbeat = 0.5, fresh_connect_interval = 0.5, max_sync_delay = 3, recover_sync_delay = 2 }

-- What shuts the door of a master, with its class, and what opens it again; what is `replicated`
-- shuts the slaves', too; those with a tag are for `make test-long`.
local DOORS = {
  { what = "slots full", reason = "full", replicated = true, shut = function(server)
    server:sql("ALTER ROLE plusmoin CONNECTION LIMIT 1")
  end, open = function(server)
    server:sql("ALTER ROLE plusmoin CONNECTION LIMIT -1")
  end },
  { what = "pg_hba refuses", reason = "auth", shut = function(server) server:let_in("reject") end,
    open = function(server) server:let_in("trust") end },
  { what = "the role may not log in", reason = "auth", replicated = true, tag = " #matrix", shut = function(server)
    server:sql("ALTER ROLE plusmoin NOLOGIN")
  end, open = function(server)
    server:sql("ALTER ROLE plusmoin LOGIN")
  end },
  { what = "the database closed", reason = "no_database", replicated = true, tag = " #matrix", shut = function(server)
    server:sql("ALTER DATABASE plusmoin ALLOW_CONNECTIONS false")
  end, open = function(server)
    server:sql("ALTER DATABASE plusmoin ALLOW_CONNECTIONS true")
  end },
}

-- No word in the server's log of a connection that went away without goodbye.
local function check_log(server)
  local log = server:log()
  assert.is_nil(log:find("unexpected EOF", 1, true), log)
  assert.is_nil(log:find("could not receive data", 1, true), log)
end

describe("a door that is shut:", function()
  after_each(function()
    network.restore()
    scene.finish(relay.close_all)
  end)

  -- A backend that starts is killed without a word when its postmaster reaps one that was killed.
  it("a fresh connection that is closed without a word is made once more, a second one is the answer", function()
    local master, slaves = pg.cluster(2)
    local slave = relay.to(slaves[1], function() return 0 end)
    local daemon = plusmoin.start { nodes = { master, slave, slaves[2] }, config = { heartbeat = 60,
      max_sync_delay = 120, fresh_connect_interval = 0, retry_interval = 0.2, restart_grace = 0 } }
    slave.drop = 1
    slaves[1]:end_sessions()
    daemon:quiet(1)
    assert.equal(0, slave.drop)
    slave.drop = 1000
    slaves[1]:end_sessions()
    daemon:expect_events { { "slave_down", slave, rule = "S1", reason = "reset" } }
    slave.drop = 0
    daemon:expect_events { { "slave_up", slave, rule = "L4" } }
  end)

  for _, door in ipairs(DOORS) do
    it(door.what .. ": the master is held, told once, and nothing is down" .. (door.tag or ""), function()
      local daemon, master, slaves = scene.start { config = QUICK }
      door.shut(master)
      local held = {}
      for i, server in ipairs(door.replicated and { master, table.unpack(slaves) } or { master }) do
        held[i] = { "node_held", server, cluster = 0, reason = door.reason }
      end
      daemon:expect_any_order(held)
      daemon:quiet_rounds(6)
      daemon:wait_place(master, "master 0")
      daemon:wait_place(slaves[1], "slave 0")
      door.open(master)
      for _, one in ipairs(held) do
        proc.wait_for("the word of it", 30, function() return daemon:logged("no longer held", one[2].name) end,
          function() return daemon:diagnose() end)
      end
      daemon:quiet_rounds(2)
      for _, server in ipairs { master, slaves[1], slaves[2] } do
        check_log(server)
      end
    end)
  end

  it("when the kept connection goes, too, the master is down after max_sync_delay", function()
    local daemon, master = scene.start { config = QUICK }
    master:let_in("reject")
    daemon:expect_events { { "node_held", master, reason = "auth" } }
    local broken = proc.mono_ms()
    master:end_sessions()
    local down = daemon:expect_events { { "master_down", master, rule = "M2", reason = "auth" } }
    local took = down.ms - broken
    assert.is_true(took > 2500 and took < 6000, took)
    master:let_in("trust")
    daemon:expect_events { { "master_up", master, rule = "M4" }, seconds = 30 } -- it is asked ever more rarely
    daemon:quiet_rounds(2)
  end)

  it("a slave that is promoted takes the seat at once when the held master's kept connection is gone", function()
    local daemon, master, slaves = scene.start { config = { heartbeat = 0.5, fresh_connect_interval = 0.5,
      max_sync_delay = 30 } }
    master:let_in("reject")
    daemon:expect_events { { "node_held", master, reason = "auth" } }
    master:end_sessions()
    daemon:quiet_rounds(1)
    slaves[1]:promote()
    local promoted = proc.mono_ms()
    local up = daemon:expect_events { { "master_up", slaves[1], cluster = 0, rule = "M4" } }
    assert.is_true(up.ms - promoted < 3000)
  end)

  it("a held slave stays a slave", function()
    local daemon, _, slaves = scene.start { config = QUICK }
    slaves[1]:let_in("reject")
    daemon:expect_events { { "node_held", slaves[1], cluster = 0, reason = "auth" } }
    daemon:quiet_rounds(6)
    daemon:wait_place(slaves[1], "slave 0")
    slaves[1]:kill9()
    local killed = proc.mono_ms()
    local down = daemon:expect_events { { "slave_down", slaves[1], rule = "S1", reason = "refused" } }
    assert.is_true(down.ms - killed < 3000) -- no class of hold_on
  end)

  it("a postmaster that is stopped is found by the fresh one: no_new_connections", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    slaves[1]:freeze_postmaster()
    local frozen = proc.mono_ms()
    local down = daemon:expect_events { { "slave_down", slaves[1], rule = "S1", reason = "no_new_connections" } }
    assert.is_true(down.ms - frozen < 3000)
    daemon:quiet_rounds(4)
    slaves[1]:thaw()
    daemon:expect_events { { "slave_up", slaves[1], rule = "L4" } }
    master:freeze_postmaster()
    daemon:expect_events { { "master_down", master, rule = "M2", reason = "no_new_connections" } }
    daemon:quiet_rounds(4)
    master:thaw()
    daemon:expect_events { { "master_up", master, rule = "M4" } }
    daemon:quiet_rounds(2)
  end)

  it("a backend of ours that is stopped is not worth a word: a fresh one answers", function()
    local daemon, master, slaves = scene.start { config = { heartbeat = 0.5, fresh_connect_interval = 0 } }
    for _, server in ipairs { master, slaves[1] } do
      for _, pid in ipairs(server:sessions()) do
        proc.uv.kill(pid, "sigstop")
      end
    end
    daemon:quiet_rounds(4)
    daemon:wait_place(master, "master 0")
    daemon:wait_place(slaves[1], "slave 0")
  end)

  it("a smart stop is let end, and gets its grace", function()
    local daemon, _, slaves = scene.start { config = { heartbeat = 0.5, fresh_connect_interval = 0.5,
      restart_grace = 0.5 } }
    local asked = proc.mono_ms()
    slaves[1]:stop("smart")
    assert.is_true(proc.mono_ms() - asked < 5000)
    daemon:expect_events { { "slave_down", slaves[1], rule = "S1" } }
    slaves[1]:start()
    daemon:expect_events { { "slave_up", slaves[1], rule = "L4" } }
    check_log(slaves[1])
  end)

  it("a smart stop that somebody's session holds up counts at the end of the grace", function()
    local daemon, master = scene.start { slaves = 0, config = { heartbeat = 60, max_sync_delay = 120,
      fresh_connect_interval = 0.2, restart_grace = 2 } }
    local session = proc.spawn({ "psql", "-XAtq", "-h", master.host, "-p", tostring(master.port), "-U", "postgres",
      "-c", "SELECT pg_sleep(600)" }, { output = "/dev/null" })
    proc.wait_for("the session", 10, function()
      return #master:sql("SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'") > 0
    end)
    local asked = proc.mono_ms()
    master:stop("smart", { nowait = true })
    local down = daemon:expect_events { { "master_down", master, rule = "M2", reason = "shutting_down" } }
    assert.is_true(down.ms - asked > 1990 and down.ms - asked < 2000 + 200 + 600, down.ms - asked)
    daemon:quiet(1)
    session:kill()
    master:stop("fast")
  end)

  it("beats that are refused by their table hold the master", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    master:sql("ALTER TABLE heartbeat OWNER TO postgres; REVOKE ALL ON heartbeat FROM plusmoin;"
      .. "GRANT SELECT ON heartbeat TO plusmoin", "plusmoin")
    daemon:expect_events { { "node_held", master, reason = "table" } }
    daemon:quiet_rounds(8)
    daemon:wait_place(master, "master 0")
    daemon:wait_place(slaves[1], "slave 0")
    master:sql("ALTER TABLE heartbeat OWNER TO plusmoin", "plusmoin")
    proc.wait_for("the word of it", 10, function() return daemon:logged("no longer held", master.name) end,
      function() return daemon:diagnose() end)
    daemon:quiet_rounds(2)
  end)

  it("with hold_on empty it is a failure like others", function()
    local daemon, master = scene.start { config = { heartbeat = 0.5, fresh_connect_interval = 0.5, hold_on = {} } }
    master:let_in("reject")
    daemon:expect_events { { "master_down", master, rule = "M2", reason = "no_new_connections" } }
    master:let_in("trust")
    daemon:expect_events { { "master_up", master, rule = "M4" }, seconds = 30 }
  end)

  it("node_held says why, to commands, functions and status", function()
    local master = pg.master()
    local daemon = plusmoin.start { nodes = { master }, config = QUICK, lua = [[
local pm = require "plusmoin"
config.triggers.node_held = { function(event)
  pm.log.info("held %s: %s, %s, %s", event.trigger.name, event.trigger.reason, event.trigger.message,
    tostring(event.rule))
end, config.triggers.node_held }
]] }
    master:sql("ALTER ROLE plusmoin CONNECTION LIMIT 1")
    daemon:expect_events { { "node_held", master, cluster = 0, rule = "P1", reason = "full" } }
    proc.wait_for("the function's word", 5, function()
      return daemon:logged("held " .. master.name .. ": full, ", "too many connections", ", P1")
    end, function() return daemon:diagnose() end)
    local node = daemon:ask({ request = "status" }).clusters[1].master
    assert.equal("full", node.reason)
  end)

  it("a master that stops, and then says nothing, makes no promotion late #matrix", function()
    machine.need("cuts")
    local daemon, master, slaves = scene.start { config = { heartbeat = 30, query_timeout = 8, restart_grace = 60,
      retry_interval = 0.3 } }
    master:stop("fast")
    daemon:wait_logged("no answer", master.name)
    network.cut(master, { network.TO }, "drop")
    slaves[1]:promote()
    local promoted = proc.mono_ms()
    local up = daemon:expect_events { { "master_up", slaves[1], rule = "M4" } }
    assert.is_true(up.ms - promoted < 4000, up.ms - promoted)
  end)

  it("a host that vanishes without a word is noticed between two questions", function()
    machine.need("cuts")
    local daemon, _, slaves = scene.start { config = { heartbeat = 60, max_sync_delay = 120,
      fresh_connect_interval = 0 } }
    network.cut(slaves[1], { network.TO, network.FROM }, "drop")
    local gone = proc.mono_ms()
    local down = daemon:expect_events { { "slave_down", slaves[1], rule = "S1", reason = "timeout" } }
    assert.is_true(down.ms - gone < 6000, down.ms - gone) -- keepalive after 1 s, another 1 s later, query_timeout
    network.restore()
    daemon:expect_events { { "slave_up", slaves[1], rule = "L4" }, seconds = 30 }
  end)
end)
