-- The stand-ins (tests/standin/) are to plusmoin what the servers are that they stand for.
local plusmoin = require "spec.support.plusmoin"
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
