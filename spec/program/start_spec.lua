-- Start: what is found, by whom, how soon, and what is said about it.
local cjson = require "cjson"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local relay = require "spec.support.relay"
local scene = require "spec.support.scene"

local uv = proc.uv

local function ports(nodes)
  local list = {}
  for i, node in ipairs(nodes) do
    list[i] = node.port
  end
  return list
end

-- The names of a JSON text's keys, in order.
local function keys(text)
  local list = {}
  for key in text:gmatch('"([%w_]+)"%s*:') do
    list[#list + 1] = key
  end
  return list
end

-- A listener whose queue is full: who connects gets no answer, not even a refusal.
local function black_hole()
  local hole = { host = "127.0.0.1", port = proc.free_port() }
  hole.name = hole.host .. ":" .. hole.port
  hole.listener = uv.new_tcp()
  assert(hole.listener:bind(hole.host, hole.port))
  assert(hole.listener:listen(1, function() end))
  hole.fill = {}
  for i = 1, 6 do
    hole.fill[i] = uv.new_tcp()
    hole.fill[i]:connect(hole.host, hole.port, function() end)
  end
  function hole:close()
    for _, socket in ipairs(self.fill) do
      socket:close()
    end
    self.listener:close()
  end
  proc.pump(50)
  return hole
end

describe("start", function()
  local hole

  after_each(function()
    if hole then
      hole:close()
      hole = nil
    end
    scene.finish(relay.close_all)
  end)

  it("a master that is asked again just when clusters are founded founds his without an event", function()
    local nodes = {}
    for family = 1, 3 do
      local master, slaves = pg.cluster(1, { family = family })
      for _, server in ipairs { master, slaves[1] } do
        nodes[#nodes + 1] = relay.to(server, function() return 15 * family end)
      end
    end
    local frozen = pg.master { family = 4 }
    frozen:freeze() -- the others are asked again until it has failed
    nodes[#nodes + 1] = frozen
    local daemon = plusmoin.start { nodes = nodes, clusters = 3,
      config = { heartbeat = 0.3, retry_interval = 0.05, query_timeout = 0.8 } }
    for i = 1, 3 do
      daemon:wait_place(nodes[2 * i - 1], "master " .. i - 1)
      daemon:wait_place(nodes[2 * i], "slave " .. i - 1)
    end
    daemon:quiet_rounds(2)
  end)

  it("finds the slaves of a master #core", function()
    local daemon, master, slaves = scene.start { nowait = true }
    local up = daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    assert.is_true(up.ms - daemon.started_ms < 10000)
    assert.equal(0, up.data.cluster_id)
    assert.equal(cjson.null, up.data.trigger)
    assert.same({ host = "127.0.0.1", port = master.port, cluster_id = 0, is_slave = false, master_name = "" },
      up.data.master)
    assert.same({ host = "127.0.0.1", port = slaves[1].port, cluster_id = 0, is_slave = true,
      master_name = master.name }, up.data.slaves[1])
    assert.same({ slaves[1].port, slaves[2].port }, ports(up.data.slaves))
    assert.same({}, up.data.lost)
    assert.same({}, up.data.clusterless)
    local node = { "host", "port", "cluster_id", "is_slave", "master_name" }
    local expected = { "cluster_id", "trigger", "master" }
    table.move(node, 1, 5, 4, expected)
    expected[9] = "slaves"
    table.move(node, 1, 5, 10, expected)
    table.move(node, 1, 5, 15, expected)
    expected[20], expected[21] = "lost", "clusterless"
    assert.same(expected, keys(up.raw))
    assert.truthy(up.raw:find('"lost"%s*:%s*%[%s*%]'))
    assert.truthy(up.env.PLUSMOIN_EVENT_ID:find("^%d+%-%d+$"))
    assert.equal("127.0.0.1", up.env.PLUSMOIN_MASTER_HOST)
    assert.equal(tostring(master.port), up.env.PLUSMOIN_MASTER_PORT)
    for _, name in ipairs { "RULE", "NODE_HOST", "NODE_PORT", "NODE_REASON" } do
      assert.is_nil(up.env["PLUSMOIN_" .. name])
    end
    daemon:quiet_rounds(2)
  end)

  it("writes the status file: the seed's keys in the seed's order", function()
    local daemon, master, slaves = scene.start()
    daemon:wait_place(slaves[2], "slave 0")
    local status, text = daemon:status_file()
    assert.equal(0, status.clusters[1].cluster_id)
    assert.is_true(status.clusters[1].has_master)
    assert.equal(master.port, status.clusters[1].master.port)
    assert.same({ slaves[1].port, slaves[2].port }, ports(status.clusters[1].slaves))
    local found = keys(text)
    assert.same({ "clusters", "cluster_id", "has_master", "master", "host", "port", "cluster_id", "is_slave",
      "master_name", "slaves" }, table.move(found, 1, 10, 1, {}))
    assert.equal("lost", found[21])
    assert.equal("clusterless", found[22])
    assert.equal(22, #found)
    local stat = uv.fs_stat(daemon.config.status_file)
    assert.equal(tonumber("644", 8), stat.mode & tonumber("777", 8))
  end)

  it("fires plusmoin_heartbeat after every round, with no node", function()
    local daemon = scene.start { slaves = 1, config = { heartbeat = 0.3 } }
    local first = daemon:wait_event("plusmoin_heartbeat")
    assert.equal(cjson.null, first.data.trigger)
    assert.is_nil(first.env.PLUSMOIN_RULE)
    daemon:quiet_rounds(5)
  end)

  it("takes a node that was down at start when it comes", function()
    local master, slaves = pg.cluster(1)
    local late = master:standby { stopped = true }
    local daemon = plusmoin.start { nodes = { master, slaves[1], late }, nowait = true }
    local up = daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    assert.same({ slaves[1].port }, ports(up.data.slaves))
    assert.same({ late.port }, ports(up.data.clusterless))
    assert.same({ host = "127.0.0.1", port = late.port, cluster_id = -1, is_slave = false, master_name = "" },
      up.data.clusterless[1])
    late:start()
    local event = daemon:expect_events { { "slave_up", late, cluster = 0, rule = "U3" } }
    assert.equal(late.port, event.data.trigger.port)
    assert.equal(master.name, event.data.trigger.master_name)
    daemon:quiet_rounds(2)
  end)

  it("is not held up by a black hole", function()
    local master, slaves = pg.cluster(1)
    hole = black_hole()
    local daemon = plusmoin.start { nodes = { hole, master, slaves[1] }, nowait = true, config = { heartbeat = 1 } }
    local up = daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    assert.is_true(up.ms - daemon.started_ms < 4000)
    assert.same({ slaves[1].port }, ports(up.data.slaves))
    assert.same({ hole.port }, ports(up.data.clusterless))
    daemon:quiet_rounds(4)
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
  end)

  it("founds a cluster for a master that comes later", function()
    local master = pg.master { stopped = true }
    local slave = master:standby { stopped = true }
    local daemon = plusmoin.start { nodes = { slave, master }, nowait = true }
    daemon:wait_status("both clusterless", function(status)
      return #status.clusters == 0 and #status.clusterless == 2
    end)
    daemon:quiet(0.5)
    master:start()
    daemon:expect_events { { "cluster_created", master, cluster = 0, rule = "U2" } }
    slave:start()
    daemon:expect_events { { "slave_up", slave, cluster = 0, rule = "U3" } }
    daemon:quiet_rounds(2)
  end)

  it("watches two clusters at once", function()
    local master_a, slaves_a = pg.cluster(1)
    local master_b, slaves_b = pg.cluster(1, { family = 2 })
    local daemon = plusmoin.start { nodes = { slaves_b[1], master_a, slaves_a[1], master_b }, nowait = true }
    daemon:expect_any_order { { "plusmoin_up", cluster = 0 }, { "plusmoin_up", cluster = 1 } }
    daemon:wait_place(master_a, "master 0")
    daemon:wait_place(slaves_a[1], "slave 0")
    daemon:wait_place(master_b, "master 1")
    daemon:wait_place(slaves_b[1], "slave 1")
    slaves_b[1]:kill9()
    daemon:expect_events { { "slave_down", slaves_b[1], cluster = 1, rule = "S1" } }
    master_a:kill9()
    daemon:expect_events { { "master_down", master_a, cluster = 0, rule = "M2" } }
    daemon:quiet_rounds(2)
  end)

  it("finds the same after its own restart, and says so once", function()
    local daemon, master, slaves = scene.start()
    daemon:stop_and_check()
    local events = #daemon:events()
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    assert.is_true(#daemon:events() > events)
    daemon:wait_place(master, "master 0")
    daemon:wait_place(slaves[2], "slave 0")
    daemon:quiet_rounds(2)
  end)

  it("that waited for a slave is followed by rounds that write beats", function()
    local master = pg.master()
    local first = plusmoin.start { nodes = { master } }
    first:quiet_rounds(1)
    local slave = master:standby()
    first:stop_and_check()
    slave:pause_replay()
    local daemon = plusmoin.start { nodes = { master, slave }, config = { heartbeat = 1, max_sync_delay = 2.5,
      recover_sync_delay = 2 } }
    local function newest()
      return tonumber(master:sql("SELECT max(tstamp) FROM heartbeat", "plusmoin")[1][1])
    end
    local before = newest()
    proc.wait_for("a round's beat", 10, function() return newest() > before end)
    slave:resume_replay()
    daemon:wait_event("slave_up")
  end)

  it("finds a master that comes while another's first beat meets a lock", function()
    local locked, other = pg.master(), pg.master { family = 2 }
    locked:sql("SET ROLE plusmoin; CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT);"
      .. "ALTER TABLE heartbeat REPLICA IDENTITY FULL", "plusmoin")
    proc.spawn({ "psql", "-Xq", "-h", locked.host, "-p", tostring(locked.port), "-U", "postgres", "-d", "plusmoin",
      "-c", "BEGIN; LOCK TABLE heartbeat IN SHARE MODE; SELECT pg_sleep(600)" }, { output = "/dev/null" })
    proc.wait_for("the lock", 5, function()
      return #locked:sql("SELECT pid FROM pg_locks WHERE mode = 'ShareLock' AND granted", "plusmoin") > 0
    end)
    other:stop("fast")
    local daemon = plusmoin.start { nodes = { locked, other }, nowait = true, config = { heartbeat = 5,
      query_timeout = 5, connect_timeout = 5, retry_interval = 0.5 } }
    daemon:wait_status("both", function(status) return #status.clusterless == 2 end)
    daemon:quiet(1)
    other:start()
    daemon:expect_events { { "cluster_created", other, cluster = 0, rule = "U2" }, seconds = 6 }
  end)

  it("founds with plusmoin_up for a master that answers late, but its first question in time", function()
    local quick, late = pg.master(), pg.master { family = 2 }
    late:freeze() -- its TCP answers, its login goes on: first answers are waited for 3 s
    local daemon = plusmoin.start { nodes = { quick, late }, nowait = true, config = { query_timeout = 20,
      connect_timeout = 20 } }
    local up = daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    assert.is_true(up.ms - daemon.started_ms > 2500, up.ms - daemon.started_ms)
    assert.same({ late.port }, ports(up.data.clusterless))
    late:thaw()
    up = daemon:expect_events { { "plusmoin_up", cluster = 1 } }
    assert.equal(cjson.null, up.data.trigger)
    assert.equal(late.port, up.data.master.port)
    daemon:quiet_rounds(2)
  end)

  it("lets nobody wait for a standby that is behind: it is lost without an event until it catches up", function()
    local master, slaves = pg.cluster(2)
    local first = plusmoin.start { nodes = { master, slaves[1], slaves[2] } }
    first:quiet_rounds(1)
    first:stop_and_check()
    slaves[2]:pause_replay()
    local daemon = plusmoin.start { nodes = { master, slaves[1], slaves[2] }, nowait = true,
      config = { max_sync_delay = 60, recover_sync_delay = 60 } }
    local up = daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    assert.same({ slaves[1].port }, ports(up.data.slaves))
    assert.same({ slaves[2].port }, ports(up.data.lost))
    slaves[2]:resume_replay()
    daemon:expect_events { { "slave_up", slaves[2], cluster = 0, rule = "L4" } }
    daemon:quiet_rounds(2)
  end)
end)
