-- What servers find in their logs of plusmoin: nothing. No error, no connection that went away without goodbye.
local machine = require "spec.support.machine"
local peer = require "spec.support.peer"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- A server ends a statement after three quarters of query_timeout and logs that: a machine that is busy with other
-- tests must not come near it.
local QUICK = { heartbeat = 0.3, fresh_connect_interval = 0.3, query_timeout = 1 }

local function check(servers)
  for _, server in ipairs(servers) do
    assert.equal("", server:complaints())
  end
end

describe("servers that answer no question", function()
  after_each(function() scene.finish(peer.close_all) end)

  it("bind a bounded number of descriptors", function()
    machine.need("inspect")
    local nodes, asked = {}, 0
    for i = 1, 20 do
      local one = peer.serving(function(client)
        client:read_start(function(_, data)
          if not data then
            client:close()
          elseif #data == 8 then -- a wish for TLS
            client:write("N")
          elseif data:byte(1) == 0 then -- who it is: it is let in
            asked = asked + 1
            client:write("R\0\0\0\8\0\0\0\0Z\0\0\0\5I")
          end
        end)
      end)
      nodes[i] = { host = "127.0.0.1", port = one.port }
    end
    local daemon = plusmoin.start { nodes = nodes, nowait = true,
      config = { query_timeout = 0.1, retry_interval = 0.1 } }
    proc.wait_for("200 questions", 30, function() return asked >= 200 end, function() return daemon:diagnose() end)
    local sockets = proc.descriptors(daemon.process.pid, "^socket:")
    assert.is_true(sockets <= 64 + 2 * #nodes + 10, sockets)
    assert.is_true(sockets >= 64, sockets) -- they are kept for the answer
  end)
end)

describe("the servers' logs", function()
  after_each(scene.finish)

  it("are as before: a first start without a table, fresh connections, reloads, an end #core", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    local servers = { master, slaves[1], slaves[2] }
    daemon:quiet_rounds(6)
    assert.equal(0, (daemon:cli("reload")))
    daemon.config.connection = { tcp_user_timeout = "3000" } -- all is connected anew
    proc.write_file(daemon.config_path, daemon:json())
    assert.equal(0, (daemon:cli("reload")))
    daemon:quiet_rounds(3)
    daemon:stop_and_check()
    for _, server in ipairs(servers) do
      proc.wait_for("the end of its sessions", 5, function() return #server:sessions() == 0 end)
    end
    daemon:start() -- the table is there
    daemon:expect_events { { "plusmoin_up" } }
    daemon:quiet_rounds(3)
    daemon:stop_and_check()
    check(servers)
  end)

  it("are as before when connects are given up half way: by reloads that connect anew #matrix", function()
    local daemon, master, slaves = scene.start { config = { heartbeat = 0.5, fresh_connect_interval = 0.05 } }
    local reloads = 16 -- each gives up a kept connection of each server, and perhaps a fresh one: DRAIN_SOCKETS in all
    for i = 1, reloads do
      daemon.config.connection = { application_name = "plusmoin-" .. i }
      daemon:reload()
    end
    daemon:quiet_rounds(2)
    for _, server in ipairs { master, slaves[1], slaves[2] } do -- an end waits for them for 0.2 s alone (DRAIN_END_MS)
      proc.wait_for("the end of what was given up", 20, function()
        return server:sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'plusmoin-%'"
          .. " AND application_name <> 'plusmoin-" .. reloads .. "'")[1][1] == "0"
      end)
    end
    daemon:stop_and_check()
    check { master, slaves[1], slaves[2] }
  end)

  it("hear of a refused beat once, however often it is tried", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    local function count()
      return select(2, master:complaints():gsub("[^\n]+", ""))
    end
    master:sql("ALTER TABLE heartbeat OWNER TO postgres; REVOKE ALL ON heartbeat FROM plusmoin;"
      .. "GRANT SELECT ON heartbeat TO plusmoin", "plusmoin")
    daemon:expect_events { { "node_held", master, reason = "table" } }
    daemon:quiet_rounds(4)
    assert.is_true(count() <= 1, master:complaints())
    master:sql("ALTER TABLE heartbeat OWNER TO plusmoin", "plusmoin")
    proc.wait_for("the end of the hold", 10, function() return daemon:logged("no longer held") end)
    local before = count()
    master:sql("ALTER SYSTEM SET default_transaction_read_only = on")
    master:sql("SELECT pg_reload_conf()")
    daemon:expect_events { { "master_down", master, reason = "read_only" } }
    daemon:quiet_rounds(4) -- it is tried as a candidate meanwhile
    assert.is_true(count() <= before + 1, master:complaints())
    master:sql("ALTER SYSTEM RESET default_transaction_read_only")
    master:sql("SELECT pg_reload_conf()")
    daemon:expect_events { { "master_up", master } }
    check(slaves)
  end)

  it("hear once of a row that may not be read, and once of one that is locked", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    local function lines()
      return select(2, slaves[1]:complaints():gsub("[^\n]+", ""))
    end
    for i, change in ipairs { "REVOKE ALL ON heartbeat FROM plusmoin", "ALTER TABLE heartbeat DROP COLUMN tstamp" } do
      master:sql(change, "plusmoin")
      daemon:expect_any_order { { "node_held", master, reason = "table" }, { "node_held", slaves[1], reason = "table" },
        { "node_held", slaves[2], reason = "table" } }
      daemon:quiet_rounds(6)
      assert.is_true(lines() <= 2 * i, slaves[1]:complaints()) -- a slow answer may be asked for twice
      master:sql(i == 1 and "GRANT ALL ON heartbeat TO plusmoin" or "DROP TABLE heartbeat", "plusmoin")
      for _, server in ipairs { master, slaves[1], slaves[2] } do
        proc.wait_for("the end of the hold", 10, function()
          return select(2, daemon:log():gsub("no longer held[^\n]*" .. server.port, "")) == i
        end, function() return daemon:diagnose() end)
      end
    end
    daemon:quiet_rounds(2) -- it has been read again
    local before = lines()
    local lock = proc.spawn({ "psql", "-Xq", "-h", master.host, "-p", tostring(master.port), "-U", "postgres", "-d",
      "plusmoin", "-c", "BEGIN; LOCK TABLE heartbeat; SELECT pg_sleep(600)" })
    proc.wait_for("the lock at the slave", 10, function()
      master:sql("SELECT pg_switch_wal()") -- nothing else would send it there
      return lines() > before
    end, function() return daemon:diagnose() end)
    daemon:quiet_rounds(6)
    lock:kill()
    assert.is_true(lines() <= before + 2, slaves[1]:complaints())
  end)

  it("are as before when a server or a backend of ours was frozen and is thawed", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    master:freeze_sessions()
    slaves[1]:freeze_sessions()
    slaves[2]:freeze_postmaster() -- no new session that would be frozen within its login
    slaves[2]:freeze_sessions()
    slaves[2]:freeze()
    daemon:expect_events { { "slave_down", slaves[2], rule = "S1", reason = "hung" } }
    daemon:quiet_rounds(4)
    for _, server in ipairs { master, slaves[1], slaves[2] } do
      server:thaw()
    end
    daemon:expect_events { { "slave_up", slaves[2], rule = "L4" } }
    daemon:quiet_rounds(4)
    check { master, slaves[1], slaves[2] }
  end)

  it("are as before where a slave never has the table", function()
    local elsewhere = pg.master { family = 2 }
    local stranger, master = elsewhere:standby(), pg.master()
    local daemon = plusmoin.start { nodes = { master, stranger }, config = QUICK }
    daemon:quiet_rounds(8)
    daemon:wait_place(stranger, "clusterless")
    check { stranger, master, elsewhere }
  end)

  it("have one line of a table that was dropped: it is made again", function()
    local daemon, master, slaves = scene.start { config = QUICK }
    master:sql("DROP TABLE heartbeat", "plusmoin")
    daemon:quiet_rounds(5)
    local _, lines = master:complaints():gsub("[^\n]+", "")
    assert.equal(1, lines, master:complaints())
    for _, slave in ipairs(slaves) do -- at most: it may be there again when it is asked
      _, lines = slave:complaints():gsub("[^\n]+", "")
      assert.is_true(lines <= 1, slave:complaints())
    end
  end)

  it("are as before where the table may not be made, and the node says why", function()
    local master = pg.master()
    master:sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC; ALTER DATABASE plusmoin OWNER TO postgres", "plusmoin")
    local daemon = plusmoin.start { nodes = { master }, config = QUICK, nowait = true }
    daemon:wait_status("it", function(status) return #status.clusterless == 1 end)
    local node
    proc.wait_for("why", 10, function()
      node = daemon:ask({ request = "status" }).clusterless[1]
      return node.reason == "table"
    end, function() return daemon:diagnose() end)
    assert.truthy(node.message:find("no right to make it", 1, true), node.message)
    daemon:quiet(1)
    check { master }
    master:sql("GRANT CREATE ON SCHEMA public TO plusmoin", "plusmoin")
    daemon:expect_events { { "cluster_created", master, cluster = 0, rule = "U2" } }
    daemon:quiet_rounds(2)
    check { master }
  end)
end)
