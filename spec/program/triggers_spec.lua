-- Commands that misbehave: nothing they do stops polls, other clusters, or the daemon.
local fleet = require "spec.support.fleet"
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

-- A plusmoin on a master and one slave, whose slave_down is `entry`; for a list,
-- false stands for the recorder.
local function start_with(entries, options)
  local master, slaves = pg.cluster(1)
  options = options or {}
  options.nodes = { master, slaves[1] }
  options.nowait = true
  local daemon = plusmoin.new(options)
  for i, entry in ipairs(entries) do
    entries[i] = entry or daemon.recorder
  end
  daemon.config.triggers.slave_down = entries
  proc.write_file(daemon.config_path, daemon:json())
  daemon:start(options)
  daemon:expect_events { { "plusmoin_up" } }
  return daemon, slaves[1]
end

local function sh(text, timeout)
  return { command = { "sh", "-c", text }, timeout = timeout }
end

local function running(word)
  local code = proc.run({ "pgrep", "-f", word }, { as_root = true })
  return code == 0
end

describe("a trigger", function()
  local pipe

  after_each(function()
    if pipe then
      uv.fs_close(pipe.write)
      pipe = nil
    end
    scene.finish()
  end)

  it("of a heartbeat that is slower than the heartbeat lets others' slave_down go before it", function()
    local _, nodes = fleet.start { "one", "two" }
    local master, slaves = pg.cluster(1)
    local daemon = plusmoin.new { nodes = { master, slaves[1] }, config = { trigger_parallel = 1 },
      triggers = { plusmoin_up = false, cluster_created = false } }
    local began, go, seen = daemon.events_dir .. "/began", daemon.dir .. "/go", daemon.events_dir .. "/seen"
    daemon.config.nodes = { nodes[1], nodes[2], table.unpack(daemon.config.nodes) }
    local slow = ("echo >> %s; until [ -e %s ]; do sleep 0.05; done"):format(began, go)
    daemon.config.triggers.plusmoin_heartbeat = sh(slow, 60)
    daemon.config.triggers.slave_down = sh(("wc -l < %s > %s.new; mv %s.new %s"):format(began, seen, seen, seen))
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    daemon:wait_place(slaves[1], "slave 2", 20)
    proc.wait_for("a heartbeat", 20, function() return proc.read_file(began) end,
      function() return daemon:diagnose() end)
    slaves[1]:kill9()
    daemon:wait_place(slaves[1], "lost 2", 20)
    proc.write_file(go, "")
    proc.wait_for("slave_down", 20, function() return proc.read_file(seen) end,
      function() return daemon:diagnose() end)
    assert.equal(1, tonumber(proc.read_file(seen)))
  end)

  it("that hangs is ended with its whole group, the next one runs, polls go on #core", function()
    local mark = "61." .. proc.free_port()
    local daemon, slave = start_with { sh(("sleep %s & sleep %s"):format(mark, mark), 1), false }
    local killed = proc.mono_ms()
    slave:kill9()
    daemon:wait_place(slave, "lost 0", 3)
    proc.wait_for("the trigger", 3, function() return running("sleep " .. mark) end)
    local event = daemon:expect_events { { "slave_down", slave, cluster = 0, rule = "S1" } }
    assert.is_true(event.ms - killed > 950)
    assert.is_false(running("sleep " .. mark))
    daemon:wait_logged("slave_down", "timed out")
    slave:start()
    daemon:expect_events { { "slave_up", slave, cluster = 0, rule = "L4" } }
  end)

  it("that ignores TERM is killed 5 s later", function()
    local mark = tostring(proc.free_port())
    local daemon, slave = start_with { sh("trap '' TERM; while :; do sleep 0." .. mark .. "; done", 0.5), false }
    local killed = proc.mono_ms()
    slave:kill9()
    local event = daemon:expect_events { { "slave_down", slave }, seconds = 15 }
    assert.is_true(event.ms - killed > 5400)
    assert.is_false(running("sleep 0." .. mark))
  end)

  it("that fails is told with its output, and the next one runs", function()
    local daemon, slave = start_with({ sh("echo tick; echo tock >&2; exit 3"), sh("kill -9 $$"), false },
      { config = { log_level = "error" } })
    slave:kill9()
    daemon:expect_events { { "slave_down", slave } }
    daemon:wait_logged("tick")
    daemon:wait_logged("tock")
    daemon:wait_logged("slave_down", "status 3")
    daemon:wait_logged("slave_down", "signal")
  end)

  it("that is missing is told, and the next one runs", function()
    local daemon, slave = start_with { "/nonexistent/program", "no-such-program-anywhere", false }
    slave:kill9()
    daemon:expect_events { { "slave_down", slave } }
    daemon:wait_logged("/nonexistent/program")
    daemon:wait_logged("no-such-program-anywhere")
  end)

  it("that prints a megabyte and reads nothing is no trouble; the end of it is kept", function()
    local daemon, slave = start_with { sh("head -c 1000000 /dev/zero | tr '\\0' x; echo THE-END; exit 1"), false }
    slave:kill9()
    daemon:expect_events { { "slave_down", slave } }
    daemon:wait_logged("THE-END")
    assert.is_true(#daemon:log() < 100000)
  end)

  it("gets a clean process: environment, directory, descriptors, group", function()
    local daemon = plusmoin.new { config = { password = "carrotcake" } }
    local master = pg.master()
    local out = daemon.dir .. "/facts"
    daemon.config.nodes = { { host = master.host, port = master.port } }
    daemon.config.triggers.plusmoin_up = { sh("{ env; pwd; ls -l /proc/self/fd; } > " .. out), daemon.recorder }
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start { env = { SECRET_COPY = "carrotcake", PGPASSWORD = "x1", NOTIFY_SOCKET = "/n", LISTEN_FDS = "1",
      PLAIN = "value" } }
    local event = daemon:expect_events { { "plusmoin_up" } }
    assert.equal(event.pid, event.pgid)
    local facts = proc.read_file(out)
    for _, name in ipairs { "SECRET_COPY", "PGPASSWORD", "NOTIFY_SOCKET", "LISTEN_FDS" } do
      assert.is_nil(facts:find(name .. "=", 1, true))
    end
    assert.truthy(facts:find("\nPLAIN=value\n", 1, true))
    assert.truthy(facts:find("\n/\n", 1, true))
    for number in facts:gmatch("(%d+) %-> ") do
      assert.is_true(tonumber(number) <= 3, facts) -- 3 is ls's own
    end
  end)

  it("that hangs in one cluster does not delay another's master_down, all slots taken", function()
    local master_a, slaves_a = pg.cluster(1)
    local master_b, slaves_b = pg.cluster(1, { family = 2 })
    local daemon = plusmoin.start { nodes = { master_a, slaves_a[1], master_b, slaves_b[1] }, clusters = 2,
      triggers = { slave_down = "sleep 60", plusmoin_heartbeat = false }, config = { trigger_parallel = 1 } }
    slaves_a[1]:kill9()
    daemon:wait_place(slaves_a[1], "lost 0")
    local killed = proc.mono_ms()
    master_b:kill9()
    local event = daemon:expect_events { { "master_down", master_b, cluster = 1, rule = "M2" } }
    assert.is_true(event.ms - killed < 3000)
  end)

  it("plusmoin_heartbeat that is slow is not queued again", function()
    local daemon = scene.start { slaves = 0, triggers = { plusmoin_heartbeat = "sleep 60" },
      config = { heartbeat = 0.1, retry_interval = 0.1 } }
    daemon:quiet(1)
    daemon:stop_and_check() -- with a queue of them it would tell of each as dropped
    local _, told = daemon:log():gsub("[^\n]*heartbeat[^\n]*drop", "")
    assert.is_true(told <= 1, daemon:log())
  end)

  it("under way at shutdown may end within shutdown_grace #core", function()
    local daemon, slave = start_with({ sh("sleep 0.7"), false }, { config = { shutdown_grace = 5 } })
    slave:kill9()
    daemon:wait_place(slave, "lost 0")
    daemon:stop_and_check()
    daemon:expect_events { { "slave_down", slave } }
  end)

  it("that outlives shutdown_grace is ended, the daemon ends with 0 #core", function()
    local mark = "62." .. proc.free_port()
    local daemon, slave = start_with { sh("sleep " .. mark, 50) }
    slave:kill9()
    proc.wait_for("the trigger", 5, function() return running("sleep " .. mark) end)
    local asked = proc.mono_ms()
    daemon:stop_and_check()
    assert.is_true(proc.mono_ms() - asked > 900)
    assert.is_false(running("sleep " .. mark))
  end)

  it("runs and polls go on while stdout is a full pipe", function()
    local master, slaves = pg.cluster(1)
    pipe = assert(uv.pipe())
    assert(uv.fs_write(pipe.write, ("."):rep(65536)))
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, stdout_fd = pipe.write,
      config = { heartbeat = 0.2, max_sync_delay = 5 } }
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    slaves[1]:start()
    daemon:expect_events { { "slave_up", slaves[1], cluster = 0, rule = "L4" } }
    daemon:quiet_rounds(5)
    local reader, parts = uv.new_pipe(false), {}
    assert(reader:open(pipe.read))
    reader:read_start(function(_, data) parts[#parts + 1] = data end)
    daemon:stop_and_check()
    reader:close()
    assert.truthy(table.concat(parts):find("slave_up", 1, true))
  end)

  it("that logs long lines while nobody reads stdout costs no memory, and no error", function()
    local master, slaves = pg.cluster(1)
    pipe = assert(uv.pipe())
    assert(uv.fs_write(pipe.write, ("."):rep(65536)))
    local flood = [[
      local pm = require "plusmoin"
      return function()
        local long = ("x"):rep(64 << 10)
        repeat
          pm.sleep(0.05)
        until pm.exec({ "test", "-e", GO }).code == 0
        for _ = 1, 3 do -- as much as a trigger may log in a second, each
          for i = 1, 500 do
            pm.log.info("%d %s", i, long)
          end
          pm.sleep(1.1)
        end
        pm.exec { "touch", FILE }
      end
    ]]
    local daemon = plusmoin.new { nodes = { master, slaves[1] }, config = { max_sync_delay = 20 } }
    local done, go = daemon.events_dir .. "/flooded", daemon.dir .. "/go"
    local function resident_kib()
      return tonumber(proc.read_file(("/proc/%d/status"):format(daemon.process.pid)):match("VmRSS:%s*(%d+)"))
    end
    proc.write_file(daemon.dir .. "/flood.lua", (flood:gsub("FILE", ("%q"):format(done)):gsub("GO", ("%q"):format(go))))
    daemon.config.triggers.plusmoin_up = { daemon.recorder, { lua = "flood.lua", timeout = 60 } }
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start { stdout_fd = pipe.write,
      env = { ASAN_OPTIONS = (os.getenv("ASAN_OPTIONS") or "") .. ":quarantine_size_mb=1" } }
    daemon:expect_events { { "plusmoin_up" } }
    local before = resident_kib()
    proc.write_file(go, "")
    proc.wait_for("96 MB of lines", 60, function() return proc.read_file(done) end)
    assert.is_true(resident_kib() - before < 60 << 10, resident_kib() - before)
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    local reader, parts = uv.new_pipe(false), {}
    assert(reader:open(pipe.read))
    reader:read_start(function(_, data) parts[#parts + 1] = data end)
    daemon:stop_and_check()
    reader:close()
    local log = table.concat(parts)
    has(log, "x... (cut: 65538 bytes in all)", "log lines were lost", "rule=S1")
  end)
end)
