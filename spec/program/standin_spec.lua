-- The stand-ins (tests/standin/) are to plusmoin what the servers are that they stand for.
local frontend = require "spec.support.frontend"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"

describe("a cluster of stand-ins", function()
  after_each(function() scene.finish(standin.stop_all) end)

  -- n1 with slaves n2 ..., and a plusmoin on them.
  local function start(count, lines, config)
    local stand = standin.start()
    local nodes, slaves = stand:servers("n", count, "127.23.0.1"), {}
    for i = 2, count do
      slaves[#slaves + 1] = "n" .. i
    end
    stand:play("up n1: " .. table.concat(slaves, " "), table.unpack(lines or {}))
    return plusmoin.start { nodes = nodes, config = config }, stand, nodes
  end

  it("fails over: a slave is promoted, another follows it, the old master comes back as a slave", function()
    local daemon, stand, nodes = start(3)
    stand:play "n1 die"
    daemon:expect_events { { "master_down", nodes[1], cluster = 0, reason = "refused" } }
    stand:play("n2 promote", "n3 follow n2")
    daemon:expect_events { { "master_up", nodes[2], cluster = 0 } }
    stand:play("n1 follow n2", "n1 serve")
    daemon:expect_events { { "slave_up", nodes[1], cluster = 0 } }
    daemon:wait_place(nodes[3], "slave 0")
    daemon:quiet_rounds(2)
  end)

  it("shows a lag: a slave that is behind for too long is down", function()
    local daemon, stand, nodes = start(2, nil, { max_sync_delay = 2, recover_sync_delay = 1 })
    stand:play "n2 lag 60"
    daemon:expect_events { { "slave_down", nodes[2], cluster = 0, reason = "lag" } }
    stand:play("n2 lag 0", "n2 follow n1")
    daemon:expect_events { { "slave_up", nodes[2], cluster = 0 } }
  end)

  it("lets in by a password, by SCRAM, and a byte at a time", function()
    local daemon, stand = start(4, { "n2 password", "n3 scram 4096", "n4 trickle 1" },
      { password = "geheim-24", query_timeout = 5, connect_timeout = 5 })
    for i = 2, 4 do
      assert.is_true(stand:count("n" .. i).logins > 0)
    end
    daemon:quiet_rounds(2)
  end)

  -- What a slave does, to the reason that its loss gives.
  for line, reason in pairs { refuse = "refused", silent = "timeout", close = "reset", reset = "reset",
    garbage = "malformed" } do
    it(line .. ": " .. reason, function()
      local daemon, stand, nodes = start(2, nil, { query_timeout = 0.3, connect_timeout = 1 })
      stand:play("n2 " .. line, "n2 disconnect")
      daemon:expect_events { { "slave_down", nodes[2], cluster = 0, reason = reason } }
      stand:play "n2 serve"
      daemon:expect_events { { "slave_up", nodes[2], cluster = 0 } }
    end)
  end

  it("does what a line says when its time has come, and says what it does not understand", function()
    local daemon, stand, nodes = start(2)
    local played = pcall(stand.play, stand, "n9 die")
    assert.is_false(played)
    assert.has_error(function() stand:play "n1 dance" end, "error: nobody knows how to dance")
    stand:play("n2 count", "+0.5 n2 die")
    daemon:expect_events { { "slave_down", nodes[2], cluster = 0 } }
  end)
end)

describe("a stand-in", function()
  after_each(function() scene.finish(standin.stop_all) end)

  it("tells when it stood still", function()
    local stand = standin.start()
    stand:play "stalls 100"
    local seconds = proc.uv.gettimeofday()
    stand.process:kill("sigstop")
    proc.watch(0.3, function() end)
    stand.process:kill("sigcont")
    local ended, ms = stand:play("stalls 100"):match("stall (%d+) (%d+)")
    assert.is_true(tonumber(ms) >= 300)
    assert.is_true(tonumber(ended) >= seconds * 1000 + 300)
  end)
end)

describe("a stand-in's protocol", function()
  local ROLE = "SELECT pg_is_in_recovery()" -- the default of is_slave_statement
  local MAKE = "CREATE TABLE IF NOT EXISTS heartbeat (cluster_id INT, master TEXT, tstamp BIGINT)"
  local THERE = "SELECT CASE WHEN pg_catalog.to_regclass('heartbeat') IS NULL THEN 'none' ELSE 'ready' END"
  local stand, client

  before_each(function()
    stand = standin.start()
    stand:servers("n", 1, "127.23.1.1")
    client = frontend.connect("127.23.1.1", stand.port)
  end)

  after_each(function()
    client:close()
    scene.finish(standin.stop_all)
  end)

  local function asked_by_name(name)
    return frontend.bind(name) .. frontend.execute()
  end

  it("has prepared statements, that are gone when they are closed or forgotten", function()
    assert.equal("1 2 [f] C Z", client:ask(frontend.parse("role", ROLE), asked_by_name "role", frontend.sync()))
    assert.equal("t T Z", client:ask(frontend.describe "role", frontend.sync()))
    assert.equal("2 [f] C Z", client:ask(asked_by_name "role", frontend.sync()))
    assert.equal("42P05 Z", client:ask(frontend.parse("role", ROLE), frontend.sync()))
    assert.equal("3 Z", client:ask(frontend.close "role", frontend.sync()))
    assert.equal("26000 Z", client:ask(asked_by_name "role", frontend.sync()))
    assert.equal("1 Z", client:ask(frontend.parse("role", ROLE), frontend.sync()))
    stand:play "n1 forget"
    assert.equal("26000 Z", client:ask(asked_by_name "role", frontend.sync()))
  end)

  it("skips what follows an error up to the Sync, and undoes what came before it", function()
    local make, there = frontend.parse("", MAKE) .. asked_by_name "", frontend.parse("", THERE) .. asked_by_name ""
    assert.equal("1 2 C 1 2 [ready] C 26000 Z", client:ask(make, there, asked_by_name "none", there, frontend.sync()))
    assert.equal("1 2 [none] C Z", client:ask(there, frontend.sync()))
    assert.equal("1 2 C Z 26000 Z 1 2 [ready] C Z",
      client:ask(make, frontend.sync(), asked_by_name "none", frontend.sync(), there, frontend.sync()))
  end)

  it("counts statements, round trips, reads, bytes and segments", function()
    local before = stand:count "n1"
    client:ask(frontend.parse("role", ROLE), asked_by_name "role", asked_by_name "role", frontend.sync())
    local now = stand:count "n1"
    for name, more in pairs { statements = 2, parses = 1, syncs = 1, reads = 1, writes = 1, segments_in = 1,
      segments_out = 1, unknown = 0 } do
      assert.equal(more, now[name] - before[name], name)
    end
    assert.is_true(now.bytes_in - before.bytes_in > #ROLE and now.bytes_out > before.bytes_out)
    assert.same(now, stand:total "n*")
  end)
end)

describe("a farm of stand-ins", function()
  after_each(function() scene.finish(standin.stop_all) end)

  it("has clusters in one line, and rows of another monitor", function()
    local stand = standin.start()
    local nodes = stand:clusters("n", 2, 3, "127.23.2.1")
    stand:play "n* row theirs-"
    local daemon = plusmoin.start { nodes = nodes }
    daemon:expect_events { { "plusmoin_up" } } -- of the other cluster
    for i, node in ipairs(nodes) do
      local cluster = (i - 1) // 3
      daemon:wait_place(node, (i % 3 == 1 and "master " or "slave ") .. cluster)
    end
    daemon:quiet_rounds(2)
  end)
end)
