-- triggers/haproxy.lua: real HAProxy, real servers, and clients that do not stop to write and read.
local client = require "spec.support.client"
local haproxy = require "spec.support.haproxy"
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"
local proxied = require "spec.support.proxied"
local scene = require "spec.support.scene"


local function watch(nodes, proxy, options)
  return proxied.watch("haproxy", nodes, { socket = proxy.socket, writer = "pg_write", reader = "pg_read" }, options)
end

local function writer_of(proxy)
  return client.start { port = proxy.write_port, sql = proxied.WRITE }
end

local function reader_of(proxy, fresh)
  return client.start { port = proxy.read_port, sql = proxied.READ, fresh = fresh }
end

-- Master, two slaves, HAProxy before them and two clients.
local function set_up(options)
  options = options or {}
  local master, slaves = proxied.cluster()
  local servers = { master, table.unpack(slaves) }
  local proxy = haproxy.start(servers, options.proxy)
  local daemon = watch(servers, proxy, options)
  proxy:wait_open("s1", "s2+s3", function() return daemon:diagnose() end)
  return { master = master, slaves = slaves, servers = servers, proxy = proxy, daemon = daemon,
    writer = writer_of(proxy), reader = reader_of(proxy) }
end

describe("triggers/haproxy.lua", function()
  after_each(function() scene.finish(client.stop_all, haproxy.stop_all) end)

  it("follows a failover: master killed, slave promoted, the old master back as a slave", function()
    local at = set_up()
    at.writer:wait_value(at.master.port)
    at.master:kill9()
    at.daemon:expect_events { { "master_down", at.master } }
    at.proxy:wait_open("", "s2+s3")
    local down = proc.mono_ms()
    at.slaves[1]:promote()
    local up = at.daemon:expect_events { { "master_up", at.slaves[1] } } -- recorded after the trigger's end
    at.writer:wait_value(at.slaves[1].port)
    proxied.only(at.writer, at.slaves[1], down)
    at.slaves[2]:repoint(at.slaves[1])
    at.master:rewind_as_slave_of(at.slaves[1])
    at.daemon:expect_events { { "slave_up", at.master }, seconds = 20 }
    at.proxy:wait_open("s2", "s1+s3")
    reader_of(at.proxy, true):wait_value(at.master.port, 10, 1)
    proxied.only(at.writer, at.slaves[1], up.ms)
  end)

  it("follows a switchover without a gap between two masters", function()
    local at = set_up()
    at.writer:wait_value(at.master.port)
    at.master:stop("fast")
    at.slaves[1]:promote()
    at.daemon:wait_event("master_up")
    at.writer:wait_value(at.slaves[1].port)
    local values = {}
    for _, answer in ipairs(at.writer:answers()) do
      if answer.value and answer.value ~= values[#values] then
        values[#values + 1] = answer.value
      end
    end
    assert.same({ tostring(at.master.port), tostring(at.slaves[1].port) }, values)
  end)

  it("takes a frozen slave out of the readers, ends its sessions, and takes it back", function()
    local at = set_up()
    at.reader:wait_value(at.slaves[1].port, 10, 1)
    at.slaves[1]:freeze()
    at.daemon:expect_events { { "slave_down", at.slaves[1] } }
    at.proxy:wait_open("s1", "s3")
    at.reader:wait_value(at.slaves[2].port)
    at.slaves[1]:thaw()
    at.daemon:expect_events { { "slave_up", at.slaves[1] } }
    at.proxy:wait_open("s1", "s2+s3")
    at.slaves[1]:kill9()
    at.slaves[2]:kill9()
    at.proxy:wait_open("s1", "s1") -- the master reads while it is alone
    at.reader:wait_value(at.master.port)
  end)

  it("accepts no write by a frozen master that was replaced, when it wakes up", function()
    local at = set_up()
    local up = proxied.replace_frozen(at)
    at.proxy:wait_open("s2", "s2")
    at.daemon:quiet_rounds(2)
    assert.equal("s2", at.proxy:open("pg_write"))
    proxied.only(at.writer, at.slaves[1], up.ms)
  end)

  it("in a split leaves the writer where it is; when it goes, the only other master takes over", function()
    local at = set_up()
    at.writer:wait_value(at.master.port)
    at.slaves[1]:promote()
    at.daemon:expect_events { { "cluster_created", at.slaves[1], rule = "M6" }, { "split_brain", at.slaves[1] } }
    at.daemon:quiet_rounds(2)
    at.proxy:wait_open("s1", "s3")
    at.master:kill9()
    at.daemon:expect_events { { "master_down", at.master } }
    at.writer:wait_value(at.slaves[1].port)
    local moved = proc.mono_ms()
    at.master:start() -- it takes its old seat again, but not the writes
    at.daemon:expect_events { { "master_up", at.master, cluster = 0 } }
    at.daemon:quiet_rounds(2)
    assert.equal("s2", at.proxy:open("pg_write"))
    proxied.only(at.writer, at.slaves[1], moved)
  end)

  it("mends a HAProxy that was restarted, and says that it was away", function()
    local at = set_up()
    at.proxy:kill()
    at.daemon:wait_logged("haproxy: " .. at.proxy.socket .. ": ", "plusmoin_heartbeat")
    at.proxy:run()
    at.proxy:wait_open("s1", "s2+s3", function() return at.daemon:diagnose() end)
    at.writer:wait_value(at.master.port)
    -- in the middle of a failover
    at.proxy:kill()
    at.master:kill9()
    at.slaves[1]:promote()
    at.daemon:wait_event("master_up")
    at.proxy:run()
    at.writer:wait_value(at.slaves[1].port)
    at.proxy:wait_open("s2", at.proxy:open("pg_read"))
  end)

  it("goes on where it was when plusmoin is restarted, whatever happened meanwhile", function()
    local at = set_up()
    at.daemon:kill9()
    at.master:kill9()
    at.slaves[1]:promote()
    at.slaves[2]:repoint(at.slaves[1])
    at.daemon:start()
    at.daemon:expect_events { { "plusmoin_up" } }
    at.writer:wait_value(at.slaves[1].port)
    at.proxy:wait_open("s2", "s3")
  end)

  it("run twice changes nothing the second time", function()
    local at = set_up { times = 2 }
    at.master:kill9()
    at.daemon:expect_events { { "master_down", at.master } }
    at.slaves[1]:promote()
    at.daemon:expect_events { { "master_up", at.slaves[1] } }
    at.writer:wait_value(at.slaves[1].port)
    local _, count = at.daemon:log():gsub("haproxy: [^\n]*pg_write/s2 is open", "")
    assert.equal(1, count)
    assert.is_false(at.daemon:logged("pg_write/s2 is open", "[2]"), at.daemon:log())
  end)

  it("with two masters and no writer so far sets none, and says so", function()
    local masters = { (pg.cluster(0)), (pg.cluster(0, { family = 2 })) }
    local proxy = haproxy.start(masters)
    local daemon = watch(masters, proxy, { clusters = 2 })
    daemon:wait_logged("masters of different clusters", "pg_write: ")
    daemon:quiet_rounds(2)
    assert.equal("", proxy:open("pg_write"))
    masters[1]:kill9()
    proxy:wait_open("s2", "s2")
  end)

  it("finds nodes by name, by address and as told, and leaves strangers alone", function()
    local master, slaves = pg.cluster(2)
    master.label, slaves[1].label = "alpha", "beta"
    local hole = proc.free_port()
    local servers = { master, slaves[1], slaves[2], { host = "127.0.0.1", port = hole } }
    local names = { "alpha", "beta", "third", "stranger" }
    local proxy = haproxy.start(servers, { lines = function(server, i)
      -- alpha's address says nothing, beta's is right, third's is told
      local port = i == 1 and hole or server.port
      return ("server %s %s:%d %s"):format(i == 2 and "b" or names[i], i == 3 and "127.0.0.2" or server.host, port,
        i < 4 and "disabled" or "")
    end })
    local daemon = watch({ master, slaves[1], slaves[2] }, proxy, {
      settings = { servers = { [slaves[2].name] = "third" }, master_reads = "always" },
    })
    proxy:wait_open("alpha+stranger", "alpha+b+stranger+third", function() return daemon:diagnose() end)
    daemon:wait_logged("left alone", "stranger")
    local _, count = daemon:log():gsub("no node of plusmoin's is behind stranger", "")
    assert.equal(2, count) -- once a backend
  end)

  it("says what is wrong with HAProxy", function()
    local master = pg.cluster(0)
    local cases = {
      ["permission denied: the stats socket needs `level admin`"] = { proxy = { level = "user" } },
      ['there is no backend "pg_wriet"'] = { settings = { writer = "pg_wriet" } },
      ["no server of the backend pg_write is a node of plusmoin's"] = {
        proxy = { lines = function() return "server s1 127.0.0.2:1 disabled" end } },
    }
    for words, case in pairs(cases) do
      local proxy = haproxy.start({ master }, case.proxy)
      watch({ master }, proxy, case):wait_logged(words)
      assert.equal("", proxy:open("pg_write"))
    end
  end)

  it("says what is wrong with its settings, at the load", function()
    local wrong = {
      { "socket", nil, "settings.socket is missing; allowed: HAProxy's stats socket" },
      { "socket", "admin.sock", 'settings.socket is "admin.sock"; allowed: ' },
      { "writer", 5, "settings.writer is 5; allowed: the name of a backend" },
      { "redaer", "r", 'unknown setting "redaer"; did you mean "reader"? allowed: ' },
      { "master_reads", "no", 'settings.master_reads is "no"; allowed: "alone", "always" or "never"' },
      { "servers", { a = 1 }, "settings.servers is a table; allowed: " },
      { "timeout", 0, "settings.timeout is 0; allowed: seconds, from 0.01 to 3600" },
    }
    proxied.refused_settings("haproxy", { socket = "/s", writer = "w" }, wrong)
  end)
end)
