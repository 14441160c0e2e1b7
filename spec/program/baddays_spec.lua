-- Bad days: strange configurations, full disks, no descriptors, clients that do not read.
local cjson = require "cjson"
local has = require "spec.support.has"
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local wire = require "spec.support.wire"

local uv = proc.uv

local function count_lines(daemon, ...)
  local count = 0
  for line in daemon:log():gmatch("[^\n]+") do
    local all = true
    for _, word in ipairs { ... } do
      all = all and line:find(word, 1, true)
    end
    count = count + (all and 1 or 0)
  end
  return count
end

describe("a configuration that is", function()
  after_each(scene.finish)

  local function refused(name, text, ...)
    local daemon = plusmoin.new { text = text }
    for _, argv in ipairs { { "start" }, { "-x", "start" } } do
      local code, out, err = daemon:cli(table.unpack(argv))
      assert.equal(3, code, name .. out .. err)
      has(err, daemon.config_path, ...)
      assert.is_true(#err < 20000, name)
    end
    for _, verb in ipairs { "stop", "reload", "status" } do
      local code, _, err = daemon:cli(verb)
      assert.equal(1, code, name .. verb)
      has(err, "the configuration is broken")
    end
    assert.is_nil(uv.fs_stat(daemon.config.pid_file))
  end

  it("empty, binary, of 10 MB or of 20 ends with 3 and in words", function()
    refused("empty", "")
    local bytes = {}
    for i = 0, 4095 do
      bytes[i + 1] = string.char(i * 7919 % 256)
    end
    refused("binary", table.concat(bytes))
    refused("10 MB", '{"dbname": "x", "user": "y", "nodez": "' .. ("x"):rep(10 * 1024 * 1024) .. '"}', "nodez")
    refused("20 MB", '{"dbname": "' .. ("x"):rep(20 * 1024 * 1024) .. '"}', "too big")
  end)

  it("not readable, not there, or a directory ends with 3", function()
    local daemon = plusmoin.new {}
    assert(uv.fs_chmod(daemon.config_path, 0))
    local code, _, err = daemon:cli("start")
    assert.equal(3, code)
    has(err, daemon.config_path, "Permission denied")
    for _, path in ipairs { daemon.dir, daemon.dir .. "/no/such.json" } do
      code, _, err = proc.run({ plusmoin.binary(), "-c", path, "start" })
      assert.equal(3, code)
      has(err, path)
    end
  end)

  it("at a relative path is found from where it was typed", function()
    local daemon = plusmoin.new {}
    local argv = { plusmoin.binary(), "-c", "plusmoin.json" }
    for _, verb in ipairs { "start", "reload", "status", "stop" } do
      argv[4] = verb
      local code, out, err = proc.run(argv, { cwd = daemon.dir })
      assert.equal(0, code, verb .. out .. err)
    end
  end)
end)

describe("the control socket", function()
  after_each(scene.finish)

  it("of a live daemon is not taken by another, one of a dead daemon is", function()
    local first = plusmoin.new {}
    assert.equal(0, (first:daemonize()))
    local second = plusmoin.new { config = { control_socket = first.config.control_socket } }
    local code, _, err = second:cli("start")
    assert.equal(1, code)
    has(err, first.config.control_socket, "already in use")
    assert.is_nil(uv.fs_stat(second.config.pid_file))
    assert.is_true(first:ask({ request = "status" }).ok)
    first:kill9()
    assert.equal(0, (second:daemonize()))
  end)

  it("survives twenty clients that ask and never read", function()
    local daemon, master = scene.start { slaves = 0 }
    local pipes, connected = {}, 0
    for i = 1, 20 do
      pipes[i] = uv.new_pipe(false)
      pipes[i]:connect(daemon.config.control_socket, function(err)
        connected = connected + (err and 0 or 1)
      end)
    end
    proc.wait_for("20 clients", 10, function() return connected == 20 end)
    for _, pipe in ipairs(pipes) do
      pipe:write(('{"request": "status"}\n'):rep(2000), function() end)
    end
    daemon:quiet_rounds(2)
    assert.is_true(daemon:ask({ request = "status" }).ok)
    master:kill9()
    daemon:expect_events { { "master_down", master } }
    for _, pipe in ipairs(pipes) do
      proc.close(pipe)
    end
  end)
end)

describe("a full disk", function()
  local it = machine.it(it, "mounts")
  local mounted

  local function small_disk()
    local dir = proc.new_dir("disk")
    proc.must({ "mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "plusmoin", dir }, { as_root = true })
    mounted = dir
    proc.give(dir)
    return dir
  end

  local function fill(dir)
    os.execute(("dd if=/dev/zero of='%s/filler' bs=4k 2>/dev/null"):format(dir))
  end

  after_each(function()
    scene.finish()
    if mounted then
      proc.must({ "umount", "-l", mounted }, { as_root = true })
      mounted = nil
    end
  end)

  it("under the status file is said once; polling and triggers go on; it mends", function()
    local dir = small_disk()
    local daemon, master, slaves = scene.start { slaves = 1, config = {
      status_file = dir .. "/status.json", heartbeat = 0.3,
    } }
    daemon:wait_place(slaves[1], "slave 0")
    fill(dir)
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
    daemon:wait_logged("error", "status.json", "no space left")
    daemon:quiet_rounds(4)
    assert.equal(1, count_lines(daemon, "status.json", "no space left"))
    has(daemon:status_file() and select(2, daemon:status_file()), tostring(master.port)) -- the old one is whole
    os.remove(dir .. "/filler")
    daemon:wait_place(slaves[1], "lost 0")
  end)
end)

describe("without descriptors", function()
  local it = machine.it(it, "inspect")
  after_each(scene.finish)

  local function limit(daemon, soft)
    proc.must { "prlimit", "--pid", tostring(daemon.process.pid), ("--nofile=%d:"):format(soft) }
  end

  local function open_count(daemon)
    local count = 0
    for _ in uv.fs_scandir_next, assert(uv.fs_scandir("/proc/" .. daemon.process.pid .. "/fd")) do
      count = count + 1
    end
    return count
  end

  it("no node is judged, and all goes on when there are some again #core", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { heartbeat = 0.3, down_after = 1 } }
    daemon:wait_place(slaves[1], "slave 0")
    limit(daemon, open_count(daemon) - 3)
    for _, server in ipairs { master, slaves[1] } do -- the daemon must connect anew, and cannot
      server:end_sessions()
    end
    daemon:quiet(2)
    daemon:wait_place(slaves[1], "slave 0")
    limit(daemon, 1024)
    daemon:quiet_rounds(2)
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
    assert.is_true(daemon:ask({ request = "status" }).ok)
  end)

  it("it is said, and a node that could not be asked is asked soon when there are some again", function()
    local daemon, _, slaves = scene.start { slaves = 1, config = { heartbeat = 60, max_sync_delay = 120,
      fresh_connect_interval = 0 } }
    limit(daemon, open_count(daemon) - 3)
    slaves[1]:end_sessions()
    daemon:wait_logged("error", "cannot be asked, and is not judged", slaves[1].name, "Too many open files")
    daemon:quiet(1)
    assert.equal(1, count_lines(daemon, "cannot be asked", slaves[1].name))
    limit(daemon, 1024)
    proc.wait_for("a session", 5, function()
      return #slaves[1]:sessions() > 0
    end, function() return daemon:diagnose() end)
    local killed = proc.mono_ms()
    slaves[1]:kill9()
    assert.is_true(daemon:expect_events { { "slave_down", slaves[1] } }.ms - killed < 3000)
  end)
end)

describe("with fewer descriptors than nodes", function()
  local listener

  after_each(function()
    scene.finish()
    if listener then
      proc.close(listener)
    end
    listener = nil
  end)

  -- A master, and as many servers as there are that say nothing: the kernel takes connections for them.
  local function nodes_of(count)
    local master = pg.master()
    local port = proc.free_port()
    proc.release_port(port)
    listener = uv.new_tcp()
    assert(listener:bind("0.0.0.0", port))
    assert(listener:listen(1024, function() end))
    local nodes = { { host = master.host, port = master.port, name = "master" } }
    for i = 2, count do
      nodes[i] = { host = ("127.0.%d.%d"):format(1 + i // 250, 1 + i % 250), port = port }
    end
    return nodes
  end

  local function limited(daemon, ...)
    local argv = { "prlimit", "--nofile=100:200", plusmoin.binary(), "-c", daemon.config_path, ... }
    return argv, { output = daemon.out_path, cwd = daemon.dir }
  end

  it("triggers run and status answers; how many fit is said, and a child has the limit of before", function()
    local daemon = plusmoin.new { config = { query_timeout = 5, connect_timeout = 5 },
      triggers = { plusmoin_heartbeat = "sh -c 'echo limits $(ulimit -Sn) $(ulimit -Hn)'" } }
    daemon.config.nodes = nodes_of(300)
    proc.write_file(daemon.config_path, daemon:json())
    daemon.process = proc.spawn(limited(daemon, "-x", "start"))
    plusmoin.running[daemon] = true
    daemon:wait_logged("error", "about 52 of 300 nodes fit into 200 descriptors")
    daemon:wait_logged("the last of 200 descriptors are kept for triggers and answers")
    for _ = 1, 20 do
      assert.is_true(daemon:ask({ request = "explain" }).ok)
      daemon:wait_logged("plusmoin_heartbeat", "limits 100 200")
    end
    assert.is_false(daemon:logged("cannot start"))
    local open = proc.descriptors(daemon.process.pid, "socket:")
    assert.is_true(open < 110, open)
  end)

  it("check says how many fit", function()
    local daemon = plusmoin.new { config = { query_timeout = 0.3, connect_timeout = 0.3 } }
    daemon.config.nodes = nodes_of(60)
    proc.write_file(daemon.config_path, daemon:json())
    local _, out = proc.run((limited(daemon, "check")), { cwd = daemon.dir })
    has(out, "advice", "about 52 of 60 nodes fit", "LimitNOFILE")
  end)
end)

describe("without local ports", function()
  after_each(function() scene.finish(wire.stop_all) end)

  -- plusmoin is on a host that has four of them for each server.
  it("no node is judged, and all goes on when there are some again", function()
    machine.need("wire")
    local network = wire.start()
    local host = network:host()
    local master, slaves = pg.cluster(1, { wire = network })
    local daemon = plusmoin.new { nodes = { master, slaves[1] }, config = { heartbeat = 0.3,
      fresh_connect_interval = 0.3 } }
    proc.must(host:enter_as_root { "sh", "-c", "echo 61000 61003 > /proc/sys/net/ipv4/ip_local_port_range" },
      { as_root = true })
    daemon.process = proc.spawn(host:enter { plusmoin.binary(), "-c", daemon.config_path, "-x", "start" },
      { output = daemon.out_path, cwd = daemon.dir, as_root = true })
    plusmoin.running[daemon] = true
    daemon:expect_events { { "plusmoin_up" } }
    local sessions = {}
    for i = 1, 6 do -- those that get a port
      sessions[i] = proc.spawn(host:enter { "psql", "-XAtq", "-h", master.host, "-p", tostring(master.port), "-U",
        "postgres", "-c", "SELECT pg_sleep(600)" }, { output = "/dev/null", as_root = true })
    end
    daemon:wait_logged("no fresh connection can be made", master.name, "Cannot assign requested address")
    daemon:quiet_rounds(5)
    for _, session in ipairs(sessions) do
      session:kill("sigkill")
      session:wait()
    end
    master:sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'psql'"
      .. " AND pid <> pg_backend_pid()")
    daemon:quiet_rounds(3)
    master:kill9()
    daemon:expect_events { { "master_down", master, reason = "refused" } }
  end)
end)

describe("a reload without descriptors", function()
  local it = machine.it(it, "inspect")
  after_each(scene.finish)

  it("says that it cannot, and the daemon lives on", function()
    local daemon, master = scene.start { slaves = 0 }
    local open = 0
    for _ in uv.fs_scandir_next, assert(uv.fs_scandir("/proc/" .. daemon.process.pid .. "/fd")) do
      open = open + 1
    end
    for spare = 0, 6 do
      proc.must { "prlimit", "--pid", tostring(daemon.process.pid), ("--nofile=%d:"):format(open + spare) }
      daemon.process:kill("sighup")
      daemon:quiet(0.2)
    end
    proc.must { "prlimit", "--pid", tostring(daemon.process.pid), "--nofile=1024:" }
    assert.is_true(daemon:ask({ request = "reload" }, 20).ok)
    daemon:quiet_rounds(1)
    daemon:wait_place(master, "master 0")
  end)

  it("a start without descriptors is an error in words", function()
    local daemon = plusmoin.new {}
    for limit = 5, 16 do
      local code, out, err = proc.run({ "prlimit", ("--nofile=%d"):format(limit), plusmoin.binary(), "-c",
        daemon.config_path, "start" }, { cwd = daemon.dir })
      assert(code == 0 or code == 1 or code == 3, ("%d: exit %s: %s%s"):format(limit, tostring(code), out, err))
      if code == 0 then
        assert.equal(0, (daemon:cli("stop")))
      else
        assert.is_true(#err > 0, tostring(limit))
      end
    end
  end)
end)

describe("a daemon that was stopped and continued", function()
  after_each(scene.finish)

  it("judges nobody by the time that it missed", function()
    local daemon, _, slaves = scene.start { slaves = 1, config = { heartbeat = 0.3 } }
    daemon:wait_place(slaves[1], "slave 0")
    daemon.process:kill("sigstop")
    proc.watch(3, function() end)
    daemon.process:kill("sigcont")
    daemon:quiet_rounds(3)
    daemon:wait_place(slaves[1], "slave 0")
  end)
end)

describe("a log that cannot be written", function()
  after_each(scene.finish)

  it("stops nothing: stdout is full, or gone", function()
    local full = assert(uv.fs_open("/dev/full", "w", 0))
    local daemon = scene.start { slaves = 1, stdout_fd = full }
    uv.fs_close(full)
    daemon:quiet_rounds(2)
    assert.is_true(daemon:ask({ request = "status" }).ok)
  end)

  it("stops nothing: its directory has been removed", function()
    local dir = proc.new_dir("logs")
    local master = pg.master()
    local daemon = plusmoin.new { nodes = { master }, config = { log_file = dir .. "/sub/p.log" } }
    assert.equal(0, (daemon:daemonize()))
    daemon:expect_events { { "plusmoin_up" } }
    os.execute(("rm -r '%s/sub'"):format(dir))
    daemon:cli("reload")
    daemon:quiet_rounds(1)
    assert(uv.fs_mkdir(dir .. "/sub", tonumber("755", 8)))
    proc.give(dir .. "/sub")
    local code, out, err = daemon:cli("reload")
    assert.equal(0, code, out .. err)
    daemon:wait_logged("configuration reloaded")
    assert.truthy(cjson.encode({ daemon:status_file() }))
  end)
end)
