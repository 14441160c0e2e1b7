-- Who a server is, by its own words: two masters of one origin, one server listed twice, another server at the
-- address of one that was known.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local relay = require "spec.support.relay"
local scene = require "spec.support.scene"

-- The configured nodes of a daemon under test, and one that is compared with nobody.
local function ignore(daemon, server)
  for _, node in ipairs(daemon.config.nodes) do
    if node.port == server.port then
      node.ignore_system_id = true
    end
  end
end

-- The next event is a split_brain of these two.
local function expect_split(daemon, newer, older, options)
  local event = daemon:expect_events { { "split_brain", newer, cluster = options and options.cluster,
    seconds = options and options.seconds } }
  assert.equal(older.host, event.env.PLUSMOIN_RIVAL_HOST)
  assert.equal(tostring(older.port), event.env.PLUSMOIN_RIVAL_PORT)
  assert.is_nil(event.raw:find("rival", 1, true))
  return event
end

describe("split_brain", function()
  after_each(scene.finish)

  it("fires once for a slave that is promoted beside its living master", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { heartbeat = 60 } }
    slaves[1]:promote()
    slaves[1]:end_sessions() -- worth a look: the next heartbeat is far away
    daemon:expect_events { { "cluster_created", slaves[1], cluster = 1, rule = "M6" } }
    local event = expect_split(daemon, slaves[1], master, { cluster = 1 })
    assert.equal(slaves[1].port, event.data.trigger.port)
    daemon:wait_logged("split_brain", "two masters of one origin", "on timeline 2", master.name)
    local _, out = daemon:cli("explain", slaves[1].name)
    assert.truthy(out:find("two masters of one origin: it and " .. master.name, 1, true), out)
    _, out = daemon:cli("status")
    assert.truthy(out:find("!!! SPLIT BRAIN: " .. slaves[1].name .. " and " .. master.name, 1, true), out)
    master:end_sessions()
    slaves[1]:end_sessions()
    daemon:quiet(0.5)
  end)

  it("is over when one says slave, not when it is away, and fires anew then", function()
    local daemon, master, slaves = scene.start { slaves = 1 }
    slaves[1]:promote()
    daemon:expect_events { { "cluster_created", slaves[1], cluster = 1 } }
    expect_split(daemon, slaves[1], master)
    slaves[1]:kill9()
    daemon:expect_events { { "master_down", slaves[1], cluster = 1 } }
    slaves[1]:start()
    daemon:expect_events { { "master_up", slaves[1], cluster = 1 } }
    daemon:quiet_rounds(2)
    slaves[1]:stop():rewind_as_slave_of(master)
    daemon:expect_events { { "master_down", slaves[1], cluster = 1 }, { "slave_up", slaves[1], cluster = 0 } }
    slaves[1]:promote()
    daemon:expect_events { { "cluster_created", slaves[1], cluster = 2 } }
    expect_split(daemon, slaves[1], master)
  end)

  it("is none where the old master is gone; it is when that one comes back as master", function()
    local daemon, master, slaves = scene.start { slaves = 1 }
    master:kill9()
    daemon:expect_events { { "master_down", master, cluster = 0 } }
    slaves[1]:promote()
    daemon:expect_events { { "master_up", slaves[1], cluster = 0 } }
    daemon:quiet_rounds(3)
    master:start()
    daemon:expect_events { { "cluster_created", master, cluster = 1, rule = "M6" } }
    expect_split(daemon, slaves[1], master, { cluster = 0 }) -- the newer timeline, not the later to come
    daemon:quiet_rounds(2)
  end)

  it("fires at plusmoin's start, and with a state file at the next one", function()
    local master, slaves = pg.cluster(1)
    slaves[1]:promote()
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, nowait = true,
      config = { state_file = "state.json" } }
    local all = { { "plusmoin_up", nil, cluster = 0 }, { "plusmoin_up", nil, cluster = 1 },
      { "split_brain", slaves[1], cluster = 1 } } -- the triggers of two clusters run at once
    daemon:expect_any_order(all)
    daemon:quiet_rounds(1)
    daemon:stop_and_check()
    daemon:start()
    daemon:expect_any_order(all)
  end)

  it("fires for a second master that belongs to no cluster, as its beat is refused", function()
    local master, slaves = pg.cluster(1)
    master:sql("ALTER ROLE plusmoin SET default_transaction_read_only = off")
    slaves[1]:promote()
    slaves[1]:sql("ALTER SYSTEM SET default_transaction_read_only = on")
    slaves[1]:sql("SELECT pg_reload_conf()")
    slaves[1]:sql("BEGIN READ WRITE; ALTER ROLE plusmoin RESET default_transaction_read_only; COMMIT")
    local daemon = plusmoin.start { nodes = { master, slaves[1] } }
    expect_split(daemon, slaves[1], master, { cluster = -1 })
    assert.equal("clusterless", daemon:place(slaves[1]))
    daemon:quiet_rounds(2)
  end)

  it("never fires for a node with ignore_system_id, also one that got it by a reload", function()
    local daemon, master, slaves = scene.start { slaves = 2 }
    ignore(daemon, slaves[1])
    daemon:reload()
    slaves[1]:promote()
    daemon:expect_events { { "cluster_created", slaves[1], cluster = 1 } }
    daemon:quiet_rounds(3)
    slaves[2]:promote()
    daemon:expect_events { { "cluster_created", slaves[2], cluster = 2 } }
    expect_split(daemon, slaves[2], master)
    daemon:quiet_rounds(2)
  end)

  it("is said in the log once a minute while both answer #long", function()
    local daemon, master, slaves = scene.start { slaves = 1 }
    slaves[1]:promote()
    daemon:expect_events { { "cluster_created", slaves[1], cluster = 1 } }
    expect_split(daemon, slaves[1], master)
    proc.watch(50, function() end)
    assert.is_false(daemon:logged("still two masters"))
    proc.wait_for("the reminder", 20, function() return daemon:logged("error", "still two masters", master.name) end)
    daemon:quiet_rounds(1)
  end)

  it("is a trigger in Lua that knows the rival", function()
    local master, slaves = pg.cluster(1)
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, lua = [[
      config.triggers.split_brain = function(event)
        print(("split of %s and %s, a %s of %d"):format(event.trigger.name, event.rival.name, event.rival.state,
          event.rival.cluster_id))
      end]] }
    slaves[1]:promote()
    daemon:expect_events { { "cluster_created", slaves[1], cluster = 1 } }
    daemon:wait_logged(("split of %s and %s, a master of 0"):format(slaves[1].name, master.name))
  end)

  it("takes a right, where that is gone nobody is compared, and no error is in a server's log", function()
    local master, slaves = pg.cluster(1)
    for _, words in ipairs { "FUNCTION pg_control_system()", "FUNCTION pg_current_wal_lsn()" } do
      master:sql("REVOKE EXECUTE ON " .. words .. " FROM public", "plusmoin")
    end
    local daemon = plusmoin.start { nodes = { master, slaves[1] } }
    slaves[1]:wait_streaming():promote()
    daemon:expect_events { { "cluster_created", slaves[1], cluster = 1 } }
    daemon:quiet_rounds(3)
    assert.equal("", master:complaints() .. slaves[1]:complaints())
  end)
end)

describe("a server that says that it may be asked, and refuses", function()
  after_each(scene.finish)

  it("is asked once, by whatever connection, and watched as ever", function()
    local master = pg.master()
    proc.must({ "chmod", "0", master.data .. "/global/pg_control" }) -- where the identifier is; it ends by KILL
    local daemon = plusmoin.start { nodes = { master }, config = { fresh_connect_interval = 0.3 } }
    local first = master:sessions()[1]
    proc.wait_for("a fresh connection", 10, function()
      local now = master:sessions()[1]
      return now and first and now ~= first
    end)
    daemon:quiet_rounds(3)
    local _, errors = master:log():gsub("ERROR:  could not open file \"[^\"]*global/pg_control", "")
    assert.equal(1, errors, master:log())
  end)
end)

describe("a server that is listed twice", function()
  after_each(function() scene.finish(relay.close_all) end)

  local function twice(server)
    return setmetatable({ host = "localhost", name = "localhost:" .. server.port }, { __index = server })
  end

  it("is one node: the later entry fails by same_server, and the slaves stay", function()
    local master, slaves = pg.cluster(1)
    local again = twice(master)
    local daemon = plusmoin.start { nodes = { master, slaves[1], again } }
    daemon:wait_logged("error", "reason=same_server", again.name, "the same server as " .. master.name)
    daemon:quiet_rounds(4)
    daemon:wait_place(master, "master 0", 3)
    daemon:wait_place(slaves[1], "slave 0", 3)
    daemon:wait_place(again, "clusterless", 3)
    master:restart("fast") -- whichever entry is asked first
    daemon:quiet_rounds(4)
    daemon:wait_place(again, "clusterless", 3)
    table.remove(daemon.config.nodes, 1)
    daemon:reload()
    daemon:wait_place(again, "master 1", 10)
    assert.equal("", master:complaints())
  end)

  it("and is a slave: it leaves its place when the other entry comes, and is back when that goes", function()
    local master, slaves = pg.cluster(1)
    local again = twice(slaves[1])
    local daemon = plusmoin.start { nodes = { master, again }, config = { down_after = 3 } }
    table.insert(daemon.config.nodes, 1, { host = slaves[1].host, port = slaves[1].port })
    daemon:reload()
    daemon:expect_any_order { { "slave_up", slaves[1], cluster = 0 },
      { "slave_down", again, cluster = 0, rule = "S1", reason = "same_server" } }
    daemon:quiet_rounds(2)
    table.remove(daemon.config.nodes, 1)
    daemon:reload()
    daemon:expect_events { { "slave_up", again, cluster = 0, rule = "L4" } }
  end)

  it("by an address that moves is the host, whichever is configured first", function()
    local master, slaves = pg.cluster(1)
    local moving = relay.to(master, function() return 0 end)
    local daemon = plusmoin.start { nodes = { master, moving, slaves[1] } }
    daemon:wait_logged("error", "reason=same_server", moving.name, "the same server as " .. master.name)
    moving.target = slaves[1]
    master:end_sessions()
    proc.wait_for("the address at the slave", 10, function()
      return select(2, daemon:cli("explain", moving.name)):find("the same server as " .. slaves[1].name, 1, true)
    end, function() return daemon:diagnose() end)
    daemon:quiet_rounds(3)
    daemon:wait_place(slaves[1], "slave 0", 3)
    daemon:wait_place(master, "master 0", 3)
  end)
end)

describe("another server at the address of one", function()
  after_each(scene.finish)

  it("keeps the seat as a master, and the log says so once", function()
    local daemon, master = scene.start { slaves = 0, config = { restart_grace = 20 } }
    master:stop("fast"):replace(2):start()
    daemon:wait_logged("error", "another server than before answers here", master.name)
    daemon:quiet_rounds(3)
    daemon:wait_place(master, "master 0", 3)
    local _, times = daemon:log():gsub("another server than before", "")
    assert.equal(1, times)
  end)

  it("keeps a lost node's place, which is judged by what the other one shows", function()
    local daemon, master, slaves = scene.start { slaves = 1 }
    slaves[1]:stop("immediate")
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    slaves[1]:replace(2):start()
    daemon:expect_events { { "cluster_created", slaves[1], cluster = 1, rule = "M6" } }
    daemon:wait_logged("error", "another server than before answers here", slaves[1].name)
    daemon:quiet_rounds(3)
    daemon:wait_place(master, "master 0", 3)
  end)
end)
