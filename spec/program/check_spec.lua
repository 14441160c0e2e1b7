-- `plusmoin check` and `plusmoin init-sql` against real servers.
local cjson = require "cjson"
local has = require "spec.support.has"
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local web = require "spec.support.web"

local uv = proc.uv

local function lacks(text, word)
  assert(not text:find(word, 1, true), ("%q is in:\n%s"):format(word, text))
end

-- Exit status, output and errors; the sum of the settings of specs is 1 + 0.3.
local function check(daemon, ...)
  proc.write_file(daemon.config_path, daemon:json())
  return daemon:cli("check", ...)
end

-- The line of the table for a server.
local function row(out, server)
  for line in out:gmatch("[^\n]+") do
    if line:find(server.name, 1, true) == 1 and not line:find("^%S+: ") then
      return line
    end
  end
  error(server.name .. " has no line in:\n" .. out)
end

describe("check", function()
  after_each(scene.finish)

  it("of a fleet where all will work ends with 0, and writes nothing #core", function()
    local master, slaves = pg.cluster(1)
    local daemon = plusmoin.new { nodes = { master, slaves[1] } }
    local code, out, err = check(daemon)
    assert.equal(0, code, out .. err)
    local version = master:version()
    local words = ("%d.%d"):format(version // 10000, version % 10000)
    has(row(out, master), "yes", "master", words)
    has(row(out, slaves[1]), "yes", "slave", words)
    has(out, "detected within 0.9 s", "All will work.", "shows no beat yet")
    lacks(out, "PROBLEM")
    assert.equal("t", master:sql("SELECT to_regclass('heartbeat') IS NULL", "plusmoin")[1][1])
    for line in out:gmatch("[^\n]+") do
      assert.is_true(#line <= 160)
    end
  end)

  it("--json has the contract's keys", function()
    local master = pg.master()
    local hole = { host = "127.0.0.1", port = proc.free_port() }
    local daemon = plusmoin.new { nodes = { master, hole }, config = { max_sync_delay = 120 } }
    local code, out = check(daemon, "--json")
    assert.equal(1, code)
    local result = cjson.decode(out)
    assert.is_false(result.ok)
    assert.is_true(math.abs(result.detect_seconds - 0.9) < 1e-9)
    local keys = {}
    for key in pairs(result.nodes[1]) do
      keys[#keys + 1] = key
    end
    table.sort(keys)
    assert.same({ "can_beat", "host", "ok", "port", "problems", "reached", "role", "server_version" }, keys)
    assert.same({ "127.0.0.1", master.port, true, true, "master", true, {} }, {
      result.nodes[1].host, result.nodes[1].port, result.nodes[1].ok, result.nodes[1].reached, result.nodes[1].role,
      result.nodes[1].can_beat, result.nodes[1].problems,
    })
    assert.equal(master:version(), result.nodes[1].server_version)
    assert.same({ false, false, cjson.null, cjson.null }, {
      result.nodes[2].ok, result.nodes[2].reached, result.nodes[2].role, result.nodes[2].server_version,
    })
    has(result.nodes[2].problems[1], "refused")
    has(out, '"problems": []')
  end)

  it("tells what mends a door that is shut, by the server's SQLSTATE", function()
    local master = pg.master()
    local daemon = plusmoin.new { nodes = { master } }
    local shut = { -- statement, SQLSTATE, its cure
      { "ALTER DATABASE plusmoin ALLOW_CONNECTIONS false", "55000: ",
        'ALTER DATABASE "plusmoin" ALLOW_CONNECTIONS true;' },
      { "ALTER DATABASE plusmoin ALLOW_CONNECTIONS true; REVOKE CONNECT ON DATABASE plusmoin FROM public, plusmoin",
        "42501: ", 'GRANT CONNECT ON DATABASE "plusmoin" TO "plusmoin";' },
      { "GRANT CONNECT ON DATABASE plusmoin TO plusmoin; ALTER ROLE plusmoin CONNECTION LIMIT 0", "53300: ",
        'ALTER ROLE "plusmoin" CONNECTION LIMIT 3;' },
      { "ALTER ROLE plusmoin CONNECTION LIMIT -1; ALTER DATABASE plusmoin CONNECTION LIMIT 0", "53300: ",
        'ALTER DATABASE "plusmoin" CONNECTION LIMIT -1;' },
    }
    for _, one in ipairs(shut) do
      for statement in one[1]:gmatch("[^;]+") do
        master:sql(statement)
      end
      local code, out = check(daemon)
      assert.equal(1, code, out)
      has(out, one[2], one[3])
      master:sql((one[3]:gsub(";.*", ""))) -- it does mend it
      code, out = check(daemon)
      assert.equal(0, code, out)
    end
  end)

  it("asks all at once: two frozen nodes take the time of one", function()
    local one, two = pg.master(), pg.master { family = 2 }
    local daemon = plusmoin.new { nodes = { one, two }, config = { query_timeout = 3 } }
    one:freeze()
    two:freeze()
    local began = proc.mono_ms()
    local code, out = check(daemon)
    assert.equal(1, code)
    assert.is_true(proc.mono_ms() - began < 5900, out)
    has(row(out, one), "timeout")
    has(row(out, two), "timeout")
  end)

  it("asks 256 at a time, and says how long that may take", function()
    local silent, pause, open, most, all = uv.new_tcp(), uv.new_timer(), {}, 0, 0
    local function close_all()
      for _, peer in ipairs(open) do
        peer:close()
      end
      open = {}
    end
    assert(silent:bind("0.0.0.0", 0))
    assert(silent:listen(1000, function()
      local peer = uv.new_tcp()
      silent:accept(peer)
      open[#open + 1] = peer
      all, most = all + 1, math.max(most, #open)
      pause:start(300, 0, close_all) -- whoever is asked at this time has connected by then
    end))
    local daemon = plusmoin.new { nodes = {}, config = { query_timeout = 60, connection = { sslmode = "disable" } } }
    local port = silent:getsockname().port
    for i = 1, 300 do
      daemon.config.nodes[i] = { host = ("127.0.%d.%d"):format(i // 250, i % 250 + 1), port = port }
    end
    local code, out, err = check(daemon)
    close_all()
    pause:close()
    silent:close()
    proc.pump(10) -- closes them
    assert.equal(1, code)
    has(err, "asking 300 nodes, 256 at a time: 120 s at the longest")
    has(out, "reset")
    assert.is_true(all >= 300, all)
    assert.is_true(most <= 256, most)
  end)

  it("names a wrong password, a missing database and a missing name, with the cure", function()
    local master = pg.master()
    master:sql("ALTER ROLE plusmoin PASSWORD 'right'")
    local hba = master.data .. "/pg_hba.conf"
    proc.write_file(hba, "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
      tonumber("600", 8))
    master:sql("SELECT pg_reload_conf()")
    local daemon = plusmoin.new { nodes = { master }, config = { password = "wrong", query_timeout = 2 } }
    local code, out
    proc.wait_for("the new pg_hba.conf", 10, function()
      code, out = check(daemon)
      return code == 1
    end)
    has(row(out, master), "auth")
    has(out, "pg_hba.conf: host    plusmoin  plusmoin  127.0.0.1/32  scram-sha-256", 'ALTER ROLE "plusmoin"')
    lacks(out, "wrong")
    daemon.config.password = "right"
    daemon.config.dbname = "nothing here"
    code, out = check(daemon)
    assert.equal(1, code)
    has(out, "no_database", 'CREATE DATABASE "nothing here" OWNER "plusmoin";')
    daemon.config.dbname = "plusmoin"
    daemon.config.nodes[2] = { host = "no-such-host.invalid", port = 5432 }
    code, out = check(daemon)
    assert.equal(1, code)
    has(out, "dns")
    table.remove(daemon.config.nodes)
    code, out = check(daemon)
    assert.equal(0, code, out)
  end)

  it("says what a role may not do, and the line that it prints mends that", function()
    local master = pg.master()
    master:sql("CREATE ROLE reader LOGIN; ALTER ROLE reader SET default_transaction_read_only = on")
    local daemon = plusmoin.new { nodes = { master }, config = { user = "reader", query_timeout = 2 } }
    -- Runs what the last check printed as cures; returns the next check.
    local function mend(out)
      local ran = 0
      for sql in out:gmatch("\n    in database plusmoin: ([^\n]+)") do
        master:sql(sql, "plusmoin")
        ran = ran + 1
      end
      return ran
    end
    local code, out = check(daemon)
    assert.equal(1, code)
    has(row(out, master), "no")
    has(out, "transactions are read-only", "no right to make it in schema public",
      'GRANT CREATE ON SCHEMA "public" TO "reader";')
    assert.equal(2, mend(out))
    code, out = check(daemon)
    assert.equal(0, code, out)
    master:sql("CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT)", "plusmoin")
    code, out = check(daemon)
    assert.equal(1, code)
    has(out, "no right to SELECT, INSERT, DELETE")
    assert.equal(1, mend(out))
    code, out = check(daemon)
    assert.equal(0, code, out)
    daemon:start() -- and it is true
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
  end)

  it("finds one server under two names, and settings that would surprise", function()
    local master, slaves = pg.cluster(1, { settings = {
      wal_receiver_timeout = 0, idle_session_timeout = "2s", superuser_reserved_connections = 28,
    } })
    local daemon = plusmoin.new { nodes = { master, slaves[1] }, config = { query_timeout = 2, heartbeat = 5 } }
    daemon.config.nodes[3] = { host = "localhost", port = master.port }
    master:sql("CREATE PUBLICATION other", "plusmoin")
    master:sql("CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT)", "plusmoin")
    master:sql("ALTER TABLE heartbeat OWNER TO plusmoin", "plusmoin")
    local code, out = check(daemon)
    assert.equal(1, code, out)
    has(out, "is the same server as " .. master.name, "wal_receiver_timeout is 0", "idle_session_timeout (2 s)",
      "connections are free", "none has table heartbeat")
    has(row(out, slaves[1]), "slave")
    slaves[1]:promote()
    out = select(2, check(daemon))
    has(out, "is a master of the same origin as the master " .. master.name .. ": both take writes (split_brain)")
  end)

  it("tells how large the table of the beats is when it has millions of dead rows", function()
    local master = pg.master()
    master:sql("SET ROLE plusmoin; CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT)", "plusmoin")
    local daemon = plusmoin.new { nodes = { master }, config = { query_timeout = 5 } }
    local _, out = check(daemon)
    lacks(out, "dead ones")
    local keeper = proc.spawn({ "psql", "-X", "-h", "127.0.0.1", "-p", tostring(master.port), "-U", "postgres", "-d",
      "plusmoin", "-c", "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; SELECT pg_sleep(600)" })
    proc.wait_for("who keeps old rows", 10, function()
      return master:sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND backend_xmin "
        .. "IS NOT NULL AND pid <> pg_backend_pid()")[1][1] ~= "0"
    end)
    master:sql("INSERT INTO heartbeat SELECT 0, 'x', i FROM generate_series(1, 200000) i", "plusmoin")
    master:sql("DELETE FROM heartbeat WHERE tstamp > 1", "plusmoin")
    master:sql("VACUUM heartbeat", "plusmoin")
    local code
    code, out = check(daemon)
    assert.equal(0, code, out)
    has(out, "199999 dead ones, and ", " MiB: each beat reads all of it", "VACUUM FULL public.heartbeat;")
    keeper:kill("sigkill")
    proc.wait_for("the end of who keeps old rows", 10, function()
      return #master:sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'"
        .. " AND pid <> pg_backend_pid()") == 0
    end)
    for statement in out:match("in database plusmoin: (VACUUM.-;) after"):gmatch("[^;]+;") do
      master:sql(statement, "plusmoin")
    end
    proc.wait_for("the end of the dead rows", 10, function()
      out = select(2, check(daemon))
      return not out:find("dead ones", 1, true)
    end, function() return out end)
  end)

  it("says that a table is locked, and ends in time", function()
    local master = pg.master()
    master:sql("CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT)", "plusmoin")
    master:sql("GRANT SELECT, INSERT, DELETE ON heartbeat TO plusmoin", "plusmoin")
    local daemon = plusmoin.new { nodes = { master }, config = { query_timeout = 1 } }
    local locker = proc.spawn({ "psql", "-X", "-h", "127.0.0.1", "-p", tostring(master.port), "-U", "postgres", "-d",
      "plusmoin", "-c", "BEGIN; LOCK heartbeat; SELECT pg_sleep(60)" })
    proc.wait_for("the lock", 10, function()
      return master:sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND " ..
        "relation = 'heartbeat'::regclass", "plusmoin")[1][1] ~= "0"
    end)
    local code, out = check(daemon)
    assert.equal(1, code, out)
    locker:kill("sigkill")
  end)

  it("ends in time although a name server is silent", function()
    local daemon = plusmoin.new { nodes = { pg.master() }, config = { query_timeout = 1 } }
    daemon.config.nodes[2] = { host = "nobody-answers-for-this.example.", port = 5432 }
    local began = proc.mono_ms()
    local code, out = check(daemon)
    assert.equal(1, code)
    assert.is_true(proc.mono_ms() - began < 8000, out)
  end)

  it("says where the window listens, and where it cannot", function()
    local free, taken, listener = web.place(), proc.free_port(), uv.new_tcp()
    proc.release_port(taken)
    assert(listener:bind("127.0.0.1", taken))
    assert(listener:listen(1, function() end))
    local daemon = plusmoin.new { nodes = { (pg.master()) } }
    daemon.config.http = { listen = { free, "./window.sock" }, agent = web.place() }
    local code, out, err = check(daemon)
    assert.equal(0, code, out .. err)
    has(out, ("The window listens at %s, %s/window.sock, without a token. HAProxy's agent-check is answered at %s.")
      :format(free, daemon.dir, daemon.config.http.agent))
    assert.is_nil(proc.uv.fs_stat(daemon.dir .. "/window.sock"))
    daemon.config.http = { listen = { "127.0.0.1:" .. taken, "192.0.2.1:80", "/no/such/directory/sock" } }
    code, out, err = check(daemon)
    proc.close(listener)
    assert.equal(1, code, out .. err)
    has(out, ("http.listen: PROBLEM: 127.0.0.1:%d is in use by another program"):format(taken),
      "http.listen: PROBLEM: 192.0.2.1:80 is no address of this machine",
      "http.listen: PROBLEM: /no/such/directory/sock cannot be listened at: no such file")
    daemon.config.http = { listen = { free, "./window.sock" } }
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    daemon:expect_events { { "plusmoin_up" } }
    code, out, err = check(daemon)
    assert.equal(0, code, out .. err) -- it is the daemon's own
    assert.equal(200, web.get(daemon.dir .. "/window.sock", "/live").status)
  end)

  it("names its own files that it cannot write, as `start` does, and writes nothing", function()
    local dir = proc.new_dir("closed")
    proc.give(dir)
    local function daemon_in(places)
      return plusmoin.new { nodes = { (pg.master()) }, config = places }
    end
    local daemon = daemon_in { pid_file = dir .. "/shut/run/p.pid", status_file = dir .. "/shut/status.json",
      control_socket = dir .. "/a/b/p.sock", log_file = dir .. "/old.log", state_file = dir .. "/none/state.json" }
    assert(uv.fs_mkdir(dir .. "/shut", tonumber("555", 8)))
    proc.write_file(dir .. "/old.log", "", tonumber("444", 8))
    local code, out, err = check(daemon)
    assert.equal(1, code, out .. err)
    local user = proc.user
    has(out, ("pid_file: PROBLEM: %s/shut/run/p.pid cannot be written: its directory %s/shut/run is missing, and %s "
      .. "cannot make it in %s/shut: Permission denied"):format(dir, dir, user, dir),
      ("    install -d -o %s %s/shut/run\n"):format(user, dir),
      ("status_file: PROBLEM: %s/shut/status.json cannot be written: %s cannot write into %s/shut: Permission denied\n"
        .. "    chown %s %s/shut\n"):format(dir, user, dir, user, dir),
      ("control_socket: PROBLEM: %s/a/b/p.sock cannot be written: its directory %s/a/b is missing"):format(dir, dir),
      ("log_file: PROBLEM: %s/old.log cannot be written: %s cannot write %s/old.log"):format(dir, user, dir),
      ("state_file: PROBLEM: %s/none/state.json cannot be written: its directory %s/none is missing, and `start` does "
        .. "not make it\n"):format(dir, dir))
    local settings = cjson.decode((select(2, daemon:cli("check", "--json")))).settings
    has(settings[2], "status_file: " .. dir .. "/shut/status.json cannot be written")
    assert.equal(5, #settings)
    assert.equal(1, (daemon:cli("start")))
    daemon = daemon_in { pid_file = dir .. "/new/p.pid", status_file = dir .. "/new/status.json",
      log_file = dir .. "/log/p.log", state_file = dir .. "/new/state.json" }
    code, out, err = check(daemon)
    assert.equal(0, code, out .. err)
    assert.is_nil(uv.fs_stat(dir .. "/new"))
    assert.equal(0, (daemon:daemonize()))
    code, out, err = daemon:cli("check")
    assert.equal(0, code, out .. err)
  end)

  it("goes by what root makes for daemon_user, where root runs it", function()
    machine.need("root")
    local dir = proc.new_dir("root")
    assert(uv.fs_chown(dir, 0, 0))
    local daemon = plusmoin.new { nodes = { (pg.master()) }, config = { query_timeout = 2, pid_file = dir .. "/p.pid",
      log_file = dir .. "/p.log", status_file = dir .. "/status.json", control_socket = dir .. "/run/p.sock" } }
    assert(uv.fs_chown(daemon.config_path, 0, 0))
    local code, out, err = daemon:root_cli("check")
    assert.equal(1, code, out .. err)
    has(out, ("status_file: PROBLEM: %s/status.json cannot be written: %s cannot write into %s: Permission denied\n"
      .. "    chown %s %s\n"):format(dir, proc.user, dir, proc.user, dir))
    local _, problems = out:gsub("PROBLEM: ", "")
    assert.equal(1, problems, out)
    daemon.config.status_file = dir .. "/run/status.json"
    proc.write_file(daemon.config_path, daemon:json())
    assert(uv.fs_chown(daemon.config_path, 0, 0))
    for _ = 1, 2 do
      code, out, err = daemon:root_cli("check")
      assert.equal(0, code, out .. err)
      if not uv.fs_stat(dir .. "/run") then
        assert.equal(0, (daemon:daemonize { as_root = true }))
      end
    end
    assert.equal(0, (daemon:root_cli("stop")))
  end)

  it("has read what daemon_user will read", function()
    machine.need("root")
    local master = pg.master()
    local daemon = plusmoin.new { nodes = { master }, config = { query_timeout = 2 } }
    proc.write_file(daemon.config_path, daemon:json(), tonumber("600", 8))
    assert(proc.uv.fs_chown(daemon.config_path, 0, 0))
    local code, out, err = daemon:root_cli("check")
    assert.equal(0, code, out .. err)
    has(err, "a reload will fail")
    daemon = plusmoin.new { nodes = { master }, config = { daemon_user = "no_such_user" } }
    code, out, err = daemon:root_cli("check")
    assert.equal(3, code, out)
    has(err, "no_such_user")
  end)

  it("ends with 3 on a bad configuration, before it asks anybody", function()
    local daemon = plusmoin.new { text = '{"dbname": "x", "user": "y", "nodes": [{"hots": "a"}]}' }
    local code, out, err = daemon:cli("check")
    assert.equal(3, code)
    assert.equal("", out)
    has(err, "plusmoin.json:1", "hots")
  end)
end)

describe("init-sql", function()
  after_each(scene.finish)

  it("prints what a fresh server needs, and harms none that has it", function()
    local master = pg.master { family = 2, settings = { password_encryption = "md5" } } -- as it is before 14
    local daemon = plusmoin.new { nodes = { master }, config = {
      user = 'Mon"i %tor', dbname = "%d Mon=i't", password = "it's \\ %secret", query_timeout = 2,
    } }
    local code, sql, err = daemon:cli("init-sql")
    assert.equal(0, code, err)
    local lines = {}
    for line in sql:gmatch("\n%-%- (host [^\n]+)") do
      lines[#lines + 1] = line
    end
    assert.equal(1, #lines)
    proc.write_file(master.data .. "/pg_hba.conf", "host all postgres 127.0.0.1/32 trust\n" ..
      table.concat(lines, "\n") .. "\n", tonumber("600", 8))
    for _ = 1, 2 do
      proc.must({ "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", tostring(master.port), "-U",
        "postgres", "-d", "postgres" }, { stdin = sql })
    end
    master:sql("SELECT pg_reload_conf()")
    local out
    proc.wait_for("a check that is content", 10, function()
      code, out = check(daemon)
      return code == 0
    end, function() return tostring(out) end)
    has(out, "All will work.")
    daemon.config.password = "another"
    code, out = check(daemon)
    assert.equal(1, code)
    has(out, "auth")
    daemon.config.password = "it's \\ %secret"
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
  end)
end)
