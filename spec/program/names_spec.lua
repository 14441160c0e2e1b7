-- Servers that are configured by name: names that move, never resolve, have several addresses. A real name server
-- (dnsmasq), real servers. Name servers that die and names that go are in the matrix.
local machine = require "spec.support.machine"
local names = require "spec.support.names"
local network = require "spec.support.network"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local NOBODY, DROPPED = names.NOBODY, "127.0.0.4" -- packets there are dropped
local TO_DROPPED = "ip daddr " .. DROPPED .. " tcp dport %d"
local SETTINGS = { heartbeat = 0.3, retry_interval = 0.2, query_timeout = 0.6, fresh_connect_interval = 0.4,
  restart_grace = 0.5, max_sync_delay = 5, recover_sync_delay = 3 }

-- As names.fleet, with packets to DROPPED dropped where we may.
local function set_up(hosts, further)
  return names.fleet { hosts = hosts, further = further, config = SETTINGS, before = function(nodes)
    if not machine.lacks("cuts") then
      network.cut(nodes[2], { TO_DROPPED }, "drop")
    end
  end }
end

describe("servers by name", function()
  after_each(function()
    names.stop_all()
    network.restore()
    scene.finish()
  end)

  it("are found; one whose name moves to where nobody listens is down, and up when it is back", function()
    machine.need("named")
    local at = set_up()
    at.names:set { ["node2.plusmoin.test"] = { NOBODY } }
    local moved = proc.mono_ms()
    local down = at.daemon:expect_events { { "slave_down", at.slaves[1], rule = "S1", reason = "no_new_connections" } }
    assert.is_true(down.ms - moved < 4000, down.ms - moved)
    at.names:set { ["node2.plusmoin.test"] = { "127.0.0.1" } }
    at.daemon:expect_events { { "slave_up", at.slaves[1], cluster = 0, rule = "L4" } }
    at.names:set { ["node1.plusmoin.test"] = { NOBODY } }
    at.daemon:expect_events { { "master_down", at.master, cluster = 0, rule = "M2", reason = "no_new_connections" } }
    at.names:set { ["node1.plusmoin.test"] = { "127.0.0.1" } }
    at.daemon:expect_events { { "master_up", at.master, cluster = 0, rule = "M4" } }
    at.daemon:quiet_rounds(3)
  end)

  it("that never resolve are dns, and nobody else is slower", function()
    machine.need("named")
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
    machine.need("named")
    local at = set_up { ["node2.plusmoin.test"] = { DROPPED, "127.0.0.1" },
      ["node1.plusmoin.test"] = { NOBODY, "127.0.0.1" }, ["node3.plusmoin.test"] = { "127.0.0.2", NOBODY } }
    at.daemon:quiet_rounds(8)
    -- what is told is of the server, not of the address that never answered
    at.slaves[1].server:kill9()
    at.daemon:expect_events { { "slave_down", at.slaves[1], cluster = 0, rule = "S1", reason = "refused" } }
    at.slaves[1].server:start()
    at.daemon:expect_events { { "slave_up", at.slaves[1], cluster = 0, rule = "L4" } }
  end)

  -- connect_timeout is long, as by default: an address that is dark must not hide the other for half of it
  it("may have an address that is dark: to connect anew, or by the other one, is no event", function()
    machine.need("named", "cuts")
    local function cut(node, address)
      network.restore()
      network.cut(node, { "ip daddr " .. address .. " tcp dport %d", "ip saddr " .. address .. " tcp sport %d" },
        "drop")
    end
    local at = names.fleet { config = { heartbeat = 0.3, query_timeout = 1.5, connect_timeout = 20,
      fresh_connect_interval = 60, restart_grace = 20, retry_interval = 0.2 },
      hosts = { ["node2.plusmoin.test"] = { "127.0.0.1", "127.0.0.2" } },
      before = function(nodes) cut(nodes[2], "127.0.0.1") end }
    at.daemon.config.is_slave_statement = "SELECT pg_is_in_recovery() AND 1 = 1" -- all connect anew
    at.daemon:reload()
    at.daemon:quiet_rounds(4)
    local server = at.slaves[1].server -- restarts, within its grace: the open address says "refused" meanwhile
    server:stop("fast")
    local function attempts()
      local failing = at.daemon:ask({ request = "explain", node = at.slaves[1].name }).failing
      return type(failing) == "table" and failing.attempts or 0
    end
    proc.wait_for("two questions without an answer", 15, function() return attempts() >= 2 end,
      function() return at.daemon:diagnose() end)
    server:start()
    proc.wait_for("an answer", 8, function() return attempts() == 0 end, function() return at.daemon:diagnose() end)
    for _, dark in ipairs { "127.0.0.2", "127.0.0.1" } do
      cut(at.slaves[1], dark)
      at.daemon:quiet_rounds(8)
    end
  end)
end)
