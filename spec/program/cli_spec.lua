-- The command line, exit codes, pid file, control socket and status verbs.
local cjson = require "cjson"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

local function run(...)
  return proc.run({ plusmoin.binary(), ... })
end

describe("the command line", function()
  after_each(scene.finish)

  it("without a verb, with an unknown verb or option, is wrong usage", function()
    for _, argv in ipairs { {}, { "-x" }, { "frobnicate" }, { "--frob", "status" }, { "status", "stop" },
      { "start", "-c" } } do
      local code, out, err = run(table.unpack(argv))
      assert.equal(2, code, table.concat(argv, " ") .. out .. err)
      assert.is_true(#err > 0)
    end
  end)

  it("tells its version and how to use it", function()
    local code, out = run("--version")
    assert.equal(0, code)
    assert.truthy(out:find("%d+%.%d+"))
    for _, option in ipairs { "-h", "--help" } do
      code, out = run(option)
      assert.equal(0, code)
      assert.truthy(out:find("start|stop|reload|status|check", 1, true) or out:find("reload", 1, true))
    end
  end)

  it("ends with 3 on a bad configuration, and says where", function()
    local daemon = plusmoin.new { text = '{\n  "dbname": "x",\n  "user": "y",\n  "hartbeat": 1\n}\n' }
    local code, out, err = daemon:cli("-x", "start")
    assert.equal(3, code, out .. err)
    assert.truthy((out .. err):find("hartbeat", 1, true))
    assert.truthy((out .. err):find("heartbeat", 1, true))
    assert.truthy((out .. err):find("plusmoin.json:4", 1, true))
    local broken = plusmoin.new { text = '{\n  "dbname": "x",,\n}\n' }
    code, out, err = broken:cli("start", "-x")
    assert.equal(3, code)
    assert.truthy((out .. err):find("plusmoin.json:2", 1, true))
  end)

  it("ends with 3 when there is no configuration", function()
    local code, _, err = run("-c", proc.run_dir() .. "/nowhere.json", "-x", "start")
    assert.equal(3, code)
    assert.truthy(err:find("nowhere.json", 1, true))
  end)

  it("refuses a second start, naming the first; leaves it running", function()
    local daemon = scene.start { slaves = 0 }
    local pid = proc.read_file(daemon.config.pid_file)
    assert.equal(daemon.process.pid, tonumber(pid))
    local code, out, err = daemon:cli("-x", "start")
    assert.equal(1, code, out .. err)
    assert.truthy((out .. err):find(tostring(daemon.process.pid), 1, true))
    daemon:quiet_rounds(2)
    assert.truthy(daemon:ask({ request = "status" }).ok)
  end)

  it("ends cleanly on SIGTERM: pid file and socket gone, status file left #core", function()
    local daemon = scene.start { slaves = 1 }
    daemon:wait_status("a cluster", function(status) return status.clusters[1] end)
    assert.truthy(uv.fs_stat(daemon.config.control_socket))
    daemon:stop_and_check()
    assert.is_nil(uv.fs_stat(daemon.config.pid_file))
    assert.is_nil(uv.fs_stat(daemon.config.control_socket))
    assert.truthy(uv.fs_stat(daemon.config.status_file))
    assert.is_nil(uv.fs_stat(daemon.config.log_file))
  end)

  it("ends cleanly on SIGINT", function()
    local daemon = scene.start { slaves = 0 }
    daemon.process:kill("sigint")
    assert.equal(0, (daemon.process:wait(10)))
  end)

  it("ends cleanly while nothing answers", function()
    local master = pg.master():freeze()
    local daemon = plusmoin.start { nodes = { master }, nowait = true }
    proc.wait_for("the control socket", 5, function() return uv.fs_stat(daemon.config.control_socket) end)
    daemon:quiet(0.3)
  end)

  it("starts after one that was killed: stale pid file, stale socket", function()
    local daemon = scene.start { slaves = 0, args = { "start", "-x" } }
    daemon:kill9()
    assert.truthy(uv.fs_stat(daemon.config.pid_file))
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    assert.is_true(daemon:ask({ request = "status" }).ok)
  end)
end)

describe("status", function()
  after_each(scene.finish)

  it("prints a table of the running daemon, and the file as JSON", function()
    local daemon, master, slaves = scene.start()
    daemon:wait_place(slaves[2], "slave 0")
    local code, out = daemon:cli("status")
    assert.equal(0, code)
    assert.truthy(out:find(master.name .. "[^\n]*master") or out:find("master[^\n]*" .. master.name))
    assert.truthy(out:find(slaves[1].name .. "[^\n]*slave") or out:find("slave[^\n]*" .. slaves[1].name))
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
    code, out = daemon:cli("status")
    assert.equal(0, code)
    assert.truthy(out:find(slaves[1].name .. "[^\n]*lost") or out:find("lost[^\n]*" .. slaves[1].name))
    daemon:wait_place(slaves[1], "lost 0")
    code, out = daemon:cli("status", "--json")
    assert.equal(0, code)
    assert.same(daemon:status_file(), cjson.decode(out))
  end)

  it("without a daemon prints what the file holds, and that it is old", function()
    local daemon, master = scene.start { slaves = 0 }
    daemon:wait_place(master, "master 0")
    daemon:stop_and_check()
    local code, out, err = daemon:cli("status")
    assert.equal(1, code)
    assert.truthy(out:find(tostring(master.port), 1, true))
    assert.truthy((out .. err):lower():find("old", 1, true))
    code, out = daemon:cli("status", "--json")
    assert.equal(1, code)
    assert.same(daemon:status_file(), cjson.decode(out))
  end)

  it("without a daemon and without a file fails in words", function()
    local daemon = plusmoin.new {}
    local code, _, err = daemon:cli("status")
    assert.equal(1, code)
    assert.is_true(#err > 0)
  end)
end)

describe("monitors", function()
  after_each(scene.finish)

  it("of a monitor that is alone ends with 1", function()
    local daemon = scene.start { slaves = 0 }
    local alone = "this monitor is alone: `monitors` is not set"
    for _, word in ipairs { "monitors", "resign" } do
      assert.same({ ok = false, error = alone }, (daemon:ask { request = word }))
    end
    assert.is_nil(daemon:ask({ request = "status" }).monitors)
    for _, argv in ipairs { { "monitors" }, { "monitors", "resign" }, { "monitors", "--json" } } do
      local code, out, err = daemon:cli(table.unpack(argv))
      assert.same({ 1, "plusmoin: " .. alone .. "\n" }, { code, err })
      assert.equal(argv[2] == "--json", out ~= "")
    end
    assert.equal(2, (daemon:cli("monitors", "resing")))
  end)

  it("without a daemon ends with 1", function()
    local code, out, err = plusmoin.new({}):cli("monitors")
    assert.same({ 1, "" }, { code, out })
    assert.truthy(err:find("no daemon answers at ", 1, true))
  end)
end)

describe("the control socket", function()
  after_each(scene.finish)

  it("answers one line for one line, also to what it does not understand", function()
    local daemon, master, slaves = scene.start()
    daemon:quiet_rounds(1)
    local answer, line = daemon:ask({ request = "status" })
    assert.is_true(answer.ok)
    assert.equal("\n", line:sub(-1))
    assert.same({}, answer.clusterless)
    local cluster = answer.clusters[1]
    assert.equal("master", cluster.master.state)
    assert.equal(master.name, cluster.master.name)
    assert.equal(slaves[1].port, cluster.slaves[1].port)
    assert.equal("slave", cluster.slaves[1].state)
    assert.is_true(cluster.slaves[1].lag >= 0)
    assert.equal(master:version(), cluster.master.server_version)
    for _, text in ipairs { '{"request": "dance"}', "{}", "garbage", "[1]", '{"request": 7}', "" } do
      answer = daemon:ask(text)
      assert.is_false(answer.ok, text)
      assert.is_string(answer.error)
    end
    daemon:quiet_rounds(1)
  end)

  it("is for its owner and group only, and survives a client that sends too much", function()
    local daemon = scene.start { slaves = 0 }
    local mode = uv.fs_stat(daemon.config.control_socket).mode & tonumber("777", 8)
    assert.equal(tonumber("660", 8), mode)
    pcall(daemon.ask, daemon, ("x"):rep(200000))
    assert.is_true(daemon:ask({ request = "status" }).ok)
  end)
end)
