-- Servers that are configured by name: names that move, vanish, have several addresses, and a name server
-- that dies. A real one (dnsmasq), real servers.
local names = require "spec.support.names"
local network = require "spec.support.network"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local NOBODY, DROPPED = "127.0.0.3", "127.0.0.4" -- no server listens there; packets there are dropped
local TO_DROPPED = "ip daddr " .. DROPPED .. " tcp dport %d"
local SETTINGS = { heartbeat = 0.3, retry_interval = 0.2, query_timeout = 0.6, fresh_connect_interval = 0.4,
  restart_grace = 0.5, max_sync_delay = 5, recover_sync_delay = 3 }

-- A server by a name: what plusmoin.new and expect_events take for a node.
local function called(name, server)
  return { host = name, port = server.port, name = name .. ":" .. server.port, server = server }
end

-- Master and two slaves, all by names, and further nodes; what the names lead to is `hosts` where it is not 127.0.0.1.
local function set_up(hosts, further)
  local master, slaves = pg.cluster(2)
  local all = { ["master.plusmoin.test"] = { "127.0.0.1" }, ["s1.plusmoin.test"] = { "127.0.0.1" },
    ["s2.plusmoin.test"] = { "127.0.0.1" } }
  for name, addresses in pairs(hosts or {}) do
    all[name] = addresses
  end
  local server = names.start(all)
  local nodes = { called("master.plusmoin.test", master), called("s1.plusmoin.test", slaves[1]),
    called("s2.plusmoin.test", slaves[2]) }
  if network.may_cut() then
    network.cut(slaves[1], { TO_DROPPED }, "drop")
  end
  local watched = table.move(nodes, 1, 3, 1, {})
  for i, name in ipairs(further or {}) do
    watched[3 + i] = called(name, master)
  end
  local daemon = plusmoin.new { nodes = watched, config = SETTINGS }
  daemon.process = proc.spawn(server:with { plusmoin.binary(), "-c", daemon.config_path, "-x", "start" },
    { output = daemon.out_path, cwd = daemon.dir, as_root = true })
  plusmoin.running[daemon] = true
  daemon:expect_events { { "plusmoin_up" }, seconds = 15 }
  daemon:wait_place(nodes[1], "master 0")
  daemon:wait_place(nodes[2], "slave 0")
  daemon:wait_place(nodes[3], "slave 0")
  daemon:quiet_rounds(1)
  return { daemon = daemon, names = server, master = nodes[1], slaves = { nodes[2], nodes[3] } }
end

local function right()
  return names.may_serve() or pending("no right to a name server and a namespace")
end

describe("servers by name", function()
  after_each(function()
    names.stop_all()
    network.restore()
    scene.finish()
  end)

  it("are found; one whose name moves to where nobody listens is down, and up when it is back", function()
    if right() ~= true then
      return
    end
    local at = set_up()
    at.names:set { ["s1.plusmoin.test"] = { NOBODY } }
    local moved = proc.mono_ms()
    local down = at.daemon:expect_events { { "slave_down", at.slaves[1], rule = "S1", reason = "no_new_connections" } }
    assert.is_true(down.ms - moved < 4000, down.ms - moved)
    at.names:set { ["s1.plusmoin.test"] = { "127.0.0.1" } }
    at.daemon:expect_events { { "slave_up", at.slaves[1], cluster = 0, rule = "L4" } }
    at.names:set { ["master.plusmoin.test"] = { NOBODY } }
    at.daemon:expect_events { { "master_down", at.master, cluster = 0, rule = "M2", reason = "no_new_connections" } }
    at.names:set { ["master.plusmoin.test"] = { "127.0.0.1" } }
    at.daemon:expect_events { { "master_up", at.master, cluster = 0, rule = "M4" } }
    at.daemon:quiet_rounds(3)
  end)

  it("may move to another address that is well: no event", function()
    if right() ~= true then
      return
    end
    local at = set_up()
    at.names:set { ["s1.plusmoin.test"] = { "127.0.0.2" }, ["master.plusmoin.test"] = { "127.0.0.2" } }
    local moved = ("0200007F:%04X 0100007F:[0-9A-F]+ 01"):format(at.slaves[1].port) -- nobody streams from it
    proc.wait_for("a session at the new address", 10, function()
      at.daemon:quiet(0.02)
      return proc.read_file("/proc/net/tcp"):find(moved)
    end)
    at.daemon:quiet_rounds(3)
  end)

  for _, way in ipairs { "freeze", "kill" } do
    it("keep their last good address when the name server's end is a " .. way, function()
      if right() ~= true then
        return
      end
      local at = set_up()
      at.names[way](at.names)
      at.daemon:quiet_rounds(8)
      at.slaves[1].server:kill9()
      local killed = proc.mono_ms()
      local down = at.daemon:expect_events { { "slave_down", at.slaves[1], cluster = 0, rule = "S1" } }
      assert.is_true(down.ms - killed < 3000, down.ms - killed)
      at.slaves[1].server:start()
      at.daemon:expect_events { { "slave_up", at.slaves[1], cluster = 0, rule = "L4" } }
      at.daemon:quiet_rounds(2)
    end)
  end

  it("keep it, too, when the name is gone", function()
    if right() ~= true then
      return
    end
    local at = set_up()
    at.names:set { ["s1.plusmoin.test"] = {} }
    at.daemon:quiet_rounds(8)
  end)

  it("that never resolve are dns, and nobody else is slower", function()
    if right() ~= true then
      return
    end
    local at = set_up({}, { "never.plusmoin.test", "a.slow.test", "b.slow.test", "c.slow.test" })
    local clusterless = at.daemon:ask({ request = "status" }).clusterless
    assert.equal(4, #clusterless)
    for _, node in ipairs(clusterless) do
      assert.equal("dns", node.reason, node.host .. ": " .. node.message)
    end
    at.slaves[1].server:kill9()
    local killed = proc.mono_ms()
    local down = at.daemon:expect_events { { "slave_down", at.slaves[1], cluster = 0, rule = "S1" } }
    assert.is_true(down.ms - killed < 2000, down.ms - killed)
    at.daemon:quiet_rounds(2)
  end)

  it("may have several addresses: one that is refused or silent does not hide the one that answers", function()
    if right() ~= true then
      return
    end
    local at = set_up { ["s1.plusmoin.test"] = { DROPPED, "127.0.0.1" },
      ["master.plusmoin.test"] = { NOBODY, "127.0.0.1" }, ["s2.plusmoin.test"] = { "127.0.0.2", NOBODY } }
    at.daemon:quiet_rounds(8)
  end)
end)
