-- Started as root: what it drops to, and what it does not do as root.
local has = require "spec.support.has"
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

local function ids_of(pid, key)
  local ids = {}
  for id in proc.read_file("/proc/" .. pid .. "/status"):match("\n" .. key .. ":([^\n]*)"):gmatch("%d+") do
    ids[#ids + 1] = math.tointeger(tonumber(id))
  end
  return ids
end

local function owner(path)
  local stat = uv.fs_stat(path)
  return stat and stat.uid
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

-- The configuration is root's: what it says root does.
local function roots(daemon)
  assert(uv.fs_chown(daemon.config_path, 0, 0))
  return daemon
end

describe("as root", function()
  local it = machine.it(it, "root")
  after_each(scene.finish)

  it("drops to daemon_user for good, in whose name all is made #core", function()
    local dir = root_dir()
    local daemon = plusmoin.new { nodes = { pg.master() }, config = {
      pid_file = dir .. "/run/p.pid", status_file = dir .. "/run/status.json",
      control_socket = dir .. "/run/p.sock", log_file = dir .. "/log/p.log",
    }, triggers = { plusmoin_up = "sh -c 'echo $HOME $USER $LOGNAME $(id -u) $PWD > " .. dir .. "/run/seen'" } }
    roots(daemon)
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
    local daemon = roots(plusmoin.new { config = { pid_file = dir .. "/p.pid" } })
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
    local daemon = roots(plusmoin.new { config = { daemon_user = "root" } })
    assert.equal(0, (daemon:daemonize { as_root = true }))
    assert.same({ 0, 0, 0, 0 }, ids_of(daemon.process.pid, "Uid"))
    daemon:wait_logged("warning", "runs as root")
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
    daemon:wait_logged("warning", daemon.config_path, "a reload will fail")
    daemon:wait_logged("warning", passfile, "a reload will refuse it")
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
      assert.equal(0, (daemon:root_cli("stop"))) -- by the daemon's own word
      assert.equal(text, proc.read_file(path))
      assert.equal(1, (daemon:root_cli("status"))) -- which nobody gives any more
      return text, proc.read_file(path)
    end
    local nobody = tonumber((select(2, proc.run({ "id", "-u", "nobody" }))))
    local user = user_ids().uid
    assert.equal(("%d\n%d\n"):format(user, user), (uids(user)))
    local at_start, alone = uids(0)
    assert.equal(("%d\n%d\n"):format(nobody, user), at_start)
    assert.equal(at_start .. nobody .. "\n", alone)
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
  local it = machine.it(it, "root")
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

  it("a JSON configuration neither; root makes what is directly in /run and beside it", function()
    local mode = { ["with an owner"] = function() end, ["with a mode"] = function(daemon)
      assert(uv.fs_chown(daemon.config_path, 0, 0))
      assert(uv.fs_chmod(daemon.config_path, tonumber("664", 8)))
    end, ["with a link"] = function(daemon)
      assert(uv.fs_chown(daemon.config_path, 0, 0))
      daemon.config_path = daemon.dir .. "/link.json"
      assert(uv.fs_symlink(daemon.dir .. "/plusmoin.json", daemon.config_path))
      proc.must({ "chown", "-h", proc.user, daemon.config_path }, { as_root = true })
    end }
    for what, change in pairs(mode) do
      local daemon = plusmoin.new { config = { daemon_user = "root" } }
      change(daemon)
      for _, verb in ipairs { "start", "check" } do
        local code, out, err = daemon:root_cli(verb)
        assert.equal(3, code, what .. out)
        has(err, "daemon_user", "others than root can change")
      end
    end
    local dir = root_dir()
    local daemon = plusmoin.new { config = { pid_file = dir .. "/run/new.conf" } }
    local code, out, err = daemon:root_cli("start")
    assert.equal(1, code, out)
    has(err, dir .. "/run/new.conf", "Permission denied")
    assert.is_nil(uv.fs_stat(dir .. "/run"))
    local place = "/run/" .. daemon.dir:gsub("[^%w]", "-")
    daemon = plusmoin.new { config = { pid_file = place .. "/p.pid", control_socket = place .. "/p.sock" } }
    code, out, err = daemon:daemonize { as_root = true }
    assert.equal(0, code, out .. err)
    assert.equal(user_ids().uid, owner(place))
    assert.equal(0, (daemon:root_cli("stop")))
    assert(uv.fs_rmdir(place))
  end)

  it("a configuration or trigger of root's that has become somebody's is not reloaded as root", function()
    local daemon = plusmoin.new { config = { daemon_user = "root" }, files = { ["t.lua"] = "return require 'm'",
      ["m.lua"] = "#!\nreturn function() end" }, triggers = { slave_up = { lua = "t.lua" } } }
    local trigger, module = daemon.dir .. "/t.lua", daemon.dir .. "/m.lua"
    assert(uv.fs_chown(daemon.config_path, 0, 0))
    local code, _, err = daemon:root_cli("start")
    assert.equal(3, code)
    has(err, trigger, "can be changed by others than root")
    assert(uv.fs_chown(trigger, 0, 0))
    code, _, err = daemon:root_cli("start")
    assert.equal(3, code)
    has(err, module, "can be changed by others than root")
    assert(uv.fs_chown(module, 0, 0))
    code, _, err = daemon:daemonize { as_root = true }
    assert.equal(0, code, err)
    assert(uv.fs_chmod(daemon.config_path, tonumber("666", 8)))
    code, _, err = daemon:root_cli("reload")
    assert.equal(3, code)
    has(err, daemon.config_path, "can be changed by others than root")
    assert(uv.fs_chmod(daemon.config_path, tonumber("644", 8)))
    code, _, err = daemon:root_cli("reload")
    assert.equal(0, code, err)
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
