-- pm.http: requests to servers that answer and to those that do not, with TLS and without.
local has = require "spec.support.has"
local machine = require "spec.support.machine"
local peer = require "spec.support.peer"
local proc = require "spec.support.proc"
local say = require("spec.support.said").say
local scene = require "spec.support.scene"

-- Says to each request what `answer` makes of its text (whole, by Content-Length), and closes.
local function server(answer)
  return peer.serving(function(client)
    local heard = ""
    client:read_start(function(_, data)
      heard = heard .. (data or "")
      local head, body = heard:match("^(.-\r\n\r\n)(.*)$")
      local length = tonumber(head and head:lower():match("\r\ncontent%-length: (%d+)")) or 0
      if data and head and #body >= length then
        peer.say_and_close(client, answer(heard))
      end
    end)
  end)
end

local function ok_with(body, headers)
  return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s"):format(#body, headers or "", body)
end

local tls_servers = {}

-- A CA, and a server certificate of its for `name`; openssl's own server on a port with it.
local function tls_server(name)
  local dir, port = proc.new_dir("tls"), proc.free_port()
  local function openssl(...)
    proc.must({ "openssl", ... }, { cwd = dir })
  end
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj",
    "/CN=an own CA")
  openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "req.pem", "-subj", "/CN=" .. name)
  proc.write_file(dir .. "/ext", "subjectAltName=DNS:" .. name .. "\n")
  openssl("x509", "-req", "-in", "req.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
    "-out", "cert.pem", "-extfile", "ext")
  proc.release_port(port)
  local process = proc.spawn({ "openssl", "s_server", "-accept", "127.0.0.1:" .. port, "-cert", "cert.pem", "-key",
    "key.pem", "-www", "-quiet" }, { cwd = dir, output = dir .. "/log" })
  proc.wait_for("openssl's server", 10, function()
    local socket = proc.uv.new_tcp()
    local connected, ended
    socket:connect("127.0.0.1", port, function(failed) connected, ended = not failed, true end)
    proc.wait_for("a connect", 5, function() return ended end)
    proc.close(socket)
    return connected
  end)
  tls_servers[#tls_servers + 1] = process
  return { port = port, ca = dir .. "/ca.pem" }
end

local function end_tls_servers()
  for _, process in ipairs(tls_servers) do
    process:kill("sigkill")
    process:wait()
  end
  tls_servers = {}
end

-- What a trigger's pm.http calls return: each a table `spec` of Lua text; {answer =, why =, took =} each.
local function ask(specs, options)
  return say(([[
    local results = {}
    for i, spec in ipairs { %s } do
      local began = pm.now()
      local answer, why = pm.http(spec)
      if answer and args.brief then -- a log line of a trigger has 8 KiB at most
        answer.body = nil
      end
      results[i] = { answer = answer or false, why = why, took = pm.now() - began }
    end
    return table.unpack(results)
  ]]):format(table.concat(specs, ", ")), options)
end

describe("pm.http", function()
  after_each(function() scene.finish(peer.close_all, end_tls_servers) end)

  it("sends method, headers and body, and returns status, headers and body #core", function()
    local echo = server(function(heard)
      return ok_with(heard, "X-One: a\r\nX-One:  b \r\nContent-Type: text/plain\r\n")
    end)
    local mute = server(function() return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" end)
    local said = ask({
      '{ url = "http://127.0.0.1:" .. args.echo .. "/a?b=c", timeout = 5 }',
      [[{ url = "http://127.0.0.1:" .. args.echo .. "/", body = "x=\0y",
        headers = { ["X-Key"] = "k", Empty = "", N = 5 } }]],
      '{ url = "http://127.0.0.1:" .. args.echo .. "/", method = "put", body = "b" }',
      '{ url = "HTTP://localhost:" .. args.mute .. "/", method = "POST" }',
      '{ url = "http://127.0.0.1:" .. args.mute .. "/", method = "HEAD" }',
    }, { args = { echo = echo.port, mute = mute.port } })
    assert.equal(200, said[1].answer.status)
    has(said[1].answer.body, "GET /a?b=c HTTP/1.1\r\n", "User-Agent: plusmoin/")
    assert.same({ ["x-one"] = "a, b", ["content-type"] = "text/plain",
      ["content-length"] = tostring(#said[1].answer.body) }, said[1].answer.headers)
    has(said[2].answer.body, "POST / HTTP/1.1\r\n", "X-Key: k\r\n", "Empty:\r\n", "N: 5\r\n", "Content-Length: 4",
      "x=\0y")
    assert.is_nil(said[2].answer.body:find("Expect", 1, true))
    has(said[3].answer.body, "PUT / HTTP/1.1\r\n", "\r\n\r\nb")
    assert.same({ 404, "" }, { said[4].answer.status, said[4].answer.body })
    assert.equal(404, said[5].answer.status)
  end)

  it("follows as many redirects as it is told", function()
    local there = server(function() return ok_with("there") end)
    local here = server(function()
      return ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n")
        :format(there.port)
    end)
    local away = server(function()
      return "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"
    end)
    local said = ask({ '{ url = "http://127.0.0.1:" .. args.here }',
      '{ url = "http://127.0.0.1:" .. args.here, redirects = 1 }',
      '{ url = "http://127.0.0.1:" .. args.away, redirects = 5 }',
    }, { args = { here = here.port, away = away.port } })
    assert.equal(302, said[1].answer.status)
    assert.same({ "there", nil }, { said[2].answer.body, said[2].answer.headers["x-hop"] })
    has(said[3].why, "file")
  end)

  it("verifies certificate and name unless it is told otherwise #core", function()
    local tls, other = tls_server("localhost"), tls_server("elsewhere.example")
    local said = ask({
      '{ url = "https://localhost:" .. args.port .. "/", cafile = args.ca, timeout = 5 }',
      '{ url = "https://localhost:" .. args.port .. "/", timeout = 5 }',
      '{ url = "https://127.0.0.1:" .. args.port .. "/", cafile = args.ca, timeout = 5 }',
      '{ url = "https://localhost:" .. args.other .. "/", cafile = args.other_ca, timeout = 5 }',
      '{ url = "https://localhost:" .. args.other .. "/", verify = false, timeout = 5 }',
      '{ url = "https://localhost:" .. args.port .. "/", cafile = "/nowhere.pem", timeout = 5 }',
      '{ url = "http://localhost:" .. args.port .. "/", timeout = 5 }',
    }, { args = { port = tls.port, ca = tls.ca, other = other.port, other_ca = other.ca, brief = 1 } })
    assert.equal(200, said[1].answer.status, said[1].why)
    has(said[2].why, "certificate")
    has(said[3].why, "127.0.0.1")
    has(said[4].why, "localhost")
    assert.equal(200, said[5].answer.status)
    has(said[6].why, "/nowhere.pem")
    assert.is_false(said[7].answer)
  end)

  it("has words for all that fails in the ordinary way #core", function()
    local half = peer.saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true)
    local no_http = peer.saying("hello\r\n", true)
    local said = ask({
      '{ url = "http://127.0.0.1:" .. args.closed, timeout = 0.5 }',
      '{ url = "http://no-such-name.invalid", timeout = 0.5 }',
      '{ url = "http://127.0.0.1:" .. args.silent, timeout = 0.5 }',
      '{ url = "http://127.0.0.1:" .. args.trickle, timeout = 0.5 }',
      '{ url = "http://127.0.0.1:" .. args.half, timeout = 5 }',
      '{ url = "http://127.0.0.1:" .. args.no_http, timeout = 5 }',
      '{ url = "http://[::1", timeout = 5 }',
    }, { args = { closed = proc.free_port(), silent = peer.silent().port, half = half.port,
      trickle = peer.trickling(20).port, no_http = no_http.port } })
    local expected = { "connect", "no-such-name.invalid", "timed out", "", "", "", "" }
    for i, part in ipairs(expected) do
      assert.is_false(said[i].answer)
      has(said[i].why, part)
      assert.is_true(said[i].took < 3)
    end
    has(said[1].why, "http://127.0.0.1:")
  end)

  it("takes no more than 16 MiB #core", function()
    local megabyte = ("m"):rep(1 << 20)
    local flood = peer.flooding(megabyte, 100, "HTTP/1.1 200 OK\r\n\r\n")
    local honest = peer.saying("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nx")
    local heads = peer.flooding(("X-%s: y\r\n"):format(("h"):rep(60000)), 100, "HTTP/1.1 200 OK\r\n")
    local said = ask({ '{ url = "http://127.0.0.1:" .. args.flood }', '{ url = "http://127.0.0.1:" .. args.honest }',
      '{ url = "http://127.0.0.1:" .. args.heads }',
    }, { args = { flood = flood.port, honest = honest.port, heads = heads.port } })
    has(said[1].why, "larger than 16 MiB")
    has(said[2].why, "larger than 16 MiB")
    assert.is_false(said[3].answer)
  end)

  it("of a run that is killed is gone, and a daemon ends whatever it waits for #core", function()
    local silent = peer.silent()
    local _, daemon = say([[
      pm.log.info("said [] cluster=0")
      pm.http { url = "http://127.0.0.1:" .. args.port, timeout = 60 }
    ]], { config = { trigger_timeout = 1 }, args = { port = silent.port } })
    proc.wait_for("the end of the run", 10, function() return daemon:logged("timed out") end,
      function() return daemon:diagnose() end)
    proc.wait_for("its end at the other side", 5, function() return silent.ended == 1 end)
    daemon:stop_and_check()
    local _, other = say([[
      pm.log.info("said [] cluster=0")
      pm.http { url = "http://127.0.0.1:" .. args.port, timeout = 60 }
    ]], { args = { port = silent.port } })
    proc.wait_for("the connection", 5, function() return #silent.clients == 2 end)
    other:stop_and_check()
  end)

  it("leaves no descriptor #core", function()
    machine.need("inspect")
    local said, daemon = say([[
      local ok = 0
      for i = 1, 200 do
        local answer = pm.http { url = "http://127.0.0.1:" .. args.port, body = "b" }
        pm.http { url = "http://127.0.0.1:" .. args.closed }
        ok = ok + (answer and answer.body == "fine" and 1 or 0)
      end
      return ok
    ]], { args = { port = server(function() return ok_with("fine") end).port, closed = proc.free_port() } })
    assert.same({ 200 }, said)
    local open = proc.descriptors(daemon.process.pid, "^socket:")
    assert.is_true(open < 20, open .. " sockets are open")
  end)

  it("raises on misuse, with words", function()
    local said = say [[
      local function words(spec)
        local ok, why = pcall(pm.http, spec)
        return ok and "no error" or why
      end
      local u = "http://h/"
      return words(nil), words {}, words { url = "ftp://h" }, words { url = "http://h/a b" },
        words { url = "http://h\n" }, words { url = u, method = "GET /" },
        words { url = u, headers = { ["a b"] = "c" } },
        words { url = u, headers = { a = "b\r\nc: d" } }, words { url = u, body = {} }, words { url = u, timeout = 0 },
        words { url = u, verify = 1 }, words { url = u, redirects = 51 }, words { url = u, bdoy = "" }
    ]]
    local expected = { "a table expected, got nil", "url: http://... or https://...", "url: http://", "url: http://",
      "url: a string without control", "method: a word", "headers: the name of a header expected, got a b",
      'headers["a"]: a string without control', "body: a string expected", "timeout: seconds above 0",
      "verify: true or false", "redirects: an integer from 0 to 50", 'unknown key "bdoy"; allowed: body, cafile' }
    for i, part in ipairs(expected) do
      has(said[i], "pm.http: ", part)
    end
    assert.equal(#expected, #said)
  end)
end)
