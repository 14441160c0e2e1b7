-- What a failed connect is called: from SQLSTATE, from errno, from libpq's own words; never from a translation.
-- A stand-in says what real servers say only in rare moments, each on a port of its own.
local machine = require "spec.support.machine"
local peer = require "spec.support.peer"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local SSL_REQUEST = "\0\0\0\8\4\210\22\47"

-- A refusal as servers send it: severity and words may be in any language, the code is one.
local function refusal(code, words, severity)
  local fields = ("S%s\0VFATAL\0C%s\0M%s\0Fpostmaster.c\0L1\0RProcessStartupPacket\0\0"):format(severity or "FATAL",
    code, words)
  return "E" .. (">I4"):pack(#fields + 4) .. fields
end

-- What a server wants to be told before it lets somebody in.
local function authentication(kind)
  return "R" .. (">I4I4"):pack(8, kind)
end

-- Takes no TLS (or says `tls` to that wish), then says `words` to what comes next, and closes.
local function server(words, tls)
  return peer.serving(function(client)
    local so_far = ""
    local function close()
      if not client:is_closing() then
        client:close()
      end
    end
    client:read_start(function(_, data)
      so_far = so_far .. (data or "")
      if not data then
        close()
      elseif so_far == SSL_REQUEST and tls ~= "" then
        client:write(tls or "N")
      elseif #so_far > #SSL_REQUEST or tls == "" then
        client:write(words, close)
      end
    end)
  end)
end

local ANSWERS = {
  { "full", refusal("53300", "извините, уже слишком много клиентов", "ВАЖНО"), "слишком много" },
  { "full", refusal("53200", "out of memory"), "out of memory" },
  { "full", "Ecould not fork new process for connection: Cannot allocate memory\n\0", "could not fork" },
  { "auth", refusal("28P01", "Connection refused"), "Connection refused" }, -- no errno's words
  { "auth", refusal("28000", "Keine Route zum Zielrechner", "FATAL") },
  { "auth", refusal("42501", "permission denied for database") },
  { "auth", authentication(3), "no password supplied" },
  { "auth", authentication(99), "authentication method 99" },
  { "no_database", refusal("3D000", "Datenbank »plusmoin« existiert nicht") },
  { "no_database", refusal("55000", "database is not currently accepting connections") },
  { "starting", refusal("57P03", "the database system is starting up") },
  { "starting", refusal("57P03", "the database system is in recovery mode") },
  { "starting", refusal("57P03", "das Datenbanksystem startet") },
  { "shutting_down", refusal("57P03", "the database system is shutting down") },
  { "query_error", refusal("XX000", "something went wrong") },
  { "malformed", refusal("08P01", "unsupported startup parameter: options") },
  { "malformed", "hello, stranger\n" },
  { "malformed", "HTTP/1.1 400 Bad Request\r\n\r\n", tls = "" }, -- to the wish for TLS
  { "malformed", refusal("28\0", "half a code") },
  { "tls", "no handshake", tls = "S" },
  { "tls", "", connection = { sslmode = "require" }, "SSL was required" },
  { "query_error", refusal("XX000", "no text: \255\254"), "no text: \u{FFFD}" },
}

describe("the class of a failed connect", function()
  after_each(function() scene.finish(peer.close_all) end)

  -- The nodes of a daemon that has heard of each of them, in their order.
  local function heard_of(nodes)
    local daemon = plusmoin.start { nodes = nodes, nowait = true }
    local found
    daemon:wait_status("all", function(status) return #status.clusterless == #nodes end)
    proc.wait_for("word of all", 10, function()
      found = daemon:ask({ request = "status" }).clusterless
      for _, node in ipairs(found) do
        if type(node.reason) ~= "string" then
          return false
        end
      end
      return #found == #nodes
    end, function() return daemon:diagnose() end)
    return found, daemon
  end

  it("is the SQLSTATE's, whatever the words are; else errno's or libpq's", function()
    local nodes = {}
    for i, answer in ipairs(ANSWERS) do
      nodes[i] = { host = "127.0.0.1", port = server(answer[2], answer.tls).port, connection = answer.connection }
    end
    for i, node in ipairs(heard_of(nodes)) do
      local answer = ANSWERS[i]
      local what = ("%q: %s: %s"):format(answer[2], node.reason, node.message)
      assert.equal(answer[1], node.reason, what)
      assert.truthy(node.message:find(answer[3] or "", 1, true), what)
      assert.is_nil(node.message:find("LOCATION", 1, true), what)
    end
  end)

  it("is one of a host's that says nothing, closes, or is not there", function()
    local closing = peer.serving(function(client) client:close() end)
    local silent = peer.silent()
    local nowhere, shut = proc.new_dir("nowhere"), proc.new_dir("shut")
    assert(proc.uv.fs_chmod(shut, 0))
    local nodes = { { "refused", "127.0.0.1", proc.free_port() }, { "reset", "127.0.0.1", closing.port },
      { "timeout", "127.0.0.1", silent.port }, { "refused", nowhere, 5432 }, { "refused", shut, 5432 } }
    for i, node in ipairs(nodes) do
      nodes[i] = { host = node[2], port = node[3], want = node[1] }
    end
    proc.release_port(nodes[1].port)
    for i, node in ipairs(heard_of(nodes)) do
      assert.equal(nodes[i].want, node.reason, ("%s:%d: %s"):format(node.host, node.port, node.message))
    end
  end)

  it("is `unreachable` where this machine's own routes lead nowhere", function()
    machine.need("wire")
    local nodes = {}
    for i = 1, 4 do
      nodes[i] = { host = "203.0.113." .. i, port = 5432 }
    end
    local daemon = plusmoin.new { nodes = nodes }
    daemon:start { names = { with = function(_, argv)
      local wrapped = { "unshare", "-n", "sh", "-ec", "ip link set lo up; ip route add prohibit 203.0.113.1;"
        .. "ip route add blackhole 203.0.113.2; ip route add unreachable 203.0.113.3; exec \"$@\"", "sh" }
      local as_user = proc.as_user(argv)
      return table.move(as_user, 1, #as_user, #wrapped + 1, wrapped)
    end } }
    for i, words in ipairs { "Permission denied", "Invalid argument", "No route to host", "Network is unreachable" } do
      daemon:wait_logged("203.0.113." .. i, words, "reason=unreachable")
    end
  end)
end)

describe("a configured node that has never answered", function()
  after_each(function() scene.finish(peer.close_all) end)

  -- Lines of the log with both words.
  local function lines_with(daemon, one, another)
    local count = 0
    for line in daemon:log():gmatch("[^\n]+") do
      count = count + (line:find(one, 1, true) and line:find(another, 1, true) and 1 or 0)
    end
    return count
  end

  it("says so once at the default level, and why anew when the reason changes, and that it answers", function()
    local master = pg.master()
    local standby = master:standby({ stopped = true })
    local says_more, attempts = false, 0
    local odd = peer.serving(function(client)
      attempts = attempts + 1
      if says_more then
        peer.say_and_close(client, "HTTP/1.1 400 Bad Request\r\n\r\n")
      else
        client:close()
      end
    end)
    local odd_name = "127.0.0.1:" .. odd.port
    local daemon = plusmoin.start { nodes = { master, standby, { host = "127.0.0.1", port = odd.port } },
      config = { log_level = "error", query_timeout = 2 } }
    daemon:wait_logged("error", standby.name, "no answer", "reason=refused")
    daemon:wait_logged("error", odd_name, "no answer", "reason=reset")
    says_more = true
    daemon:wait_logged("error", odd_name, "no answer", "reason=malformed")
    says_more = false
    local before = attempts
    proc.wait_for("more attempts", 10, function() return attempts > before + 4 end,
      function() return daemon:diagnose() end)
    assert.equal(1, lines_with(daemon, standby.name, "no answer"), daemon:log())
    assert.equal(2, lines_with(daemon, odd_name, "no answer"), daemon:log())
    standby:start()
    daemon:expect_events { { "slave_up", standby } }
    daemon:wait_logged("error", standby.name, "answers")
    -- as ever from now on: its loss is told as such
    standby:kill9()
    daemon:expect_events { { "slave_down", standby, reason = "refused" } }
    assert.equal(1, lines_with(daemon, standby.name, "no answer"), daemon:log())
  end)
end)
