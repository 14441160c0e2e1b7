-- The daemon's life: start, drop, stop, reload, as root and as a plain user.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

local function status_of(pid)
  return proc.read_file("/proc/" .. pid .. "/status") or ""
end

local function ids_of(pid, key)
  local ids = {}
  for id in status_of(pid):match("\n" .. key .. ":([^\n]*)"):gmatch("%d+") do
    ids[#ids + 1] = math.tointeger(tonumber(id))
  end
  return ids
end

local function owner(path)
  local stat = uv.fs_stat(path)
  return stat and uv.os_get_passwd and stat.uid
end

local function mode(path)
  return ("%o"):format(uv.fs_stat(path).mode & 511)
end

local function fd_of(pid, fd)
  return uv.fs_readlink(("/proc/%d/fd/%d"):format(pid, fd))
end

local function has(text, ...)
  for _, word in ipairs { ... } do
    assert(text:find(word, 1, true), ("%q is not in:\n%s"):format(word, text))
  end
end

-- The log is written by a thread of its own: a line may come a little later.
local function logged(daemon, ...)
  local words = table.pack(...)
  proc.wait_for("a line with " .. table.concat(words, ", "), 10, function()
    return daemon:logged(table.unpack(words))
  end, function() return daemon:log() end)
end

-- A directory of root's, beside the one of the run's user.
local function root_dir()
  local dir = proc.new_dir("root")
  assert(uv.fs_chown(dir, 0, 0))
  return dir
end

local function user_ids()
  return proc.shared.user_ids
end

describe("start", function()
  after_each(scene.finish)

  it("leaves the terminal, returns when it is up, and stop ends it #core", function()
    local master = pg.master()
    local daemon = plusmoin.new { nodes = { master } }
    local code, out, err = daemon:daemonize()
    assert.same({ 0, "", "" }, { code, out, err })
    assert.is_true(daemon:ask({ request = "status" }).ok) -- at once
    local pid = daemon.process.pid
    assert.equal("/", uv.fs_readlink("/proc/" .. pid .. "/cwd"))
    for fd = 0, 2 do
      assert.equal("/dev/null", fd_of(pid, fd))
    end
    assert.equal(tostring(pid), proc.read_file("/proc/" .. pid .. "/stat"):match("%) %S+ %d+ %d+ (%d+)")) -- session
    assert.equal("640", mode(daemon.config.log_file))
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    code, out = daemon:cli("status")
    assert.equal(0, code)
    has(out, master.name)
    code, out, err = daemon:cli("stop")
    assert.same({ 0, "", "" }, { code, out, err })
    assert.is_false(daemon.process:running())
    assert.is_nil(uv.fs_stat(daemon.config.pid_file))
    assert.is_nil(uv.fs_stat(daemon.config.control_socket))
    logged(daemon, "ended")
    for _, verb in ipairs { "stop", "reload" } do
      code, _, err = daemon:cli(verb)
      assert.equal(1, code)
      has(err, "not running", daemon.config.pid_file)
    end
  end)

  it("refuses a second one, which leaves the first alone", function()
    local daemon = plusmoin.new {}
    assert.equal(0, (daemon:daemonize()))
    local code, _, err = daemon:cli("start")
    assert.equal(1, code)
    has(err, "already running with pid " .. daemon.process.pid)
    assert.is_true(daemon:ask({ request = "status" }).ok)
  end)

  it("says why it cannot, with the status for it, and leaves no pid file", function()
    local bad = plusmoin.new { text = '{"dbname": "x", "user": "y", "heartbeat": "1"}' }
    local code, _, err = bad:cli("start")
    assert.equal(3, code)
    has(err, "plusmoin.json:1", "heartbeat")
    local full = plusmoin.new { config = { status_file = "/proc/status.json" } }
    code, _, err = full:cli("start")
    assert.equal(1, code)
    has(err, "/proc/status.json")
    assert.is_nil(uv.fs_stat(full.config.pid_file))
    local nolog = plusmoin.new { config = { log_file = "/nowhere/at/all/plusmoin.log" } }
    code, _, err = nolog:cli("start")
    assert.equal(1, code)
    has(err, "/nowhere/at/all/plusmoin.log")
    assert.is_nil(uv.fs_stat(nolog.config.pid_file))
  end)

  it("takes a pid file that is empty or of another program, not one that is no pid file", function()
    local daemon = plusmoin.new {}
    for _, text in ipairs { "", "1\n", "  4194304\n" } do
      proc.write_file(daemon.config.pid_file, text)
      assert.equal(0, (daemon:daemonize()), text)
      daemon:cli("stop")
    end
    proc.write_file(daemon.config.pid_file, "root:x:0:0:root:/root:/bin/bash\n")
    local code, _, err = daemon:cli("start")
    assert.equal(1, code)
    has(err, daemon.config.pid_file, "is no pid file")
    assert.equal("root:x:0:0:root:/root:/bin/bash\n", proc.read_file(daemon.config.pid_file))
  end)

  it("makes the last component of a missing directory, and no more", function()
    local dir = proc.new_dir("life")
    local daemon = plusmoin.new { config = {
      pid_file = dir .. "/run/p.pid", status_file = dir .. "/run/status.json",
      control_socket = dir .. "/run/p.sock", log_file = dir .. "/log/p.log",
    } }
    assert.equal(0, (daemon:daemonize()))
    assert.equal("755", mode(dir .. "/run"))
    assert.equal("755", mode(dir .. "/log"))
    daemon:cli("stop")
    daemon.config.status_file = dir .. "/a/b/status.json"
    proc.write_file(daemon.config_path, daemon:json())
    local code, _, err = daemon:cli("start")
    assert.equal(1, code)
    has(err, dir .. "/a/b/status.json")
  end)

  it("ignores what would lead libpq elsewhere, and says so", function()
    local master = pg.master()
    local daemon = plusmoin.start { nodes = { master }, env = {
      PGHOST = "203.0.113.1", PGOPTIONS = "-c no_such_setting=1", PGSERVICE = "none", PGUSER = "nobody",
    } }
    for _, name in ipairs { "PGHOST", "PGOPTIONS", "PGSERVICE", "PGUSER" } do
      logged(daemon, "warning", name, "ignored")
    end
    daemon:wait_place(master, "master 0")
  end)

  -- one that ends before plusmoin has a handler for it, as often as not
  it("as a container's first process reaps orphans and ends on TERM", function()
    if not proc.is_root or os.execute("unshare -p -f true 2>/dev/null") ~= true then
      return pending("no pid namespaces here")
    end
    local daemon = plusmoin.new { triggers = { plusmoin_up = false } }
    local script = ("(sleep 0.01 & exec true); exec %s -x start -c %s"):format(plusmoin.binary(), daemon.config_path)
    daemon.process = proc.spawn({ "unshare", "-p", "-f", "--kill-child", "--mount-proc", "setpriv", "--reuid",
      proc.user, "--regid", proc.user, "--init-groups", "sh", "-c", script },
      { as_root = true, output = daemon.out_path, cwd = daemon.dir })
    plusmoin.running[daemon] = true
    proc.wait_for("its socket", 10, function() return uv.fs_stat(daemon.config.control_socket) end,
      function() return daemon:log() end)
    assert.equal("1\n", proc.read_file(daemon.config.pid_file))
    local inner
    proc.wait_for("its pid here", 5, function()
      inner = (proc.read_file(("/proc/%d/task/%d/children"):format(daemon.process.pid, daemon.process.pid)) or "")
        :match("%d+")
      return inner
    end)
    local function children()
      return proc.read_file(("/proc/%s/task/%s/children"):format(inner, inner))
    end
    proc.wait_for("no child, living or dead", 5, function() return children() == "" end, children)
    uv.kill(tonumber(inner), "sigterm")
    assert.equal(0, (daemon.process:wait(10)))
    logged(daemon, "signal 15")
  end)
end)

describe("stop", function()
  after_each(scene.finish)

  it("waits for what a trigger may take, and ends its group then", function()
    local mark = "64." .. proc.free_port()
    local daemon = plusmoin.new {
      nodes = { pg.master() }, triggers = { plusmoin_up = "sh -c 'trap \"\" TERM; sleep " .. mark .. " & wait'" },
      config = { shutdown_grace = 0.3, trigger_timeout = 60 },
    }
    assert.equal(0, (daemon:daemonize()))
    local function sleepers()
      return select(2, proc.run({ "pgrep", "-f", "sleep " .. mark }))
    end
    proc.wait_for("the trigger", 10, function() return sleepers() ~= "" end, function() return daemon:log() end)
    local began = proc.mono_ms()
    local code = daemon:cli("stop")
    assert.equal(0, code)
    assert.is_true(proc.mono_ms() - began < 5300)
    assert.equal("", sleepers())
  end)

  it("leaves no program of a Lua trigger behind, whatever that ignores", function()
    local mark = "65." .. proc.free_port()
    local daemon = plusmoin.new { nodes = { pg.master() }, config = { shutdown_grace = 0 }, lua = [[
      config.triggers = { plusmoin_up = { timeout = 0.3, lua = "exec.lua" } }
    ]], files = { ["exec.lua"] = ([[
      local pm = require "plusmoin"
      return function() pm.exec { "sh", "-c", "trap '' TERM; while :; do sleep %s; done" } end
    ]]):format(mark) } }
    daemon:start()
    logged(daemon, "error", "timed out")
    assert.not_equal("", (select(2, proc.run({ "pgrep", "-f", mark }))))
    daemon:stop_and_check()
    proc.wait_for("their end", 5, function() return select(2, proc.run({ "pgrep", "-f", mark })) == "" end)
  end)

  it("kills one that does not end, and says so", function()
    local daemon = plusmoin.new { config = { shutdown_grace = 0 } }
    assert.equal(0, (daemon:daemonize()))
    daemon.process:kill("sigstop")
    local code, out = daemon:cli("stop")
    assert.equal(0, code)
    has(out, "pid " .. daemon.process.pid, "killed")
    assert.is_false(daemon.process:running())
    assert.equal(0, (daemon:daemonize())) -- over what that one left
  end)

  it("and reload and status go by what can be read of a broken configuration", function()
    local daemon = plusmoin.new { config = { heartbeat = 5 } }
    assert.equal(0, (daemon:daemonize()))
    proc.write_file(daemon.config_path, (daemon:json():gsub('"heartbeat":5', '"heartbeat":"five"')))
    local code, out, err = daemon:cli("status")
    assert.equal(0, code, out .. err)
    has(err, "heartbeat", "the configuration is broken", daemon.config.control_socket)
    code, out, err = daemon:cli("reload")
    assert.equal(3, code, out)
    has(err, "heartbeat", "not reloaded")
    code, out, err = daemon:cli("stop")
    assert.equal(0, code, out)
    has(err, "the configuration is broken", daemon.config.pid_file)
    assert.is_false(daemon.process:running())
  end)
end)

describe("reload", function()
  after_each(scene.finish)

  it("waits for the outcome and prints it #core", function()
    local master = pg.master()
    local daemon = plusmoin.new { nodes = { master } }
    assert.equal(0, (daemon:daemonize()))
    daemon:expect_events { { "plusmoin_up" } }
    local other = pg.master { family = 2 }
    daemon.config.nodes[2] = { host = other.host, port = other.port }
    daemon.config.pid_file = daemon.dir .. "/other.pid"
    local before = daemon:json()
    proc.write_file(daemon.config_path, before)
    -- the pid file is another now: reload finds nobody there
    local code, out, err = daemon:cli("reload")
    assert.equal(1, code, out)
    has(err, "not running", "other.pid")
    daemon.config.pid_file = daemon.dir .. "/plusmoin.pid"
    daemon.config.control_socket = daemon.dir .. "/plusmoin.sock"
    daemon.config.daemon_user = "nobody"
    proc.write_file(daemon.config_path, daemon:json())
    code, out, err = daemon:cli("reload")
    assert.equal(0, code, out .. err)
    has(out, "configuration reloaded", "node added: " .. other.name, "daemon_user needs a restart")
    daemon:expect_events { { "cluster_created", other } }
    table.remove(daemon.config.nodes, 2)
    proc.write_file(daemon.config_path, daemon:json())
    code, out = daemon:cli("reload")
    assert.equal(0, code)
    has(out, "node removed: " .. other.name)
    proc.write_file(daemon.config_path, (daemon:json():gsub('"nodes":', '"nodez":')))
    code, out, err = daemon:cli("reload")
    assert.equal(3, code, out)
    has(err, "plusmoin.json:1", "nodez", "all stays as it was")
    daemon:wait_place(master, "master 0")
  end)

  it("takes another log file, and keeps the old one when that cannot be opened", function()
    local daemon = plusmoin.new {}
    assert.equal(0, (daemon:daemonize()))
    local old = daemon.config.log_file
    daemon.config.log_file = "/no/such/place/p.log"
    proc.write_file(daemon.config_path, daemon:json())
    assert.equal(0, (daemon:cli("reload")))
    logged(daemon, "cannot open log file /no/such/place/p.log")
    daemon.config.log_file = daemon.dir .. "/new.log"
    proc.write_file(daemon.config_path, daemon:json())
    assert.equal(0, (daemon:cli("reload")))
    daemon.out_path = daemon.config.log_file
    proc.wait_for("the new log", 5, function() return daemon:logged("configuration reloaded") end)
    local before = proc.read_file(old)
    assert.equal(0, (daemon:cli("stop")))
    logged(daemon, "ended")
    assert.equal(before, proc.read_file(old))
  end)

  it("answers everybody who asks at once", function()
    local daemon = plusmoin.new {}
    assert.equal(0, (daemon:daemonize()))
    local processes = {}
    for i = 1, 12 do
      processes[i] = proc.spawn({ plusmoin.binary(), "-c", daemon.config_path, "reload" }, { cwd = daemon.dir })
    end
    for _, process in ipairs(processes) do
      assert.equal(0, (process:wait(30)), process:err())
      has(process:out(), "configuration reloaded")
    end
  end)

  it("sends SIGHUP where nobody listens at the configured socket", function()
    local daemon = plusmoin.new {}
    assert.equal(0, (daemon:daemonize()))
    daemon.config.control_socket = daemon.dir .. "/another.sock"
    proc.write_file(daemon.config_path, daemon:json())
    local code, out = daemon:cli("reload")
    assert.equal(0, code)
    has(out, "SIGHUP", "in the log")
    proc.wait_for("the reload", 5, function() return daemon:logged("configuration reloaded") end,
      function() return daemon:log() end)
    logged(daemon, "control_socket needs a restart")
    daemon.config.control_socket = daemon.dir .. "/plusmoin.sock"
    assert.is_true(daemon:ask({ request = "status" }).ok) -- the running value stays
  end)

  it("a thousand times in a row by signal, and asked while one is under way, does no harm", function()
    local master = pg.master()
    local daemon = plusmoin.start { nodes = { master }, config = { log_level = "error" } }
    for _ = 1, 1000 do
      daemon.process:kill("sighup")
    end
    assert.is_true(daemon:ask({ request = "reload" }, 20).ok)
    daemon:quiet_rounds(1)
    daemon:wait_place(master, "master 0")
  end)
end)

describe("as root", function()
  if not proc.is_root then
    return pending("needs root")
  end
  after_each(scene.finish)

  it("drops to daemon_user for good, in whose name all is made #core", function()
    local dir = root_dir()
    local daemon = plusmoin.new { nodes = { pg.master() }, config = {
      pid_file = dir .. "/run/p.pid", status_file = dir .. "/run/status.json",
      control_socket = dir .. "/run/p.sock", log_file = dir .. "/log/p.log",
    }, triggers = { plusmoin_up = "sh -c 'echo $HOME $USER $LOGNAME $(id -u) $PWD > " .. dir .. "/run/seen'" } }
    local code, _, err = daemon:daemonize { as_root = true }
    assert.equal(0, code, err)
    local ids, pid = user_ids(), daemon.process.pid
    assert.same({ ids.uid, ids.uid, ids.uid, ids.uid }, ids_of(pid, "Uid"))
    assert.same({ ids.gid, ids.gid, ids.gid, ids.gid }, ids_of(pid, "Gid"))
    for _, group in ipairs(ids_of(pid, "Groups")) do
      assert.not_equal(0, group)
    end
    for _, path in ipairs { "/run", "/log", "/run/p.pid", "/run/p.sock", "/log/p.log" } do
      assert.equal(ids.uid, owner(dir .. path), path)
    end
    assert.equal(0, owner(dir))
    local seen
    proc.wait_for("the trigger", 10, function()
      seen = proc.read_file(dir .. "/run/seen")
      return seen and seen ~= ""
    end, function() return daemon:log() end)
    local home = uv.os_getenv and select(2, proc.run({ "getent", "passwd", proc.user })):match("([^:]*):[^:]*\n$")
    assert.equal(("%s %s %s %d /\n"):format(home, proc.user, proc.user, ids.uid), seen)
    code, _, err = daemon:root_cli("stop")
    assert.equal(0, code, err)
    assert.is_nil(uv.fs_stat(dir .. "/run/p.pid"))
  end)

  it("truncates a pid file that it may not remove, and takes it again", function()
    local dir = root_dir()
    local daemon = plusmoin.new { config = { pid_file = dir .. "/p.pid" } }
    for round = 1, 2 do
      local code, _, err = daemon:daemonize { as_root = true }
      assert.equal(0, code, round .. err)
      assert.equal(0, (daemon:root_cli("stop")))
      assert.equal("", proc.read_file(dir .. "/p.pid"))
    end
  end)

  it("names what daemon_user may not do, and an unknown one", function()
    local dir = root_dir()
    local daemon = plusmoin.new { config = { status_file = dir .. "/status.json" } }
    local code, _, err = daemon:root_cli("start")
    assert.equal(1, code)
    has(err, dir .. "/status.json", "Permission denied")
    daemon = plusmoin.new { config = { daemon_user = "no_such_user_here" } }
    code, _, err = daemon:root_cli("start")
    assert.equal(3, code)
    has(err, "daemon_user", "no_such_user_here")
    assert.is_nil(uv.fs_stat(daemon.config.pid_file))
  end)

  it("may stay root, with a warning", function()
    local daemon = plusmoin.new { config = { daemon_user = "root" } }
    assert.equal(0, (daemon:daemonize { as_root = true }))
    assert.same({ 0, 0, 0, 0 }, ids_of(daemon.process.pid, "Uid"))
    logged(daemon, "warning", "runs as root")
  end)

  it("reads a configuration that daemon_user may not read, warns, and a reload refuses it", function()
    local master = pg.master()
    local daemon = plusmoin.new { nodes = { master } }
    local passfile = daemon.dir .. "/passfile"
    proc.write_file(passfile, "*:*:*:*:x\n", tonumber("600", 8))
    daemon.config.connection = { passfile = passfile }
    proc.write_file(daemon.config_path, daemon:json(), tonumber("600", 8))
    assert(uv.fs_chown(daemon.config_path, 0, 0))
    assert(uv.fs_chown(passfile, 0, 0))
    local code, _, err = daemon:daemonize { as_root = true }
    assert.equal(0, code, err)
    logged(daemon, "warning", daemon.config_path, "a reload will fail")
    logged(daemon, "warning", passfile, "a reload will refuse it")
    daemon:expect_events { { "plusmoin_up" } }
    local out
    code, out, err = daemon:root_cli("reload")
    assert.equal(3, code, out)
    has(err, daemon.config_path, "Permission denied", "all stays as it was")
    assert(uv.fs_chown(daemon.config_path, user_ids().uid, user_ids().gid))
    code, _, err = daemon:root_cli("reload")
    assert.equal(3, code)
    has(err, passfile, "cannot be read")
    assert(uv.fs_chown(passfile, user_ids().uid, user_ids().gid))
    code, _, err = daemon:root_cli("reload")
    assert.equal(0, code, err)
    daemon:quiet_rounds(1)
    daemon:wait_place(master, "master 0")
  end)

  it("runs a Lua configuration as its owner or nobody, and then as daemon_user", function()
    local function uids(owned_by)
      local daemon = plusmoin.new { lua = [[
        local uid = io.open("/proc/self/status"):read("a"):match("\nUid:%s*(%d+)")
        local seen = io.open(config.log_file .. ".uids", "a")
        seen:write(uid, "\n")
        seen:close()
      ]] }
      local path = daemon.config.log_file .. ".uids"
      proc.write_file(path, "", tonumber("666", 8))
      assert(uv.fs_chown(daemon.config_path, owned_by, owned_by))
      local code, _, err = daemon:daemonize { as_root = true }
      assert.equal(0, code, err)
      local text = proc.read_file(path)
      assert.equal(0, (daemon:root_cli("stop")))
      return text, proc.read_file(path)
    end
    local nobody = tonumber((select(2, proc.run({ "id", "-u", "nobody" }))))
    local user = user_ids().uid
    assert.equal(("%d\n%d\n"):format(user, user), (uids(user)))
    local at_start, at_stop = uids(0)
    assert.equal(("%d\n%d\n"):format(nobody, user), at_start)
    assert.equal(at_start .. nobody .. "\n", at_stop)
  end)

  it("has a HOME that libpq can use for TLS", function()
    local dir = proc.new_dir("tls")
    proc.must { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
      "-days", "2", "-subj", "/CN=localhost", "-keyout", dir .. "/key", "-out", dir .. "/cert" }
    local settings = { ssl = "on", ssl_cert_file = dir .. "/cert", ssl_key_file = dir .. "/key" }
    local master = pg.master { settings = settings }
    local daemon = plusmoin.new { nodes = { master }, -- a handshake takes its time on a busy machine
      config = { connection = { sslmode = "require" }, query_timeout = 5, connect_timeout = 5 } }
    local code, _, err = daemon:daemonize { as_root = true, env = { HOME = "/root" } }
    assert.equal(0, code, err)
    daemon:expect_events { { "plusmoin_up" } }
    local rows = master:sql("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = " ..
      "'plusmoin'")
    assert.equal("t", rows[1][1])
  end)

  it("refuses a Lua configuration whose files change with who runs it", function()
    local daemon = plusmoin.new { lua = [[
      local uid = io.open("/proc/self/status"):read("a"):match("\nUid:%s*(%d+)")
      config.status_file = config.status_file .. uid
    ]] }
    assert(uv.fs_chown(daemon.config_path, 0, 0))
    local code, _, err = daemon:root_cli("start")
    assert.equal(3, code)
    has(err, "status_file", "before privileges were dropped")
    assert.is_nil(uv.fs_stat(daemon.config.pid_file))
  end)
end)

describe("as root, what others can change", function()
  if not proc.is_root then
    return pending("needs root")
  end
  after_each(scene.finish)

  it("a Lua configuration of somebody else's does not make root stay root, nor make files as root", function()
    local daemon = plusmoin.new { lua = [[ config.daemon_user = "root" ]] }
    local code, out, err = daemon:root_cli("start")
    assert.equal(3, code, out)
    has(err, "daemon_user", "others than root can change")
    local dir = root_dir()
    daemon = plusmoin.new { lua = ("config.pid_file = %q"):format(dir .. "/new.conf") }
    code, out, err = daemon:root_cli("start")
    assert.equal(1, code, out)
    has(err, dir .. "/new.conf", "Permission denied")
    assert.is_nil(uv.fs_stat(dir .. "/new.conf"))
  end)

  it("a Lua configuration that is exchanged all the time is never run as root", function()
    local daemon = plusmoin.new { lua = [[
      local uid = io.open("/proc/self/status"):read("a"):match("\nUid:%s*(%d+)")
      if uid == "0" then
        io.open(config.log_file .. ".root", "w"):close()
      end
    ]] }
    local mover = proc.spawn { "sh", "-c", ("while :; do mv '%s' '%s.away'; mv '%s.away' '%s'; done"):format(
      daemon.config_path, daemon.config_path, daemon.config_path, daemon.config_path) }
    for _ = 1, 25 do
      daemon:root_cli("status")
    end
    mover:kill_group("sigkill")
    assert.is_nil(uv.fs_stat(daemon.config.log_file .. ".root"))
  end)

  it("a status file that is a link, and a pid file that names a stranger, are not followed", function()
    local daemon = plusmoin.new {}
    local secret = root_dir() .. "/secret"
    proc.write_file(secret, "a secret of root's", tonumber("600", 8))
    assert(uv.fs_chown(secret, 0, 0))
    assert(uv.fs_symlink(secret, daemon.config.status_file))
    local code, out, err = daemon:root_cli("status", "--json")
    assert.equal(1, code)
    assert.is_nil((out .. err):find("a secret", 1, true))
    local victim = proc.spawn({ "sleep", "66" }, { as_root = true })
    proc.write_file(daemon.config.pid_file, victim.pid .. "\n")
    local holder = proc.spawn { "flock", daemon.config.pid_file, "sleep", "66" }
    proc.wait_for("the lock", 5, function()
      return proc.run({ "flock", "-n", daemon.config.pid_file, "true" }) ~= 0
    end)
    code, out, err = daemon:root_cli("stop")
    assert.equal(1, code, out)
    has(err, "names no process")
    assert.is_true(victim:running())
    victim:kill("sigkill")
    holder:kill_group("sigkill")
  end)
end)

describe("places that are not what they seem", function()
  after_each(scene.finish)

  it("a fifo for the log, the status or the state is an error in words, and nothing hangs", function()
    for _, key in ipairs { "log_file", "status_file", "state_file" } do
      local daemon = plusmoin.new {}
      local path = daemon.dir .. "/fifo"
      proc.must { "mkfifo", key == "status_file" and path .. ".new" or path }
      daemon.config[key] = path
      proc.write_file(daemon.config_path, daemon:json())
      local began = proc.mono_ms()
      local code, _, err = daemon:daemonize()
      assert.is_true(proc.mono_ms() - began < 8000)
      if key == "state_file" then -- never keeps it from starting
        assert.equal(0, code, err)
        logged(daemon, "error", "cannot read state file")
      else
        assert.equal(1, code)
        has(err, path)
        assert.is_nil(uv.fs_stat(daemon.config.pid_file))
      end
    end
  end)

  it("another daemon's pid file and socket survive the end of one whose own are gone", function()
    local first = plusmoin.new {}
    assert.equal(0, (first:daemonize()))
    os.remove(first.config.pid_file)
    os.remove(first.config.control_socket)
    local second = plusmoin.new { config = {
      pid_file = first.config.pid_file, control_socket = first.config.control_socket,
    } }
    assert.equal(0, (second:daemonize()))
    first:stop_and_check()
    assert.is_true(second:ask({ request = "status" }).ok)
    assert.equal(0, (second:cli("stop")))
    assert.is_false(second.process:running())
  end)
end)

describe("awkward moments", function()
  after_each(scene.finish)

  -- From main() on a HUP is kept for the handlers, or caught; before that the process is not ours yet.
  local function holds_hup(pid)
    local text = status_of(pid)
    local blocked, caught = text:match("\nSigBlk:%s*(%x+)"), text:match("\nSigCgt:%s*(%x+)")
    return caught ~= nil and (tonumber(blocked, 16) | tonumber(caught, 16)) & 1 ~= 0
  end

  local function moments(count, signals)
    local seed = tonumber(os.getenv("SEED")) or os.time()
    io.write("moments: SEED=", seed, "\n")
    math.randomseed(seed)
    local daemon = plusmoin.new { nodes = { pg.master() }, triggers = {} }
    for i = 1, count do
      daemon:start()
      proc.pump(math.random(1, 60))
      local signal = signals[i % #signals + 1]
      if signal == "sighup" then
        proc.wait_for("main()", 10, function() return holds_hup(daemon.process.pid) end)
      end
      daemon.process:kill(signal)
      if signal == "sighup" then
        daemon.process:kill("sigterm")
      end
      local code, by = daemon.process:wait(10)
      assert(code == 0 or by == 15 or by == 9, ("%s: exit %s, signal %s\n%s"):format(signal, tostring(code),
        tostring(by), daemon:log()))
      plusmoin.running[daemon] = nil
    end
    daemon:start()
    proc.wait_for("an answer", 10, function()
      return uv.fs_stat(daemon.config.control_socket) and pcall(daemon.ask, daemon, { request = "status" })
    end, function() return daemon:log() end)
    assert.is_true(daemon:ask({ request = "status" }).ok)
  end

  it("a signal in the first milliseconds, and another start", function()
    moments(24, { "sigterm", "sighup", "sigkill" })
  end)

  it("killed at a hundred moments, and started again #hostile", function()
    moments(100, { "sigkill" })
  end)
end)
