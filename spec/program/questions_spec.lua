-- What a round asks, in how many messages, and when.
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"

-- How the counts of a server have grown when the master has taken `beats` more beats.
local function growth(stand, beats, names)
  local first = {}
  for _, name in ipairs(names) do
    first[name] = stand:count(name)
  end
  proc.wait_for(beats .. " beats", 20, function() return stand:count "n1".beats >= first.n1.beats + beats end)
  local grown = {}
  for _, name in ipairs(names) do
    local now = stand:count(name)
    grown[name] = {}
    for key, value in pairs(now) do
      grown[name][key] = value - first[name][key]
    end
  end
  return grown
end

-- A round is under way at each end: one more or less.
local function is_about(expected, number)
  assert.is_true(math.abs(number - expected) <= 2, ("%d, not %d"):format(number, expected))
end

describe("a round", function()
  after_each(function() scene.finish(standin.stop_all) end)

  -- n1 with its slave n2, and a plusmoin on them that makes no fresh connections.
  local function start(config)
    local stand = standin.start()
    local nodes = stand:servers("n", 2, "127.23.0.1")
    stand:play "up n1: n2"
    local all = { heartbeat = 0.1, fresh_connect_interval = 3600 }
    for key, value in pairs(config or {}) do
      all[key] = value
    end
    local daemon = plusmoin.start { nodes = nodes, config = all }
    daemon:wait_place(nodes[2], "slave 0")
    daemon:quiet_rounds(2)
    return daemon, stand, nodes
  end

  it("asks a slave once and a master twice, in one packet each way, and prepares nothing anew", function()
    local _, stand = start()
    local grown = growth(stand, 10, { "n1", "n2" })
    is_about(2 * grown.n1.beats, grown.n1.statements)
    is_about(2 * grown.n1.beats, grown.n1.syncs)
    is_about(2 * grown.n1.beats, grown.n1.segments_in)
    is_about(grown.n1.beats, grown.n2.statements)
    is_about(grown.n1.beats, grown.n2.syncs)
    is_about(grown.n1.beats, grown.n2.segments_in)
    is_about(grown.n1.beats, grown.n2.segments_out)
    assert.are.equal(0, grown.n1.parses + grown.n2.parses + grown.n1.logins + grown.n2.logins)
  end)

  it("prepares anew what a server has forgotten, and says nothing of it", function()
    local daemon, stand = start()
    local before = stand:count "n2"
    stand:play("n1 forget", "n2 forget")
    daemon:quiet_rounds(3)
    local after = stand:count "n2"
    assert.are.equal(before.parses + 1, after.parses)
    assert.are.equal(before.logins, after.logins)
    local grown = growth(stand, 5, { "n1", "n2" })
    assert.are.equal(0, grown.n1.parses + grown.n2.parses)
  end)

  it("prepares nothing any more for a server that has lost it twice in a row, as one behind a pool does", function()
    local daemon, stand = start { heartbeat = 0.5 }
    for _ = 1, 2 do -- the second time before the statement was executed by its name once more
      local before = stand:count "n2".parses
      stand:play "n2 forget"
      proc.wait_for("a statement that is prepared anew", 10, function() return stand:count "n2".parses > before end)
    end
    daemon:quiet_rounds(1)
    local grown = growth(stand, 3, { "n1", "n2" })
    assert.are.equal(grown.n2.statements, grown.n2.parses)
    assert.are.equal(0, grown.n1.parses)
  end)

  it("asks by turns over the heartbeat: each cluster has a place of its own", function()
    local stand = standin.start()
    local nodes = stand:clusters("n", 16, 2, "127.23.1.1")
    local daemon = plusmoin.start { nodes = nodes, clusters = 16, config = { heartbeat = 1,
      fresh_connect_interval = 3600 } }
    daemon:quiet_rounds(2)
    local times, first = {}, {}
    for _, event in ipairs(daemon:events()) do
      if event.name == "plusmoin_heartbeat" then
        times[event.env.PLUSMOIN_CLUSTER_ID] = event.ms / 1000 % 1
      end
    end
    for _, time in pairs(times) do
      first[#first + 1] = time
    end
    assert.are.equal(16, #first)
    table.sort(first)
    local gap = first[1] + 1 - first[#first]
    for i = 2, #first do
      gap = math.max(gap, first[i] - first[i - 1])
    end
    assert.is_true(gap < 0.35, ("no round for %.2f s of a heartbeat of 1 s"):format(gap))
  end)
end)
