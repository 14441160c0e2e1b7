-- pm.request: one exchange over a socket, with programs that answer and with those that do not.
local has = require "spec.support.has"
local machine = require "spec.support.machine"
local peer = require "spec.support.peer"
local proc = require "spec.support.proc"
local say = require("spec.support.said").say
local scene = require "spec.support.scene"
local uv = require "luv"

-- Answers with what it was told, in capitals, once the other half is closed.
local function shouting(path)
  return peer.serving(function(client)
    local heard = {}
    client:read_start(function(_, data)
      heard[#heard + 1] = data
      if not data then
        client:write(table.concat(heard):upper(), function() client:close() end)
      end
    end)
  end, path)
end

describe("pm.request", function()
  after_each(function() scene.finish(peer.close_all) end)

  it("sends, closes its half and returns all that comes back #core", function()
    local unix = shouting(proc.new_dir("socket") .. "/shout")
    local tcp = shouting()
    local mute = peer.serving(function(client)
      client:read_start(function(_, data)
        if not data then
          client:close()
        end
      end)
    end)
    local said = say([[
      local function ask(to, data)
        local answer, why = pm.request { to = to, data = data, timeout = 5 }
        return answer or "error: " .. why
      end
      local long = ask("127.0.0.1:" .. args.tcp, ("x"):rep(3000000))
      return ask(args.unix, "show stat\n"), ask("127.0.0.1:" .. args.tcp, "a\0b"), ask("localhost:" .. args.tcp,
        "name"),
        ask("127.0.0.1:" .. args.tcp, nil), #long, (long:gsub("X", "")), ask("127.0.0.1:" .. args.mute, "hello")
    ]], { args = { unix = unix.path, tcp = tcp.port, mute = mute.port } })
    assert.same({ "SHOW STAT\n", "A\0B", "NAME", "", 3000000, "", "" }, said)
  end)

  it("has words for all that fails in the ordinary way #core", function()
    local reset = peer.serving(function(client)
      client:read_start(function(_, data)
        if data then
          client:write("half an ans", function() client:close_reset() end)
        end
      end)
    end)
    local said = say([[
      local function ask(to, data)
        local began = pm.now()
        local answer, why = pm.request { to = to, data = data or "x", timeout = 0.5 }
        return { answer = answer or false, why = why, took = pm.now() - began }
      end
      return ask("127.0.0.1:" .. args.closed), ask("no-such-name.invalid:80"), ask("127.0.0.1:" .. args.silent),
        ask("127.0.0.1:" .. args.trickle), ask("127.0.0.1:" .. args.reset), ask("/nowhere/socket"),
        ask("/" .. ("x"):rep(200)), ask(args.dir), ask("127.0.0.1:" .. args.silent, ("x"):rep(20000000))
    ]], { args = { closed = proc.free_port(), silent = peer.silent().port,
      trickle = peer.trickling(20).port,
      reset = reset.port, dir = proc.new_dir("nosocket") } })
    local expected = { "connection refused", "no-such-name.invalid", "no answer within 0.5 s",
      "the answer did not end within 0.5 s", "connection reset", "no such file", "name too long", "connection refused",
      "within 0.5 s" }
    for i, part in ipairs(expected) do
      assert.is_false(said[i].answer)
      has(said[i].why:lower(), part)
      assert.is_true(said[i].took < 3)
    end
  end)

  it("takes no more than 16 MiB #core", function()
    local megabyte = ("m"):rep(1 << 20)
    local said = say([[
      local function ask(port)
        local answer, why = pm.request { to = "127.0.0.1:" .. port, timeout = 8 }
        return answer and #answer or why
      end
      return ask(args.enough), ask(args.more)
    ]], { args = { enough = peer.flooding(megabyte, 16).port, more = peer.flooding(megabyte, 100).port } })
    assert.equal(16 << 20, said[1])
    has(said[2], "larger than 16 MiB")
  end)

  it("of a run that is killed is gone, with its socket #core", function()
    machine.need("inspect")
    local silent, trickle = peer.silent(), peer.trickling(20)
    for _, to in ipairs { silent, trickle } do
      local said, daemon = say([[
        pm.log.info("said [] cluster=0")
        pm.request { to = "127.0.0.1:" .. args.port, data = "x", timeout = 60 }
      ]], { config = { trigger_timeout = 1 }, args = { port = to.port } })
      assert.same({}, said)
      proc.wait_for("the connection", 5, function() return #to.clients == 1 end)
      local during = proc.descriptors(daemon.process.pid, "^socket:")
      proc.wait_for("the end of the run", 10, function() return daemon:logged("timed out") end,
        function() return daemon:diagnose() end)
      proc.wait_for("its socket to close", 5, function()
        return proc.descriptors(daemon.process.pid, "^socket:") < during
      end)
      daemon:stop_and_check()
    end
  end)

  it("ends with the daemon, whatever it waits for #core", function()
    local silent = peer.silent()
    local _, daemon = say([[
      pm.log.info("said [] cluster=0")
      for i = 1, 50 do
        pm.request { to = i % 2 == 0 and "127.0.0.1:" .. args.silent or "no-such-name.invalid:80", timeout = 60 }
      end
    ]], { args = { silent = silent.port } })
    proc.wait_for("the silent one is asked", 20, function() return #silent.clients > 0 end)
    local began = uv.hrtime()
    daemon:stop_and_check()
    assert.is_true((uv.hrtime() - began) / 1e9 < 8)
  end)

  it("leaves no descriptor and asks anew each time", function()
    machine.need("inspect")
    local said, daemon = say([[
      local ok, refused = 0, 0
      for i = 1, 300 do
        local answer = pm.request { to = args.to, data = "x" }
        ok = ok + (answer == "X" and 1 or 0)
        refused = refused + (pm.request { to = "127.0.0.1:" .. args.closed } == nil and 1 or 0)
      end
      return ok, refused
    ]], { args = { to = "127.0.0.1:" .. shouting().port, closed = proc.free_port() } })
    assert.same({ 300, 300 }, said)
    daemon:quiet_rounds(2)
    local open = proc.descriptors(daemon.process.pid, "^socket:")
    assert.is_true(open < 20, open .. " sockets are open")
  end)

  it("raises on misuse, with words", function()
    local said = say [[
      local function words(spec)
        local ok, why = pcall(pm.request, spec)
        return ok and "no error" or why
      end
      return words(nil), words { data = "x" }, words { to = "socket" }, words { to = "host:0" },
        words { to = "host:65536" },
        words { to = "::1:80" }, words { to = "h:80", data = 5 }, words { to = "h:80", timeout = 0 },
        words { to = "h:80", tiemout = 1 }, words { to = 80 }, words { to = "/a\0b" }
    ]]
    local expected = { "a table expected, got nil", 'to, "/socket" or "host:port"', 'to, "/socket"', 'to, "/socket"',
      'to, "/socket"', 'to, "/socket"', "data: a string expected, got number", "timeout: seconds above 0",
      'unknown key "tiemout"; allowed: data, timeout, to', 'to, "/socket"', 'to, "/socket"' }
    for i, part in ipairs(expected) do
      has(said[i], "pm.request: ", part)
    end
    assert.equal(#expected, #said)
  end)
end)
