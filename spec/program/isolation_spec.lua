-- The monitor is cut off from the servers by its own network (P7): no loss is acted on until it hears another host.
local api_rows = require "spec.support.api_rows"
local cjson = require "cjson"
local machine = require "spec.support.machine"
local names = require "spec.support.names"
local loopback = require "spec.support.network"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"
local web = require "spec.support.web"
local wire = require "spec.support.wire"

local ANYBODY = "0.0.0.0/0"
local QUICK = { heartbeat = 0.5, query_timeout = 0.6, retry_interval = 0.2, max_sync_delay = 30 }

local function over(settings)
  local config = table.move({}, 1, 0, 1, {})
  for key, value in pairs(QUICK) do
    config[key] = value
  end
  for key, value in pairs(settings or {}) do
    config[key] = value
  end
  return config
end

-- A master and `count` slaves, each a host of its own, and a plusmoin that sees them.
local function start(count, settings, of_servers, lua)
  machine.need("wire")
  local network = wire.start()
  network:track()
  local master, slaves = pg.cluster(count, { wire = network, settings = of_servers, everywhere = true })
  local daemon = plusmoin.start { nodes = table.move(slaves, 1, #slaves, 2, { master }), config = over(settings),
    lua = lua, files = lua and api_rows.files }
  for _, slave in ipairs(slaves) do -- who has no place yet says nothing
    daemon:wait_place(slave, "slave 0")
  end
  daemon.taken = #daemon:changes()
  return daemon, network, master, slaves
end

local function isolated(daemon)
  return daemon:expect_events { { "monitor_isolated", cluster = -1, rule = "P7" } }
end

local function reconnected(daemon)
  return daemon:expect_events { { "monitor_reconnected", cluster = -1, rule = "P7" } }
end

local function says(daemon, words, ...)
  local _, out = daemon:cli(...)
  assert.truthy(out:find(words, 1, true), out)
end

describe("a monitor that is cut off", function()
  after_each(function() scene.finish(names.stop_all, wire.stop_all) end)

  it("calls nobody down, says so once, and says when it is over", function()
    local place = web.place()
    local daemon, network, master, slaves = start(2, { http = { listen = place } })
    local path = ("/nodes/%s:%d/primary"):format(master.host, master.port)
    network:unplug_us()
    local event = isolated(daemon)
    assert.same({}, event.data.slaves)
    assert.same({}, event.data.clusterless)
    assert.is_nil(event.node)
    daemon:quiet(2)
    local answer = daemon:ask { request = "status" }
    assert.is_number(answer.isolated)
    assert.equal("isolated", answer.clusters[1].master.condition)
    says(daemon, "!!! ISOLATED since", "status")
    says(daemon, "plusmoin is cut off since", "explain")
    says(daemon, "no loss counts until another host answers", "explain", slaves[1].name)
    local health = web.get(place, path)
    assert.equal("200 true", health.status .. " " .. health.headers["x-plusmoin-isolated"])
    assert.truthy(health.body:find("plusmoin hears no other host since", 1, true), health.body)
    daemon.config.http = { listen = place, isolated = "503" }
    proc.write_file(daemon.config_path, daemon:json())
    assert.equal(0, (daemon:cli("reload")))
    assert.equal(503, web.get(place, path).status)
    network:restore()
    reconnected(daemon)
    daemon:quiet_rounds(2)
    assert.equal(200, web.get(place, path).status)
    daemon:wait_place(master, "master 0")
    daemon:wait_place(slaves[2], "slave 0")
    assert.equal(cjson.null, daemon:ask { request = "status" }.isolated)
  end)

  it("for less than a poll is nothing at all #long", function()
    local daemon, network = start(1, { heartbeat = 2, query_timeout = 1 })
    daemon:quiet_rounds(1)
    network:unplug_us()
    daemon:quiet(0.3)
    network:restore()
    daemon:quiet_rounds(2)
  end)

  it("tells what has happened meanwhile when it is back: one master_up", function()
    local daemon, network, master, slaves = start(2, nil, nil, [[
      for _, name in ipairs { "monitor_isolated", "monitor_reconnected" } do
        config.triggers[name] = { config.triggers[name], function(event) require("api_check").event(event) end }
      end]])
    network:cut(network.monitor, ANYBODY, "drop")
    isolated(daemon)
    api_rows.wait(daemon, "monitor_isolated")
    master:kill9()
    slaves[1]:promote_unheard()
    network:restore()
    reconnected(daemon)
    api_rows.wait(daemon, "monitor_reconnected")
    daemon:wait_event("master_up", function(e) return e.node == slaves[1].name end)
    for _, each in ipairs(daemon:changes()) do
      assert.is_true(each.name ~= "slave_down" and each.name ~= "cluster_created", each.text)
    end
  end)

  it("by its own firewall, in words, is cut off as well", function()
    local daemon, network = start(2)
    network:shut_in("reject with icmp type host-unreachable")
    isolated(daemon)
    daemon:quiet(1)
    network:restore()
    reconnected(daemon)
    daemon:quiet_rounds(2)
  end)

  it("by its own firewall as an administrator's refusal, too #long", function()
    local daemon, network = start(2)
    network:shut_in("reject with icmp type admin-prohibited")
    isolated(daemon)
    daemon:quiet(1)
    network:restore()
    reconnected(daemon)
  end)

  it("cannot tell its own firewall's port-unreachable from servers that have stopped #long", function()
    local daemon, network, master, slaves = start(1, { restart_grace = 0 })
    network:shut_in("reject with icmp type port-unreachable")
    daemon:expect_any_order { { "master_down", master }, { "slave_down", slaves[1] } }
    network:restore()
    daemon:expect_any_order { { "master_up", master }, { "slave_up", slaves[1] } }
  end)

  it("with its name server is cut off as well #long", function()
    machine.need("wire", "named")
    local network = wire.start()
    local master, slaves = pg.cluster(1, { wire = network })
    local known = names.start { ["db1.plusmoin.test"] = { master.host }, ["db2.plusmoin.test"] = { slaves[1].host } }
    local nodes = { { host = "db1.plusmoin.test", port = master.port, name = "db1" },
      { host = "db2.plusmoin.test", port = slaves[1].port, name = "db2" } }
    local daemon = plusmoin.start { nodes = nodes, names = known, config = over { fresh_connect_interval = 0.5 } }
    daemon:wait_event("plusmoin_heartbeat")
    known:freeze()
    daemon:quiet(1)
    network:unplug_us()
    isolated(daemon)
    daemon:quiet(1)
    network:restore()
    known:thaw()
    reconnected(daemon)
    daemon:quiet_rounds(2)
  end)

  it("acts on losses once isolation_grace has passed", function()
    local daemon, network, master, slaves = start(1, { isolation_grace = 1 })
    network:unplug_us()
    local began = isolated(daemon)
    daemon:expect_any_order { { "master_down", master, rule = "M2" }, { "slave_down", slaves[1], rule = "S1" } }
    assert.is_true(daemon:changes()[daemon.taken].ms - began.ms >= 990)
    assert.is_true(daemon:logged("isolation_grace has passed"))
    network:restore()
    -- triggers of the monitor's own events run beside those of clusters
    daemon:expect_any_order { { "monitor_reconnected", rule = "P7" }, { "master_up", master },
      { "slave_up", slaves[1] } }
    local log = daemon:log()
    assert.is_true(log:find("event=monitor_reconnected", 1, true) < log:find("event=slave_up", 1, true))
  end)

  it("is reloaded as ever, and goes on being cut off #long", function()
    local daemon, network, master, slaves = start(2)
    network:unplug_us()
    isolated(daemon)
    daemon.config.nodes[3] = nil
    daemon.config.trigger_timeout = 7
    daemon:reload()
    daemon:quiet(1)
    assert.is_number(daemon:ask({ request = "status" }).isolated)
    network:restore()
    reconnected(daemon)
    daemon:quiet_rounds(2)
    daemon:wait_place(master, "master 0")
    daemon:wait_place(slaves[1], "slave 0")
  end)

  it("and has lost all other hosts from its configuration is cut off no more #long", function()
    local daemon, network = start(1)
    network:unplug_us()
    isolated(daemon)
    local own = pg.master()
    daemon.config.nodes = { { host = own.host, port = own.port } }
    daemon:reload()
    reconnected(daemon)
    daemon:wait_event("cluster_created")
  end)

  it("does not count a host that was lost before: a master that dies then is down", function()
    local daemon, network, master, slaves = start(1)
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], reason = "refused" } }
    network:unplug(slaves[1].at)
    network:cut(network.monitor, master.host, "drop")
    daemon:expect_events { { "master_down", master, rule = "M2" } }
  end)

  it("though it still hears a server of its own machine; that one's loss counts when it is over #long", function()
    machine.need("wire")
    local network = wire.start()
    local master, slaves = pg.cluster(2, { wire = network })
    local own = pg.master { family = 2 }
    local daemon = plusmoin.start { nodes = { master, slaves[1], slaves[2], own }, clusters = 2, config = over() }
    network:unplug_us()
    isolated(daemon)
    own:kill9()
    daemon:quiet(1)
    network:restore()
    daemon:expect_any_order { { "monitor_reconnected", cluster = -1 }, { "master_down", own, rule = "M2" } }
  end)

  it("goes on with a state file as it was, at a start at which nobody is heard #long", function()
    local daemon, network, master, slaves = start(1, { state_file = "state.json" })
    daemon:quiet_rounds(1)
    daemon:stop_and_check()
    network:cut(network.monitor, ANYBODY, "drop")
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } } -- of what the file says
    isolated(daemon)
    daemon:quiet(1)
    network:restore()
    reconnected(daemon)
    daemon:quiet_rounds(2)
    daemon:wait_place(master, "master 0")
    daemon:wait_place(slaves[1], "slave 0")
  end)

  it("at its start waits for a first sign of life, and then its clusters are up", function()
    machine.need("wire")
    local network = wire.start()
    local master, slaves = pg.cluster(1, { wire = network })
    network:cut(network.monitor, ANYBODY, "drop")
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, nowait = true, config = over() }
    isolated(daemon)
    daemon:quiet(1)
    network:restore()
    reconnected(daemon)
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    daemon:wait_place(master, "master 0")
    daemon:wait_place(slaves[1], "slave 0")
    if daemon:changes()[daemon.taken + 1] then -- its connect was under way: the next one tells
      daemon:expect_events { { "slave_up", slaves[1], rule = "U3" } }
    end
    daemon:quiet_rounds(1)
  end)
end)

describe("isolation_anchors", function()
  after_each(function() scene.finish(wire.stop_all) end)

  it("let a monitor of one host tell its own isolation from that one's loss; check tries them", function()
    machine.need("wire")
    local network = wire.start()
    local master = pg.master { wire = network }
    local anchor = network:host()
    local daemon = plusmoin.start { nodes = { master },
      config = over { isolation_anchors = { anchor.address .. ":9" } } }
    local code, out = daemon:cli("check")
    assert.equal(0, code, out)
    assert.is_nil(out:find("isolation_anchors", 1, true), out)
    network:unplug(master.at)
    daemon:expect_events { { "master_down", master, rule = "M2" } }
    network:restore()
    daemon:expect_events { { "master_up", master } }
    network:unplug_us()
    isolated(daemon)
    says(daemon, "isolation_anchors[1]: advice: " .. anchor.address .. ":9 does not answer", "check")
    network:restore()
    reconnected(daemon)
    daemon:quiet_rounds(2)
  end)
end)

describe("a monitor that still hears a host", function()
  after_each(function() scene.finish(wire.stop_all) end)

  it("tells the loss of another one when it tells it anyway", function()
    local daemon, network, master, slaves = start(2)
    network:unplug(slaves[1].at)
    daemon:expect_events { { "slave_down", slaves[1], rule = "S1" } }
    network:restore()
    daemon:expect_events { { "slave_up", slaves[1] } }
    network:unplug(master.at)
    daemon:expect_events { { "master_down", master, rule = "M2" } }
  end)

  it("tells the losses of all others", function()
    local daemon, network, master, slaves = start(2)
    for _, server in ipairs { master, slaves[1] } do
      network:cut(network.monitor, server.host, "drop")
    end
    daemon:expect_any_order { { "master_down", master, rule = "M2" }, { "slave_down", slaves[1], rule = "S1" } }
    daemon:quiet(1)
    network:restore()
    daemon:expect_any_order { { "master_up", master }, { "slave_up", slaves[1] } }
  end)

  it("tells the losses of another cluster #long", function()
    machine.need("wire")
    local network = wire.start()
    local first, first_slaves = pg.cluster(1, { wire = network })
    local other, other_slaves = pg.cluster(1, { wire = network, family = 2 })
    local daemon = plusmoin.start { nodes = { first, first_slaves[1], other, other_slaves[1] }, clusters = 2,
      config = over() }
    daemon:wait_place(other_slaves[1], "slave 1")
    for _, server in ipairs { other, other_slaves[1] } do
      network:unplug(server.at)
    end
    daemon:expect_any_order { { "master_down", other, rule = "M2" }, { "slave_down", other_slaves[1], rule = "S1" } }
    daemon:quiet(1)
  end)

  it("over connections that stand calls nobody down while new ones are dropped", function()
    local daemon, network = start(2, { fresh_connect_interval = 0.5 })
    network:shut_in("drop", "ct state new")
    daemon:quiet(3)
    assert.is_false(daemon:logged("cut off"))
    network:restore()
    daemon:quiet_rounds(2)
  end)
end)

-- Everything that has fired is about the monitor itself.
local function only_of_itself(daemon)
  for _, event in ipairs(daemon:changes()) do
    local is_own = event.name == "plusmoin_up" or event.name:find("^monitor_") ~= nil
    assert.is_true(is_own, event.text .. "\n" .. daemon:log())
  end
end

describe("a monitor that is cut off while a server works on its question", function()
  after_each(function() scene.finish(wire.stop_all) end)

  it("does not take the answer that is lost on the way for a server that hangs #long", function()
    local daemon, network, _, slaves = start(2, { heartbeat = 2, query_timeout = 3 })
    local function rounds()
      return select(2, daemon:log():gsub("event=plusmoin_heartbeat", ""))
    end
    local before = rounds()
    proc.wait_for("a round", 5, function() return rounds() > before end)
    slaves[1]:freeze_sessions() -- it acknowledges the next round's question, and does not answer
    proc.watch(2 + 1, function() end) -- the question is put after 2 s, a connect beside it 1.5 s later
    network:unplug_us()
    isolated(daemon)
    daemon:quiet(2)
    assert.is_false(daemon:logged("event=slave_down"))
    slaves[1]:thaw()
    network:restore()
    reconnected(daemon)
    daemon:wait_place(slaves[1], "slave 0", 20)
    only_of_itself(daemon)
  end)
end)

describe("a link that comes and goes", function()
  after_each(function() scene.finish(wire.stop_all) end)

  -- CUTS: how many times; the note's figure is of 200
  it("at any moment of a poll and for any time makes nobody lost #long", function()
    -- each cut leaves sessions that the servers do not know to be dead for a minute and a half; and a busy machine has
    -- time to log in anew
    local daemon, network, master, slaves = start(2, { heartbeat = 1, query_timeout = 0.8 }, { max_connections = 400 })
    local cuts = tonumber(os.getenv("CUTS") or 40)
    for cut = 1, cuts do
      proc.watch(math.random() * 1.2, function() end) -- a moment of a poll
      network:unplug_us()
      proc.watch(cut % 3 == 0 and math.random() * 3 or math.random() * 1.5, function() end)
      network:restore()
      daemon:wait_place(master, "master 0", 20)
      daemon:wait_place(slaves[1], "slave 0", 20)
      daemon:wait_place(slaves[2], "slave 0", 20)
      only_of_itself(daemon)
    end
  end)

  it("twenty times in a minute is told once #long", function()
    local daemon, network = start(2)
    for _ = 1, 20 do
      network:unplug_us()
      proc.watch(1.5, function() end)
      network:restore()
      proc.watch(1.5, function() end)
    end
    only_of_itself(daemon)
    local told = 0
    for _, event in ipairs(daemon:changes()) do
      told = told + (event.name == "monitor_isolated" and 1 or 0)
    end
    assert.equal(1, told)
  end)
end)

describe("a monitor of a thousand hosts", function()
  after_each(function()
    loopback.restore()
    scene.finish(standin.stop_all)
  end)

  it("is cut off, and back, in seconds #long", function()
    machine.need("cuts")
    local stand = standin.start()
    local nodes = stand:servers("n", 1000, "127.24.0.1")
    for i = 1, 1000, 10 do
      local slaves = {}
      for k = 1, 9 do
        slaves[k] = "n" .. i + k
      end
      stand:play(("up n%d: %s"):format(i, table.concat(slaves, " ")))
    end
    local daemon = plusmoin.start { nodes = nodes, clusters = 100, seconds = 60,
      config = over { heartbeat = 2, query_timeout = 4, retry_interval = 0.5, log_level = "info" } }
    daemon:wait_status("all slaves", function(s)
      local slaves = 0
      for _, cluster in ipairs(s.clusters) do
        slaves = slaves + #cluster.slaves
      end
      return slaves == 900
    end, 30)
    daemon.taken = #daemon:changes()
    loopback.cut({ port = stand.port }, { "ip daddr 127.24.0.0/16 tcp dport %d",
      "ip saddr 127.24.0.0/16 tcp sport %d" }, "drop")
    daemon:expect_events { { "monitor_isolated", cluster = -1, rule = "P7" }, seconds = 20 }
    daemon:quiet(4)
    local restored = proc.mono_ms()
    loopback.restore()
    local ended = reconnected(daemon)
    assert.is_true(ended.ms - restored < 8000, ended.ms - restored)
    daemon:quiet(8)
  end)
end)
