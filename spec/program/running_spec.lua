-- Verbs that speak to the running daemon go by its own word, and run the configuration only where that leads to no
-- daemon that runs it. A module that changes behind the daemon's back shows which: what it says now is wrong.
local cjson = require "cjson"
local has = require "spec.support.has"
local machine = require "spec.support.machine"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

local RIGHT, WRONG = "return 60", "return 'five'"

-- A running daemon, without nodes, whose configuration has become wrong without a change of its file.
local function spoilt(body)
  local daemon = plusmoin.new { lua = 'config.heartbeat = require "beat"\n' .. (body or ""),
    files = { ["beat.lua"] = RIGHT } }
  proc.pump(50) -- a file's time of change is exact to a tick of the kernel's alone
  daemon:start()
  proc.wait_for("its socket", 30, function() return uv.fs_stat(daemon.config.control_socket) end,
    function() return daemon:diagnose() end)
  daemon:wait_status("written", function(status) return status.clusters end)
  proc.write_file(daemon.dir .. "/beat.lua", WRONG)
  return daemon
end

-- What the verb says where it does not run the configuration: nothing on stderr.
local function silently(daemon, ...)
  local code, out, err = daemon:cli(...)
  assert.same({ 0, "" }, { code, err })
  return out
end

-- Somebody who listens in the daemon's place and answers each line with `answer()`; what was asked.
local function impostor(path, answer)
  local server, asked = uv.new_pipe(false), {}
  assert(server:bind(path))
  assert(uv.fs_chmod(path, tonumber("666", 8)))
  server:listen(8, function()
    local client = uv.new_pipe(false)
    server:accept(client)
    client:read_start(function(_, data)
      if not data then
        client:close()
        return
      end
      asked[#asked + 1] = data
      client:write(cjson.encode(answer()) .. "\n")
    end)
  end)
  return server, asked
end

describe("with the daemon running, the configuration is not run by", function()
  after_each(scene.finish)

  it("status, explain, watch, reload and stop", function()
    local daemon = spoilt()
    has(silently(daemon, "status"), "no nodes")
    assert.same({}, cjson.decode(silently(daemon, "status", "--json")).clusters)
    has(silently(daemon, "explain"), "all 0 nodes are well")
    assert.is_true(cjson.decode(silently(daemon, "explain", "--json")).ok)
    local watch = proc.spawn({ plusmoin.binary(), "-c", daemon.config_path, "watch" }, { cwd = daemon.dir })
    proc.wait_for("watch", 10, function() return watch:out() ~= "" end, function() return watch:err() end)
    watch:kill("sigint")
    assert.same({ 0, "" }, { (watch:wait(5)), watch:err() })
    local code, _, err = daemon:cli("reload")
    assert.equal(3, code) -- by the daemon, which alone has read it
    has(err, "heartbeat", "all stays as it was")
    assert.is_nil(err:find("going by pid file", 1, true))
    silently(daemon, "stop")
    assert.equal(0, (daemon.process:wait(10)))
    plusmoin.running[daemon] = nil
  end)

  it("status, where the names are made in the file, when the socket is where it is by default", function()
    local daemon = spoilt('config.control_socket = nil') -- beside the pid file
    has(silently(daemon, "status"), "no nodes")
  end)
end)

describe("the configuration is run, and what is wrong with it said,", function()
  after_each(scene.finish)

  local function says_broken(daemon, ...)
    local code, _, err = daemon:cli(...)
    has(err, "heartbeat", "the configuration is broken")
    return code, err
  end

  it("when the daemon runs another file, though it listens at the same socket", function()
    local daemon = spoilt()
    daemon.config_path = daemon.dir .. "/other.lua"
    proc.write_file(daemon.config_path, proc.read_file(daemon.dir .. "/plusmoin.lua"))
    assert.equal(0, (says_broken(daemon, "status"))) -- and the daemon at that socket answers, as ever
  end)

  it("when the file has changed since the daemon read it, until that reads it", function()
    local daemon = spoilt()
    proc.write_file(daemon.config_path, (proc.read_file(daemon.config_path):gsub("return config", "return  config")))
    assert.equal(0, (says_broken(daemon, "status")))
    proc.write_file(daemon.dir .. "/beat.lua", RIGHT)
    proc.pump(50)
    assert.equal(0, (daemon:cli("reload")))
    proc.write_file(daemon.dir .. "/beat.lua", WRONG)
    silently(daemon, "status")
  end)

  it("when no daemon runs", function()
    local daemon = spoilt()
    daemon:stop_and_check()
    local code, err = says_broken(daemon, "explain")
    assert.equal(1, code)
    has(err, "no daemon answers at " .. daemon.dir)
    code, err = says_broken(daemon, "reload")
    assert.equal(1, code)
    has(err, "not running (pid file " .. daemon.dir)
  end)

  it("when who listens is not the process that it says, or does not hold the pid file", function()
    local daemon = spoilt()
    local about = daemon:ask { request = "about" }
    assert.same({ daemon.process.pid, daemon.config_path, daemon.config.pid_file, daemon.config.status_file,
      daemon.config.control_socket, cjson.null },
      { about.pid, about.configuration, about.pid_file, about.status_file, about.control_socket, about.log_file })
    daemon:stop_and_check()
    about.status_file = "/etc/hostname"
    local server, asked = impostor(daemon.config.control_socket, function() return about end)
    for _, pid in ipairs { about.pid, uv.os_getpid() } do
      about.pid = pid
      local code, err = says_broken(daemon, "status", "--json")
      assert.equal(0, code, err) -- somebody answers there
      assert.is_nil(err:find("hostname", 1, true))
      code, err = says_broken(daemon, "stop")
      assert.equal(1, code)
      has(err, "not running")
    end
    has(asked[1], '"about"')
    proc.close(server)
  end)
end)

describe("as root", function()
  local it = machine.it(it, "root")
  after_each(scene.finish)

  it("no file is shown that the daemon names, but that is not its own", function()
    local daemon = spoilt()
    assert.equal(0, (daemon:root_cli("status", "--json")))
    assert(uv.fs_chown(daemon.config.status_file, 0, 0))
    local code, out, err = daemon:root_cli("status", "--json")
    assert.same({ 1, "" }, { code, out })
    has(err, "cannot read status file " .. daemon.config.status_file)
  end)
end)
