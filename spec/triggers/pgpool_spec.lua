-- triggers/pgpool.lua: real pgpool-II, real servers, and clients that do not stop to write and read.
local client = require "spec.support.client"
local pg = require "spec.support.pg"
local pgpool = require "spec.support.pgpool"
local proc = require "spec.support.proc"
local proxied = require "spec.support.proxied"
local scene = require "spec.support.scene"

-- Each client that fails ends a child of pgpool's; more often, pgpool does nothing but start others.
local RETRY_MS = 50

local function watch(nodes, pool, options)
  options = options or {}
  -- each heartbeat runs PCP's programs; a slave that follows no new master stays while pgpool takes its time
  options.config = { heartbeat = 1, max_sync_delay = 60 }
  return proxied.watch("pgpool", nodes,
    { host = "127.0.0.1", port = pool.pcp_port, user = "plusmoin", passfile = pool.passfile,
      timeout = 4 }, options) -- below trigger_timeout: PCP may not answer while pgpool restarts it
end

-- Master, two slaves, pgpool before them, and a client that writes and one that reads.
local function set_up(options)
  options = options or {}
  local master, slaves = proxied.cluster()
  local servers = { master, table.unpack(slaves) }
  for i, slave in ipairs(slaves) do
    proc.wait_for("the table on slave " .. i, 10, function()
      return slave:sql("SELECT count(*) FROM pg_class WHERE relname = 'written'", "plusmoin")[1][1] == "1"
    end)
  end
  local pool = pgpool.start(servers, options.pool)
  local daemon = watch(servers, pool, options)
  pool:wait_roles("s1* s2 s3", function() return daemon:diagnose() end)
  return { master = master, slaves = slaves, servers = servers, pool = pool, daemon = daemon,
    writer = client.start { port = pool.port, sql = proxied.WRITE, retry_ms = RETRY_MS },
    reader = client.start { port = pool.port, fresh = true, sql = proxied.READ,
      answer_ms = options.answer_ms, retry_ms = RETRY_MS } }
end

describe("triggers/pgpool.lua", function()
  after_each(function() scene.finish(client.stop_all, pgpool.stop_all) end)

  it("attaches a slave again that returns, and one that pgpool has detached by itself", function()
    local at = set_up()
    at.slaves[1]:kill9()
    at.daemon:expect_events { { "slave_down", at.slaves[1] } }
    at.pool:wait_roles("s1* - s3")
    at.reader:wait_value(at.slaves[2].port, 10, 1)
    at.slaves[1]:start()
    at.daemon:expect_events { { "slave_up", at.slaves[1] } }
    at.pool:wait_roles("s1* s2 s3")
    at.reader:wait_value(at.slaves[1].port, 10, 1)
    local detached_ms = -math.huge
    proc.wait_for("it to be attached again", 20, function() -- at a heartbeat, perhaps at once
      if proc.mono_ms() - detached_ms > 3000 then -- pgpool may lose the request while it ends the attach before
        at.pool:pcp("pcp_detach_node", "-n", "2")
        detached_ms = proc.mono_ms()
      end
      return at.daemon:logged(("pgpool: %s is attached"):format(at.slaves[2].name))
    end, function() return at.daemon:diagnose() end)
    at.pool:wait_roles("s1* s2 s3")
    at.writer:wait_value(at.master.port)
  end)

  it("follows a failover: master killed, slave promoted, the old master back as a slave", function()
    local at = set_up()
    at.writer:wait_value(at.master.port)
    at.master:kill9()
    at.daemon:expect_events { { "master_down", at.master } }
    local down = proc.mono_ms()
    at.pool:wait_roles("- s2 s3")
    at.slaves[1]:promote()
    at.slaves[2]:repoint(at.slaves[1])
    at.daemon:expect_events { { "master_up", at.slaves[1] } } -- recorded after the trigger's end
    at.pool:wait_roles("- s2* s3")
    at.writer:wait_value(at.slaves[1].port)
    proxied.only(at.writer, at.slaves[1], down)
    at.master:rewind_as_slave_of(at.slaves[1])
    at.daemon:wait_event("slave_up")
    at.pool:wait_roles("s1 s2* s3")
    at.reader:wait_value(at.master.port, 20, 1)
    proxied.only(at.writer, at.slaves[1], down)
  end)

  it("follows a switchover", function()
    local at = set_up()
    at.writer:wait_value(at.master.port)
    at.master:stop("fast")
    at.slaves[1]:promote()
    at.daemon:wait_event("master_up")
    at.pool:wait_roles("- s2* s3")
    local up = proc.mono_ms()
    at.writer:wait_value(at.slaves[1].port)
    proxied.only(at.writer, at.slaves[1], up)
  end)

  it("frees the readers of a frozen slave", function()
    -- A child of pgpool's that just logs in at a frozen server does so for ever, detached or not: an
    -- application that gives up soon and often uses up all of them.
    local at = set_up { answer_ms = 2500 }
    local sessions = {} -- that stay, on whichever server pgpool has chosen
    for i = 1, 4 do
      sessions[i] = client.start { port = at.pool.port, sql = proxied.READ, answer_ms = 2500, retry_ms = RETRY_MS }
    end
    proc.wait_for("sessions on a slave", 10, function()
      for _, session in ipairs(sessions) do
        local answers = session:answers()
        local last = answers[#answers]
        if not last or not last.value then
          return false
        end
      end
      return true
    end)
    at.slaves[1]:freeze()
    at.slaves[2]:freeze()
    at.daemon:wait_event("slave_down")
    at.daemon:wait_event("slave_down")
    at.pool:wait_roles("s1* - -")
    local down = proc.mono_ms()
    for _, session in ipairs { at.reader, table.unpack(sessions) } do
      session:wait_value(at.master.port, 20)
      proxied.only(session, at.master, down)
    end
    at.slaves[1]:thaw()
    at.slaves[2]:thaw()
    at.pool:wait_roles("s1* s2 s3")
    at.reader:wait_value(at.slaves[1].port, 10, 1)
    at.writer:wait_value(at.master.port)
  end)

  it("accepts no write by a frozen master that was replaced, when it wakes up", function()
    local at = set_up()
    local up = proxied.replace_frozen(at)
    at.daemon:quiet_rounds(2)
    assert.truthy(at.pool:roles():find("^%- s2%*"), at.pool:roles())
    proxied.only(at.writer, at.slaves[1], up.ms)
  end)

  it("in a split leaves the writer where it is; when it goes, the only other master takes over", function()
    local at = set_up()
    at.writer:wait_value(at.master.port)
    at.slaves[1]:promote()
    at.daemon:expect_events { { "cluster_created", at.slaves[1], rule = "M6" }, { "split_brain", at.slaves[1] } }
    at.pool:wait_roles("s1* - s3")
    at.daemon:quiet_rounds(2)
    at.pool:wait_roles("s1* - s3")
    at.master:kill9()
    at.daemon:expect_events { { "master_down", at.master } }
    at.writer:wait_value(at.slaves[1].port)
    local moved = proc.mono_ms()
    at.master:start() -- it takes its old seat again, but not the writes
    at.daemon:expect_events { { "master_up", at.master, cluster = 0 } }
    at.daemon:quiet_rounds(2)
    assert.truthy(at.pool:roles():find("^%- s2%*"), at.pool:roles())
    proxied.only(at.writer, at.slaves[1], moved)
  end)

  it("mends a pgpool that was restarted, and says that it was away", function()
    local at = set_up()
    at.pool:kill()
    at.daemon:wait_logged("pgpool: pcp_node_info: ", "plusmoin_heartbeat")
    at.master:kill9()
    at.slaves[1]:promote()
    at.daemon:wait_event("master_up")
    at.pool:run()
    at.pool:wait_roles("- s2* s3", function() return at.daemon:diagnose() end)
    at.writer:wait_value(at.slaves[1].port)
  end)

  it("goes on where it was when plusmoin is restarted, whatever happened meanwhile", function()
    local at = set_up()
    at.daemon:kill9()
    at.master:kill9()
    at.slaves[1]:promote()
    at.slaves[2]:repoint(at.slaves[1])
    at.daemon:start()
    at.pool:wait_roles("- s2* s3", function() return at.daemon:diagnose() end)
    at.writer:wait_value(at.slaves[1].port)
  end)

  it("run twice changes nothing the second time", function()
    local at = set_up { times = 2 }
    at.slaves[1]:kill9()
    at.daemon:expect_events { { "slave_down", at.slaves[1] } }
    at.pool:wait_roles("s1* - s3")
    local _, count = at.daemon:log():gsub("pgpool: [^\n]* is detached", "")
    assert.equal(1, count)
    local _, asked = at.pool:log():gsub("received degenerate backend request", "")
    assert.equal(1, asked)
  end)

  it("finds nodes by address and as told, and leaves strangers alone", function()
    local master, slaves = pg.cluster(1)
    local pool = pgpool.start { master, { host = "localhost", port = slaves[1].port },
      { host = "127.0.0.1", port = proc.free_port() } }
    local daemon = watch({ master, slaves[1] }, pool, { settings = { backends = { [slaves[1].name] = 1 } } })
    daemon:wait_logged("left alone", "backend 2 (127.0.0.1:")
    slaves[1]:kill9()
    pool:wait_roles("s1* - s3", function() return daemon:diagnose() end)
  end)

  it("says what is wrong with pgpool", function()
    local master = pg.cluster(0)
    local pool = pgpool.start { master }
    local stranger = pgpool.start { { host = "127.0.0.1", port = proc.free_port() } }
    local cases = {
      ["authentication failed for user \"nobody\""] = { settings = { user = "nobody" } },
      ["pcp_node_info: cannot start /nonexistent/pcp_node_info: "] = { settings = { bindir = "/nonexistent" } },
      ["none of its 1 backends is a node of plusmoin's"] = { pool = stranger },
    }
    for words, case in pairs(cases) do
      watch({ master }, case.pool or pool, case):wait_logged("pgpool: ", words)
    end
    assert.equal("s1*", pool:roles())
  end)

  it("says what is wrong with its settings, at the load", function()
    local wrong = {
      { "user", nil, "settings.user is missing; allowed: a user of pcp.conf" },
      { "port", 80, "settings.port is 80; allowed: an integer from 1024 to 65535" },
      { "passfile", "pcppass", 'settings.passfile is "pcppass"; allowed: the absolute path of a file' },
      { "backends", { a = "b" }, "settings.backends is a table; allowed: numbers of backends by node" },
      { "bindri", "/usr", 'unknown setting "bindri"; did you mean "bindir"? allowed: ' },
      { "timeout", 0, "settings.timeout is 0; allowed: seconds, from 0.01 to 3600" },
    }
    proxied.refused_settings("pgpool", { user = "plusmoin" }, wrong)
  end)
end)
