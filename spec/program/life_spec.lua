-- The daemon's life: start, stop, reload, as a plain user.
local has = require "spec.support.has"
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

local function status_of(pid)
  return proc.read_file("/proc/" .. pid .. "/status") or ""
end

local function mode(path)
  return ("%o"):format(uv.fs_stat(path).mode & 511)
end

local function fd_of(pid, fd)
  return uv.fs_readlink(("/proc/%d/fd/%d"):format(pid, fd))
end

describe("start", function()
  after_each(scene.finish)

  it("leaves the terminal, returns when it is up, and stop ends it #core", function()
    machine.need("inspect")
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
    daemon:wait_logged("ended")
    for _, verb in ipairs { "stop", "reload" } do
      code, _, err = daemon:cli(verb)
      assert.equal(1, code)
      has(err, "not running", daemon.config.pid_file)
    end
  end)

  it("has signals and environment of its own, whatever they were before, and so have triggers #core", function()
    local seen = proc.new_dir("seen") .. "/seen"
    local daemon = plusmoin.new { nodes = { pg.master() }, triggers = { plusmoin_up =
      { command = { "sh", "-c", ("{ cat /proc/self/status; echo threads:$UV_THREADPOOL_SIZE; } > %s.new; mv %s.new %s")
        :format(seen, seen, seen) } } } }
    daemon.process = proc.spawn({ "env", "--block-signal", "--ignore-signal=CHLD,PIPE,TERM,HUP,INT,USR1",
      plusmoin.binary(), "-c", daemon.config_path, "-x", "start" }, { output = daemon.out_path, cwd = daemon.dir,
      env = { UV_THREADPOOL_SIZE = "7" } })
    plusmoin.running[daemon] = true
    daemon:wait_logged("done in", "plusmoin_up") -- its exit was seen
    local own, theirs = status_of(daemon.process.pid), proc.read_file(seen)
    local function signals(text, key) -- without 32 and 33, which are the C library's
      return ("%x"):format(tonumber(text:match("\n" .. key .. ":\t(%x+)"), 16) & ~0x180000000)
    end
    assert.same({ "0", "1000" }, { signals(own, "SigBlk"), signals(own, "SigIgn") }) -- PIPE
    assert.same({ "0", "0" }, { signals(theirs, "SigBlk"), signals(theirs, "SigIgn") })
    has(theirs, "threads:7\n")
    daemon:stop_and_check() -- by TERM
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
      daemon:wait_logged("warning", name, "ignored")
    end
    daemon:wait_place(master, "master 0")
  end)

  -- one that ends before plusmoin has a handler for it, as often as not
  it("as a container's first process reaps orphans and ends on TERM", function()
    machine.need("pids")
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
    daemon:wait_logged("signal 15")
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
    daemon:wait_logged("error", "timed out")
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
    daemon:wait_logged("cannot open log file /no/such/place/p.log")
    daemon.config.log_file = daemon.dir .. "/new.log"
    proc.write_file(daemon.config_path, daemon:json())
    assert.equal(0, (daemon:cli("reload")))
    daemon.out_path = daemon.config.log_file
    proc.wait_for("the new log", 5, function() return daemon:logged("configuration reloaded") end)
    local before = proc.read_file(old)
    assert.equal(0, (daemon:cli("stop")))
    daemon:wait_logged("ended")
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
    daemon:wait_logged("control_socket needs a restart")
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
        daemon:wait_logged("error", "cannot read state file")
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
