-- Silences: of a node's events, of a cluster's, of all no trigger runs for a while, and everybody can see that.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local web = require "spec.support.web"
local json = require "cjson"

local uv = proc.uv
local WORDS = "silenced by " .. proc.user .. " until %d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d UTC"

-- A master, two slaves ("one" and "two") and a plusmoin; `config`: further settings, `triggers`: in place of the
-- recorder.
local function begin(config, triggers)
  local master, slaves = pg.cluster(2)
  slaves[1].label, slaves[2].label = "one", "two"
  local daemon = plusmoin.start { nodes = { master, slaves[1], slaves[2] }, config = config, triggers = triggers }
  return daemon, master, slaves
end

-- The verb, which does it.
local function silence(daemon, ...)
  local code, out, err = daemon:cli("silence", ...)
  assert.equal(0, code, out .. err)
  assert.equal("", err)
  return out
end

local function list(daemon)
  return daemon:ask({ request = "silences" }).silences
end

-- The newest event of that name, and of the server if one is given, once there is one behind `since` (an id).
local function wait_kept(daemon, name, server, since)
  return proc.wait_for("the event " .. name, 10, function()
    local events = daemon:ask({ request = "events", since = since }).events
    for i = #events, 1, -1 do
      if events[i].name == name and (not server or events[i].node == (server.label or server.name)) then
        return events[i]
      end
    end
  end, function() return daemon:diagnose() end)
end

-- What came of its triggers: "TRIGGER: OUTCOME", one after the other.
local function outcomes(daemon, event)
  local lines = {}
  for i, run in ipairs(daemon:ask({ request = "explain", event = event.id }).event.triggers) do
    lines[i] = run.trigger .. ": " .. run.outcome
  end
  return table.concat(lines, "\n")
end

describe("a silence", function()
  after_each(function() scene.finish(web.close_all) end)

  it("of a node keeps its triggers from running until it is ended, and shows everywhere #core", function()
    local place = web.place()
    local daemon, _, slaves = begin { http = { listen = place } }
    local out = silence(daemon, "one", "1h30m", "upgrade", "of\nthe disk")
    assert.has_match("^no trigger runs for node one %(127%.0%.0%.1:%d+%) until .* %(in 1 h 30 min%)\n$", out)
    daemon:wait_logged("error", "triggers of events of node " .. slaves[1].name .. " do not run: silenced by "
      .. proc.user, "(upgrade of the disk)")
    slaves[1]:kill9()
    local event = wait_kept(daemon, "slave_down", slaves[1])
    assert.has_match("^" .. WORDS .. " %(upgrade of the disk%)$", event.silenced)
    assert.has_match("^triggers%.slave_down: " .. WORDS .. " %(upgrade of the disk%)$", outcomes(daemon, event))
    daemon:wait_logged("info", "triggers not run: silenced by", "id=" .. event.id)
    local shown = json.decode(web.get(place, "/nodes/" .. slaves[1].name).body).events[1]
    assert.equal(event.silenced, shown.event.silenced)
    assert.equal(event.silenced, shown.triggers[1].outcome)
    assert.has_match("\nplusmoin_silences 1\n.*\nplusmoin_trigger_silenced_total 1\n",
      (proc.must { "curl", "-sS", "http://" .. place .. "/metrics" }))
    local _, text = daemon:cli("explain", event.id)
    assert.has_match("triggers:\n  triggers%.slave_down: " .. WORDS, text)
    _, text = daemon:cli("status")
    assert.has_match("^!!! SILENCED: no trigger runs for node one %([%d.:]+%) until .* %(in 1 h 30 min%), "
      .. "by " .. proc.user
      .. ": upgrade of the disk\n", text)
    slaves[2]:kill9() -- another one's
    daemon:expect_events { { "slave_down", slaves[2], cluster = 0 } }
    assert.is_nil(wait_kept(daemon, "slave_down", slaves[2]).silenced)
    assert.has_match("^TARGET +UNTIL +BY +SINCE +REASON\nnode one %(127%.0%.0%.1:%d+%)  .* %(in 1 h 30 min%) +"
      .. proc.user
      .. " .* upgrade of the disk\n$", silence(daemon, "--list"))
    assert.has_match('{"ok":true,"silences":[{"target":"' .. slaves[1].name .. '","kind":"node","since":',
      silence(daemon, "--list", "--json"), 1, true)
    assert.equal(("the silence of node one (%s) has ended\n"):format(slaves[1].name), silence(daemon, "--end", "one"))
    daemon:wait_logged("error", "the silence of events of node " .. slaves[1].name .. " was ended by " .. proc.user)
    assert.equal("no silences\n", silence(daemon, "--list"))
    slaves[1]:start()
    daemon:expect_events { { "slave_up", slaves[1], cluster = 0 } }
    _, text = daemon:cli("status")
    assert.is_nil(text:find("SILENCED", 1, true))
  end)

  it("of a cluster, and of all, keeps a failover's triggers from running, and ends by itself #core", function()
    local daemon, master, slaves = begin()
    silence(daemon, "0", "2s", "a failover is practised")
    master:kill9()
    local down = wait_kept(daemon, "master_down")
    assert.has_match(WORDS, down.silenced)
    daemon:wait_logged("error", "the silence of events of cluster 0 is over", "cluster=0")
    local beat = #daemon:events()
    proc.wait_for("heartbeats again", 10, function() return #daemon:events() > beat end)
    assert.same({}, list(daemon))
    silence(daemon, "all", "1h")
    silence(daemon, "all", "2h", "it takes longer") -- in place of the first
    assert.equal(1, #list(daemon))
    assert.equal("it takes longer", list(daemon)[1].reason)
    slaves[1]:promote()
    local up = wait_kept(daemon, "master_up", slaves[1])
    assert.has_match("^triggers%.master_up: " .. WORDS .. " %(it takes longer%)$", outcomes(daemon, up))
    beat = #daemon:events()
    slaves[2]:repoint(slaves[1])
    daemon:wait_logged("triggers not run", "(it takes longer)", "plusmoin_heartbeat")
    daemon:wait_place(slaves[2], "slave 0")
    assert.equal(beat, #daemon:events()) -- no heartbeat either
    silence(daemon, "--end", "all")
    slaves[2]:kill9()
    local event = daemon:wait_event("slave_down", function(one) return one.node == slaves[2].name end)
    assert.equal(event, daemon:changes()[2]) -- the first one is plusmoin_up: nothing has run later
  end)

  it("outlives a reload, also of its node, and with a state file a restart #core", function()
    local daemon, _, slaves = begin { state_file = "state.json" }
    silence(daemon, "two", "1h", "kept")
    silence(daemon, "all", "1s")
    daemon:wait_logged("the silence of all events is over")
    local gone = table.remove(daemon.config.nodes, 3)
    daemon:reload()
    assert.is_true(list(daemon)[1].gone)
    assert.has_match("node " .. slaves[2].name .. " (not there now)", silence(daemon, "--list"), 1, true)
    daemon.config.nodes[3] = gone
    daemon:reload()
    assert.is_false(list(daemon)[1].gone)
    local before = list(daemon)
    daemon:stop_and_check()
    local path = daemon.dir .. "/state.json"
    proc.write_file(path, (proc.read_file(path):gsub('"silences":%[', -- one that has ended meanwhile
      '%0{"target":"all","since_ms":1,"until_ms":2,"by":"carol","reason":""},')))
    daemon:start()
    daemon:expect_events { { "plusmoin_up" } }
    assert.same(before, list(daemon))
    assert.is_false(daemon:logged("carol"))
    daemon:wait_place(slaves[2], "slave 0")
    slaves[2]:kill9()
    assert.has_match("%(kept%)$", wait_kept(daemon, "slave_down", slaves[2]).silenced)
    daemon.config.state_file = nil
    daemon:reload()
    assert.same(before, list(daemon))
    daemon:stop_and_check()
    daemon:start()
    daemon:expect_events { { "plusmoin_up" } }
    assert.same({}, list(daemon))
  end)

  it("keeps what waited when it began from running, and lets what runs go on", function()
    local held = proc.new_dir("held")
    local daemon, _, slaves = begin({ trigger_timeout = 60 }, { slave_down = { { command = { "/bin/sh", "-c",
      "while test -e " .. held .. "; do sleep 0.05; done" } }, { command = { "/bin/true" } } } })
    slaves[1]:kill9()
    local down = wait_kept(daemon, "slave_down", slaves[1])
    slaves[1]:start()
    local up = wait_kept(daemon, "slave_up", slaves[1])
    assert.equal("triggers.slave_up: waiting", outcomes(daemon, up))
    silence(daemon, "0", "1h", "wait")
    assert.equal("triggers.slave_down[1]: running\ntriggers.slave_down[2]: waiting", outcomes(daemon, down))
    assert(uv.fs_rmdir(held))
    proc.wait_for("the end of both", 10, function() return not outcomes(daemon, up):find("waiting") end)
    assert.has_match("^triggers%.slave_down%[1%]: done in [%d.]+ s\ntriggers%.slave_down%[2%]: " .. WORDS
      .. " %(wait%)$", outcomes(daemon, down))
    assert.has_match("^triggers%.slave_up: " .. WORDS .. " %(wait%)$", outcomes(daemon, up))
    assert.has_match(WORDS, wait_kept(daemon, "slave_up", slaves[1]).silenced)
    silence(daemon, "--end", "0")
    daemon:quiet_rounds(2)
  end)

  it("of what is not there, or not so, is refused in words", function()
    local daemon, master, slaves = begin()
    local function refused(code, words, ...)
      local got, out, err = daemon:cli("silence", ...)
      assert.equal(code, got, err)
      assert.equal("", out)
      assert.has_match(words, err, 1, true)
    end
    refused(2, "a target and a duration", "one")
    for _, duration in ipairs { "", "5", "1.5h", "5 m", "5x", "30m1h", "1h1h", "m", "1e3s", "10000000000s" } do
      refused(2, 'silence for "' .. duration .. '": that is no duration; allowed: whole numbers', "one", duration)
    end
    refused(2, "that is too long", "one", "31d")
    refused(2, "that is no time at all", "one", "0s")
    refused(2, "--list and --end do not go together", "--list", "--end", "one")
    refused(2, "--json goes with --list", "one", "1h", "--json")
    refused(2, "too many words: one", "--list", "one")
    refused(1, "no such node: owe; allowed: a node's \"host:port\" or its name, a cluster's id, \"all\"; "
      .. "the nearest is one", "owe", "1h")
    refused(1, "there is no cluster 7, but 0", "7", "1h")
    refused(1, "there is no such silence: see silence --list", "--end", "one")
    refused(1, "no such node: two:1", "--end", "two:1")
    daemon.config.nodes[2].name = "two"
    daemon:reload()
    refused(1, ("several nodes have this name: \"host:port\" tells which: %s, %s"):format(slaves[1].name,
      slaves[2].name), "two", "1h")
    silence(daemon, slaves[1].name, "1h")
    silence(daemon, master.name, "30d")
    for _, request in ipairs { '{"request": "silence"}', '{"request": "silence", "target": "all"}',
      '{"request": "silence", "target": "all", "seconds": "x"}',
      '{"request": "silence", "target": "all", "seconds": "0"}',
      '{"request": "silence", "target": "all", "seconds": "9999999999999999999"}',
      '{"request": "silence", "target": "all", "seconds": "+5"}',
      '{"request": "silence", "target": "all", "seconds": 5}',
      '{"request": "silence", "target": 5, "seconds": "5"}',
      '{"request": "silence_end"}', '{"request": "silence_end", "target": ""}' } do
      local answer = daemon:ask(request)
      assert.is_false(answer.ok, request)
      assert.is_string(answer.error)
    end
    assert.equal(2, #list(daemon))
    daemon:stop_and_check()
    local code, _, err = daemon:cli("silence", "all", "1h")
    assert.equal(1, code)
    assert.has_match("no daemon answers at " .. daemon.config.control_socket, err, 1, true)
  end)

  it("is one of a thousand at most", function()
    local daemon = plusmoin.start { nodes = { pg.master() } }
    local nodes = daemon.config.nodes
    for i = 2, 1002 do
      nodes[i] = { host = "127.0.0.1", port = i, name = "n" .. i }
    end
    daemon.config.heartbeat, daemon.config.retry_interval = 60, 60
    daemon:reload()
    for i = 2, 1001 do
      assert(daemon:ask({ request = "silence", target = "n" .. i, seconds = "3600" }).ok)
    end
    local answer = daemon:ask({ request = "silence", target = "n1002", seconds = "3600" })
    assert.has_match("1000 silences already", answer.error, 1, true)
    assert.is_true(daemon:ask({ request = "silence", target = "n1001", seconds = "60" }).ok)
    assert.equal(1000, #list(daemon))
    local _, text = daemon:cli("status")
    assert.has_match("!!! and 990 more silences: plusmoin silence --list\n", text, 1, true)
  end)
end)
