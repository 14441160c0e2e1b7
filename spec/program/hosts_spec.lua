-- What a node's host may be: a name with several addresses, a socket directory;
-- and an is_slave_statement of the user's own.
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local wire = require "spec.support.wire"

-- The same server under another host.
local function as(server, host)
  return { host = host, port = server.port, label = server.label, name = host .. ":" .. server.port }
end

describe("a host", function()
  after_each(function() scene.finish(wire.stop_all) end)

  -- TCP repeats its first packet after 1, 3, 7, 15, 31 s (since Linux 6.5 after 1, 2, 3, 4, 5, 7, 11, 19, 35 s)
  it("that was dark is found again within seconds, however long a connect may take #long", function()
    machine.need("wire")
    local network = wire.start()
    local master, slaves = pg.cluster(1, { wire = network })
    local daemon = plusmoin.start { nodes = { master, slaves[1] },
      config = { connect_timeout = 60, query_timeout = 0.3 } }
    network:cut(network.monitor, slaves[1].host, "drop")
    daemon:expect_events { { "slave_down", slaves[1], rule = "S1" } }
    daemon:quiet(20)
    network:restore()
    local restored = proc.mono_ms()
    local up = daemon:expect_events { { "slave_up", slaves[1], rule = "L4" } }
    assert.is_true(up.ms - restored < 4500, up.ms - restored)
  end)

  it("may be a name; its address that refuses is no failure (localhost is ::1 too)", function()
    local master, slaves = pg.cluster(1)
    local daemon = plusmoin.start { nodes = { as(master, "localhost"), as(slaves[1], "localhost") } }
    local status = daemon:wait_status("the slave in its place", function(s)
      return s.clusters[1] and #s.clusters[1].slaves == 1
    end)
    assert.equal("localhost:" .. master.port, status.clusters[1].slaves[1].master_name)
    master:kill9()
    daemon:expect_events { { "master_down", as(master, "localhost"), cluster = 0, rule = "M2" } }
  end)

  it("may be a socket directory", function()
    local dir = proc.new_dir("sock")
    local master = pg.master { settings = { unix_socket_directories = dir } }
    local daemon = plusmoin.start { nodes = { as(master, dir) } }
    daemon:quiet_rounds(2)
    master:kill9()
    daemon:expect_events { { "master_down", as(master, dir), cluster = 0, rule = "M2" } }
    master:start()
    daemon:expect_events { { "master_up", as(master, dir), cluster = 0, rule = "M4" } }
  end)

  it("may say its role by a statement of the user's; one that is no boolean is a failure in words", function()
    local master = pg.master()
    for _, statement in ipairs { "SELECT 1 = 2", "SELECT 0", "SELECT 0::int2;", "SELECT count(*) FROM pg_class WHERE "
      .. "relname = 'none'" } do -- the daemon of 2015 took integers, too
      local daemon = plusmoin.start { nodes = { master }, config = { is_slave_statement = statement } }
      daemon:quiet_rounds(1)
      local code, out = daemon:cli("check")
      assert.equal(0, code, out)
      daemon:stop_and_check()
    end
    local slave = plusmoin.start { nodes = { master }, nowait = true, config = { is_slave_statement = "SELECT 17" } }
    slave:wait_status("a slave", function(status) return status.clusterless[1] and status.clusterless[1].is_slave end)
    slave:stop_and_check()
    local wrong = plusmoin.start {
      nodes = { master }, nowait = true, config = { is_slave_statement = "SELECT 'slave'" },
    }
    wrong:wait_place(master, "clusterless", 5)
    proc.wait_for("the words", 5, function() return wrong:logged("a boolean or an integer", "reason=query_error") end)
  end)
end)
