-- triggers/pgbouncer.lua: a real PgBouncer, real servers, and clients that do not stop to write and read.
local client = require "spec.support.client"
local machine = require "spec.support.machine"
local names = require "spec.support.names"
local pg = require "spec.support.pg"
local pgbouncer = require "spec.support.pgbouncer"
local proc = require "spec.support.proc"
local proxied = require "spec.support.proxied"
local scene = require "spec.support.scene"

local FAST = "server_login_retry = 0.02\n"

local function watch(nodes, bouncer, options)
  return proxied.watch("pgbouncer", nodes, {
    console = { host = "127.0.0.1", port = bouncer.port, user = "plusmoin" }, file = bouncer.file, patience = 0.5,
    databases = { app = { options = "dbname=plusmoin" }, app_ro = { options = "dbname=plusmoin", role = "reader" } },
  }, options)
end

local function set_up(options)
  options = options or {}
  local master, slaves = proxied.cluster()
  local bouncer = pgbouncer.start { settings = FAST, pool_mode = options.pool_mode }
  local daemon = watch({ master, table.unpack(slaves) }, bouncer, options)
  local at = { master = master, slaves = slaves, bouncer = bouncer, daemon = daemon,
    writer = client.start { port = bouncer.port, dbname = "app", sql = proxied.WRITE, answer_ms = options.answer_ms },
    reader = client.start { port = bouncer.port, dbname = "app_ro", sql = proxied.READ } }
  at.writer:wait_value(master.port)
  at.reader:wait_value(slaves[1].port)
  return at
end

-- Waits until the database is at the server, and paused or not.
local function wait_database(at, name, server, paused)
  proc.wait_for(("%s at %s, %s"):format(name, server.name, paused and "paused" or "not paused"), 10, function()
    local host, is_paused = at.bouncer:database(name)
    return host == server.name and is_paused == paused
  end, function() return at.daemon:diagnose() end)
end

local function failures_since(one, ms)
  local count = 0
  for _, answer in ipairs(one:answers()) do
    count = count + ((answer.failure and answer.ms >= ms) and 1 or 0)
  end
  return count
end

describe("triggers/pgbouncer.lua", function()
  after_each(function() scene.finish(client.stop_all, pgbouncer.stop_all, names.stop_all) end)

  it("lets clients wait through a failover, and through the old master's return as a slave", function()
    local at = set_up()
    at.master:kill9()
    at.daemon:expect_events { { "master_down", at.master } }
    wait_database(at, "app", at.master, true)
    local down = proc.mono_ms()
    at.slaves[1]:promote()
    local up = at.daemon:expect_events { { "master_up", at.slaves[1] } }
    at.writer:wait_value(at.slaves[1].port)
    proxied.only(at.writer, at.slaves[1], down)
    wait_database(at, "app", at.slaves[1], false)
    wait_database(at, "app_ro", at.slaves[2], false)
    at.slaves[2]:repoint(at.slaves[1])
    at.master:rewind_as_slave_of(at.slaves[1])
    at.daemon:expect_events { { "slave_up", at.master }, seconds = 20 }
    proxied.only(at.writer, at.slaves[1], up.ms)
  end)

  it("a switchover costs clients nothing but time, and a pause of somebody else's stays", function()
    local at = set_up { answer_ms = 30000 }
    assert(at.bouncer:try("PAUSE app"))
    local began = proc.mono_ms()
    at.master:stop("fast")
    at.slaves[1]:promote()
    at.daemon:wait_event("master_up")
    wait_database(at, "app", at.slaves[1], true)
    assert(at.bouncer:try("RESUME app"))
    at.writer:wait_value(at.slaves[1].port)
    assert.equal(0, failures_since(at.writer, began), at.writer:tail())
  end)

  it("ends connections to a frozen master, accepts no write by it when it wakes up", function()
    local at = set_up { answer_ms = 10000 }
    at.master:freeze()
    at.daemon:expect_events { { "master_down", at.master } }
    at.daemon:wait_logged("app: its connections are ended")
    at.slaves[1]:promote()
    local up = at.daemon:expect_events { { "master_up", at.slaves[1] } }
    at.writer:wait_value(at.slaves[1].port)
    at.master:thaw()
    at.daemon:expect_any_order { { "cluster_created", at.master, rule = "M6" },
      { "split_brain", at.slaves[1], cluster = 0 }, { "slave_up", at.slaves[2], cluster = 1, rule = "U3" } }
    at.daemon:quiet(0.5)
    wait_database(at, "app", at.slaves[1], false)
    wait_database(at, "app_ro", at.slaves[1], false) -- the writer is alone, and reads
    proxied.only(at.writer, at.slaves[1], up.ms)
  end)

  it("ends sessions that cannot wait, in session pooling too", function()
    local at = set_up { pool_mode = "session", answer_ms = 10000 }
    at.master:freeze()
    at.daemon:expect_events { { "master_down", at.master } }
    at.slaves[1]:promote()
    local up = at.daemon:expect_events { { "master_up", at.slaves[1] } }
    at.writer:wait_value(at.slaves[1].port)
    proxied.only(at.writer, at.slaves[1], up.ms)
  end)

  it("takes readers off a frozen slave and back", function()
    local at = set_up()
    at.slaves[1]:freeze()
    at.daemon:expect_events { { "slave_down", at.slaves[1] } }
    at.reader:wait_value(at.slaves[2].port)
    at.slaves[1]:thaw()
    at.daemon:expect_events { { "slave_up", at.slaves[1] } }
    at.reader:wait_value(at.slaves[1].port)
    at.slaves[1]:kill9()
    at.slaves[2]:kill9()
    at.reader:wait_value(at.master.port) -- alone, it reads
    at.writer:wait_value(at.master.port)
  end)

  for words, addresses in pairs { ["an address"] = { "127.0.0.1" }, ["two addresses"] = { "127.0.0.1", "::1" } } do
    it("ends readers' connections to a frozen slave that is known by a name with " .. words, function()
      machine.need("named", addresses[2] and "ipv6" or nil)
      local settings = { listen_addresses = table.concat({ pg.STREAM_HOST, table.unpack(addresses) }, ",") }
      local master = pg.master { settings = settings }
      local slave = master:standby { settings = settings }
      local server = names.start { ["db.plusmoin.test"] = addresses }
      local nodes = {}
      for i, node in ipairs { master, slave } do
        nodes[i] = setmetatable({ host = "db.plusmoin.test", name = "db.plusmoin.test:" .. node.port },
          { __index = node })
      end
      local bouncer = pgbouncer.start { settings = FAST, names = server }
      local daemon = watch(nodes, bouncer, { names = server, settings = { databases = {
        app_ro = { options = "dbname=plusmoin", role = "reader", master_reads = "alone" } } } })
      local reader = client.start { port = bouncer.port, dbname = "app_ro", sql = proxied.READ, answer_ms = 60000 }
      reader:wait_value(slave.port)
      slave:freeze()
      daemon:expect_events { { "slave_down", nodes[2] } }
      daemon:wait_logged("app_ro: its connections are ended: a server is lost")
      reader:wait_value(master.port)
    end)
  end

  it("in a split leaves the writer where it is; when it goes, the only other master takes over", function()
    local at = set_up()
    at.slaves[1]:promote()
    at.daemon:expect_events { { "cluster_created", at.slaves[1], rule = "M6" }, { "split_brain", at.slaves[1] } }
    at.daemon:quiet_rounds(2)
    wait_database(at, "app", at.master, false)
    at.master:kill9()
    at.daemon:expect_events { { "master_down", at.master } }
    at.writer:wait_value(at.slaves[1].port)
    local moved = proc.mono_ms()
    at.master:start()
    at.daemon:expect_events { { "master_up", at.master, cluster = 0 } }
    at.daemon:quiet_rounds(2)
    wait_database(at, "app", at.slaves[1], false)
    proxied.only(at.writer, at.slaves[1], moved)
  end)

  it("mends a PgBouncer that was restarted, whose file is right when it comes back", function()
    local at = set_up()
    at.bouncer:kill()
    at.master:kill9()
    at.daemon:wait_logged("pgbouncer: SHOW DATABASES: ", "master_down")
    at.slaves[1]:promote()
    at.daemon:wait_event("master_up")
    at.bouncer:run()
    wait_database(at, "app", at.slaves[1], false)
    at.writer:wait_value(at.slaves[1].port)
    -- restarted while there is no master: paused again
    at.slaves[1]:kill9()
    wait_database(at, "app", at.slaves[1], true)
    at.bouncer:kill():run()
    wait_database(at, "app", at.slaves[1], true)
    at.slaves[2]:promote()
    wait_database(at, "app", at.slaves[2], false)
    at.writer:wait_value(at.slaves[2].port)
  end)

  it("goes on where it was when plusmoin is restarted in the middle", function()
    local at = set_up()
    at.master:kill9()
    at.daemon:expect_events { { "master_down", at.master } }
    wait_database(at, "app", at.master, true)
    at.daemon:kill9()
    at.slaves[1]:promote()
    at.slaves[2]:repoint(at.slaves[1])
    at.daemon:start()
    at.daemon:expect_events { { "plusmoin_up" } }
    at.writer:wait_value(at.slaves[1].port)
    wait_database(at, "app", at.slaves[1], false)
  end)

  it("run twice changes nothing the second time, and leaves a pause of somebody else's alone", function()
    local at = set_up { times = 2 }
    assert.is_false(at.daemon:logged("leads to", "[2]"), at.daemon:log())
    assert(at.bouncer:try("PAUSE app"))
    at.daemon:quiet_rounds(3)
    wait_database(at, "app", at.master, true)
    assert(at.bouncer:try("RESUME app"))
    at.writer:wait_value(at.master.port)
  end)

  it("says which nodes of a database are none of plusmoin's", function()
    local master = pg.cluster(0)
    local bouncer = pgbouncer.start { settings = FAST }
    local daemon = watch({ master }, bouncer, { settings = { databases = {
      app = { options = "dbname=plusmoin", nodes = { master.name, "nowhere:5432" } } } } })
    daemon:wait_logged("app: nowhere:5432: no node of plusmoin's")
    assert.equal(master.name, (bouncer:database("app")))
  end)

  it("keeps the file's mode, writes it at once, and says what is wrong with PgBouncer", function()
    local master = pg.cluster(0)
    local bouncer = pgbouncer.start {}
    assert(proc.uv.fs_chmod(bouncer.file, tonumber("640", 8)))
    local daemon = watch({ master }, bouncer)
    local text = proc.read_file(bouncer.file)
    assert.truthy(text:find(("\napp = host=127.0.0.1 port=%d dbname=plusmoin\n"):format(master.port), 1, true), text)
    assert.equal(tonumber("640", 8), proc.uv.fs_stat(bouncer.file).mode & tonumber("777", 8))
    assert.is_nil(proc.uv.fs_stat(bouncer.file .. ".plusmoin"))
    daemon:wait_logged("server_login_retry is 15")
    daemon:quiet_rounds(2)
    local _, count = daemon:log():gsub("server_login_retry is 15", "")
    assert.equal(1, count)
  end)

  it("says what is wrong with its settings, at the load", function()
    local wrong = {
      { "console", nil, "settings.console is missing" },
      { "console", { user = "u" }, "settings.console.host is missing; allowed: an address" },
      { "console", { host = "h", user = "u", port = 0 }, "settings.console.port is 0; allowed: an integer" },
      { "file", "databases.ini", 'settings.file is "databases.ini"; allowed: the absolute path' },
      { "databases", { ["a b"] = {} }, "settings.databases is a table; allowed: " },
      { "databases", { app = { options = "host=h" } }, 'settings.databases.app.options is "host=h"; allowed: ' },
      { "databases", { app = { rol = "writer" } }, 'unknown setting settings.databases.app.rol; did you mean "role"?' },
      { "patience", -1, "settings.patience is -1; allowed: seconds" },
    }
    local good = { console = { host = "h", user = "u" }, file = "/f", databases = { app = {} } }
    proxied.refused_settings("pgbouncer", good, wrong)
  end)
end)
