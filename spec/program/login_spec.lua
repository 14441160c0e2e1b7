-- A login is made in worker threads: neither a server that asks for much arithmetic nor a file that hangs holds the
-- loop, and a step that does not come back says nothing of a server that has not asked for anything.
local hang = require "spec.support.hang"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"

local PASSWORD = "geheim-23"

-- A healthy pair, and a stand-in `hostile` that asks for so many iterations.
local function with_hostile(iterations, config)
  local stand = standin.start()
  local nodes = {}
  for i, name in ipairs { "a", "b", "hostile" } do
    nodes[i] = stand:server(name, "127.20.0." .. i)
  end
  stand:play("up a: b hostile", "hostile scram " .. iterations)
  local settings = { password = PASSWORD, query_timeout = 0.3, connect_timeout = 1 }
  for key, value in pairs(config or {}) do
    settings[key] = value
  end
  local daemon = plusmoin.start { nodes = nodes, config = settings, nowait = true }
  proc.wait_for("the control socket", 20, function() return proc.uv.fs_stat(daemon.config.control_socket) end,
    function() return daemon:diagnose() end)
  return daemon, stand, nodes
end

describe("a server that asks for much arithmetic at the login", function()
  after_each(function() scene.finish(standin.stop_all) end)

  it("does not hold the loop: 2,000,000 iterations, and a crash elsewhere is seen meanwhile", function()
    local daemon, stand, nodes = with_hostile(2000000)
    daemon:expect_events { { "plusmoin_up" } }
    local began = proc.mono_ms()
    local worst = hang.lateness(daemon, 60, function()
      return proc.mono_ms() - began > 2000 and stand:count("hostile").connections >= 2
    end)
    assert.is_true(worst < hang.LATE_MS, ("an answer took %.1f ms"):format(worst))
    daemon:wait_place(nodes[2], "slave 0")
    stand:play("b die")
    daemon:expect_events { { "slave_down", nodes[2] } }
  end)

  it("2,000,000,000 iterations: polls go on, and SIGTERM ends the daemon #core", function()
    local daemon, stand, nodes = with_hostile(2000000000)
    daemon:expect_events { { "plusmoin_up" } }
    daemon:wait_place(nodes[2], "slave 0")
    daemon:wait_logged("hostile", "timeout", "SCRAM iterations")
    proc.wait_for("the second login", 10, function() return stand:count("hostile").connections == 2 end)
    daemon:quiet(3)
    assert.equal(2, stand:count("hostile").connections) -- two are left behind, no more are begun
    assert.is_true(hang.lateness(daemon, 10, function() return true end) < hang.LATE_MS)
    local began = proc.mono_ms()
    daemon:stop_and_check()
    assert.is_true(proc.mono_ms() - began < 4000)
  end)
end)

local function times_logged(daemon, words)
  return select(2, daemon:log():gsub(words:gsub("%p", "%%%0"), ""))
end

describe("a file of a login that hangs", function()
  local release

  after_each(function()
    hang.let_go()
    if release then
      release()
    end
    release = nil
    scene.finish(standin.stop_all)
  end)

  local function with_passfile(count)
    local passfile = proc.new_dir("pass") .. "/passfile"
    proc.write_file(passfile, "*:*:*:*:" .. PASSWORD .. "\n", tonumber("600", 8))
    local stand = standin.start()
    local nodes = stand:servers("n", count, "127.21.0.1")
    local slaves = {}
    for i = 2, count do
      slaves[#slaves + 1] = "n" .. i
    end
    stand:play("n* password", "up n1: " .. table.concat(slaves, " "))
    local daemon = plusmoin.start { nodes = nodes, config = { query_timeout = 0.4, connect_timeout = 1,
      connection = { passfile = passfile } } }
    daemon:wait_place(nodes[count], "slave 0")
    hang.hold(passfile)
    stand:play "n* disconnect"
    return daemon, stand, nodes
  end

  it("judges nobody and is told once; nodes are asked again when it is there #core", function()
    local daemon, stand, nodes = with_passfile(4)
    daemon:wait_logged("error", "plusmoin itself lacks something", "passfile")
    daemon:quiet(3)
    assert.equal(1, times_logged(daemon, "plusmoin itself lacks something"))
    hang.let_go()
    proc.wait_for("sessions", 10, function() return stand:count("n4").sessions == 1 end,
      function() return daemon:diagnose() end)
    daemon:quiet_rounds(2)
    stand:play "n3 die"
    daemon:expect_events { { "slave_down", nodes[3] } }
  end)

  it("holds 32 workers at the most, which is told once; the status answers, SIGTERM ends the daemon #core", function()
    local daemon, stand = with_passfile(20)
    daemon:wait_logged("error", "no login is begun until one of them does")
    assert.is_true(hang.lateness(daemon, 10, function() return true end) < hang.LATE_MS)
    daemon:quiet(1)
    assert.equal(1, times_logged(daemon, "no login is begun until one of them does"))
    hang.let_go()
    daemon:wait_logged("error", "logins are begun again")
    proc.wait_for("sessions", 10, function() return stand:count("n20").sessions == 1 end,
      function() return daemon:diagnose() end)
    daemon:quiet_rounds(2)
  end)

  it("does not keep the daemon from ending #core", function()
    local daemon = with_passfile(3)
    daemon:wait_logged("error", "plusmoin itself lacks something", "passfile")
    local began = proc.mono_ms()
    daemon:stop_and_check()
    assert.is_true(proc.mono_ms() - began < 4000)
  end)

  it("judges nobody where TLS has begun: a certificate", function()
    local stand = standin.start()
    local nodes = stand:servers("n", 3, "127.22.0.1")
    local cert = proc.new_dir("cert") .. "/root.crt"
    proc.must { "mkfifo", "-m", "600", cert }
    nodes[2].connection = { sslmode = "verify-ca", sslrootcert = cert }
    stand:play("up n1: n2 n3", "n2 tls")
    local daemon = plusmoin.start { nodes = nodes, nowait = true,
      config = { query_timeout = 0.4, connect_timeout = 1 } }
    daemon:wait_logged("error", nodes[2].host, "plusmoin itself lacks something", "certificate")
    daemon:wait_place(nodes[3], "slave 0")
    assert.is_false(daemon:logged("n2", "timeout"))
    release = function() proc.must { "sh", "-c", "exec 3<> " .. cert } end
  end)
end)

describe("who else logs in", function()
  after_each(function() scene.finish(standin.stop_all) end)

  it("pm.query: a hostile server holds neither the function nor its host", function()
    local daemon, stand, nodes = with_hostile(2000000000)
    daemon:stop_and_check()
    daemon = plusmoin.start { nodes = { nodes[1], nodes[2] }, config = { password = PASSWORD }, lua = ([[
local pm = require "plusmoin"
config.triggers.plusmoin_up = { function()
  local rows, why = pm.query({ host = "%s", port = %d, user = "u", dbname = "d", password = "x" }, "SELECT 1", nil,
    { timeout = 0.5 })
  pm.log.info("rows: %%s, why: %%s", rows, why)
end, config.triggers.plusmoin_up }
]]):format(nodes[3].host, stand.port) }
    daemon:wait_logged("rows: nil", "SCRAM iterations")
    assert.is_false(daemon:logged("gives no sign"))
  end)

  it("check: it says what a server asks for, and ends", function()
    local daemon = with_hostile(2000000000)
    local began = proc.mono_ms()
    local code, out = daemon:cli("check")
    assert.equal(1, code)
    assert.truthy(out:find("SCRAM iterations", 1, true), out)
    assert.is_true(proc.mono_ms() - began < 10000)
  end)
end)
