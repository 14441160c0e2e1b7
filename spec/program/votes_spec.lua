-- What counts as a loss with several monitors: what most of those see that can say.
local api_rows = require "spec.support.api_rows"
local cjson = require "cjson"
local etcd = require "spec.support.etcd"
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"
local wire = require "spec.support.wire"

local QUICK = { heartbeat = 0.5, query_timeout = 0.4, retry_interval = 0.2, max_sync_delay = 30, restart_grace = 0 }
local LOST = "it hands back the term"

local members, monitors

local function settings(name, more)
  local config = { monitors = { etcd = members:urls(), name = name, ttl = 2, votes = more and more.votes } }
  for key, value in pairs(QUICK) do
    config[key] = value
  end
  for key, value in pairs(more and more.config or {}) do
    config[key] = value
  end
  return config
end

local function acts(daemon)
  local answer = daemon:ask { request = "monitors" }
  return answer.acts == true, answer
end

-- All monitors are there, and know each other.
local function wait_joined(daemon, count)
  proc.wait_for(count .. " monitors", 15, function()
    local ok, _, answer = pcall(acts, daemon)
    return ok and #answer.monitors == count
  end, function() return daemon:diagnose() end)
end

-- Monitors a, b, c, each on a host of its own; a acts. All see a master and its slaves.
local function start(count, slaves, more)
  machine.need("wire")
  local network = wire.start()
  local master, standbys = pg.cluster(slaves, { wire = network, everywhere = true, settings = more and more.servers })
  local nodes = table.move(standbys, 1, #standbys, 2, { master })
  members = etcd.start(1, { host = network.monitor })
  monitors = {}
  for i, name in ipairs { "a", "b", "c" } do
    if i <= count then
      local host = network:host()
      local daemon = plusmoin.start { nodes = nodes, nowait = true, config = settings(name, more),
        lua = more and more.lua, files = api_rows.files,
        names = { with = function(_, argv) return host:enter(argv) end } }
      daemon.host = host
      monitors[i] = daemon
      if i == 1 then
        daemon:expect_events { { "plusmoin_up" } }
      end
    end
  end
  for _, daemon in ipairs(monitors) do
    wait_joined(daemon, count)
    for _, slave in ipairs(standbys) do
      daemon:wait_place(slave, "slave 0")
    end
  end
  return network, master, standbys
end

local function stop_all()
  wire.stop_all()
  etcd.stop_all()
end

local function cut(network, daemon, server)
  network:cut(daemon.host.address, server.host, "drop")
end

local function votes_of(object)
  local said = {}
  for _, vote in ipairs(object.votes or {}) do
    said[vote.monitor] = vote.sees .. (vote.reason ~= cjson.null and " " .. vote.reason or "")
  end
  return said
end

local function explained(daemon, server)
  return daemon:ask { request = "explain", node = server.name }
end

local function wait_kept(daemon, server, rule)
  local answer
  proc.wait_for(server.name .. " kept by " .. rule, 10, function()
    answer = explained(daemon, server)
    return type(answer.failing) == "table" and answer.failing.rule == rule
  end, function() return cjson.encode(answer) .. daemon:diagnose() end)
  return answer
end

-- Keys below ask/ and see/.
local function slips()
  local _, out = proc.run { "etcdctl", "--endpoints", members.members[1].own, "get", "--prefix", "--keys-only",
    "/plusmoin" }
  local found = {}
  for key in out:gmatch("[^\n]+") do
    found[#found + 1] = key:match("^/plusmoin/main/(ask/.*)") or key:match("^/plusmoin/main/(see/.*)")
  end
  return found
end

local function wait_no_slips()
  proc.wait_for("no keys of votes", 10, function() return #slips() == 0 end,
    function() return cjson.encode(slips()) end)
end

describe("of several monitors the one that acts", function()
  after_each(function() scene.finish(stop_all) end)

  it("keeps a slave that it alone does not see, and hands back the term", function()
    local network, _, slaves = start(3, 2)
    assert.same({}, slips())
    cut(network, monitors[1], slaves[1])
    local answer = wait_kept(monitors[1], slaves[1], "P8")
    local said = votes_of(answer)
    assert.truthy(said.a:find("^fails "), said.a)
    assert.is_true(said.b == "answers" or said.c == "answers", cjson.encode(answer.votes))
    local _, out = monitors[1]:cli("explain", slaves[1].name)
    assert.truthy(out:find("keeps its place by P8", 1, true), out)
    assert.truthy(out:find("votes of the monitors: a: fails", 1, true), out)
    monitors[1]:wait_logged("this monitor alone fails to see it", "rule=P8")
    monitors[1]:wait_logged(LOST)
    proc.wait_for("another one that acts", 10, function() return acts(monitors[2]) or acts(monitors[3]) end)
    monitors[1]:quiet(1)
    for i = 2, 3 do
      for _, event in ipairs(monitors[i]:changes()) do
        assert.equal("plusmoin_up", event.name, event.text)
      end
      assert.equal("slave 0", monitors[i]:place(slaves[1]))
    end
    network:restore()
    wait_no_slips()
  end)

  it("calls a master unreachable that it alone does not see", function()
    local network, master = start(3, 1)
    cut(network, monitors[1], master)
    local event = monitors[1]:expect_events { { "master_unreachable", master, cluster = 0, rule = "P6" } }
    assert.truthy(event)
    monitors[1]:wait_logged("most of the other monitors still hear it", "rule=P6")
    local said = votes_of(monitors[1]:ask { request = "events" }.events[2])
    assert.truthy(said.a:find("^fails "), said.a)
    monitors[1]:wait_logged(LOST)
    monitors[1]:quiet(1)
  end)

  it("tells a crash that all see, after one round trip, with the votes", function()
    local _, _, slaves = start(3, 2, { lua = [[
      config.triggers.slave_down = { config.triggers.slave_down,
        function(event)
          local said = {}
          for i, vote in ipairs(event.votes) do said[i] = vote.monitor .. " " .. vote.sees end
          print(#event.votes .. " votes: " .. table.concat(said, ", "))
          require("api_check").event(event)
        end }]] })
    slaves[1]:kill9()
    monitors[1]:expect_events { { "slave_down", slaves[1], rule = "S1", reason = "refused" } }
    monitors[1]:wait_logged("3 votes: a fails, b ")
    local fields = api_rows.wait(monitors[1], "slave_down")
    for _, name in ipairs { "Event.votes", "Event.term", "Vote.monitor", "Vote.sees", "Vote.reason" } do
      assert.is_true(fields[name], name)
    end
    local events = monitors[1]:ask { request = "events" }.events
    local said = votes_of(events[#events])
    assert.equal("fails refused", said.a)
    assert.is_true(said.b == "fails refused" or said.c == "fails refused", cjson.encode(events))
    slaves[1]:start()
    monitors[1]:expect_events { { "slave_up", slaves[1] } }
    wait_no_slips()
  end)

  it("does not count a monitor that is isolated itself", function()
    local network, _, slaves = start(2, 2)
    for _, server in ipairs(pg.servers) do
      cut(network, monitors[2], server)
    end
    proc.wait_for("b isolated", 10, function() return monitors[2]:logged("plusmoin is cut off") end,
      function() return monitors[2]:diagnose() end)
    slaves[1]:kill9()
    monitors[1]:expect_events { { "slave_down", slaves[1], rule = "S1", reason = "refused" } }
    local events = monitors[1]:ask { request = "events" }.events
    assert.same({ a = "fails refused", b = "cannot say" }, votes_of(events[#events]))
    assert.same({}, monitors[2]:changes())
  end)

  it("hands back the term when it is isolated, and another one is not", function()
    local network, _, slaves = start(3, 2)
    for _, server in ipairs(pg.servers) do
      cut(network, monitors[1], server)
    end
    monitors[1]:expect_events { { "monitor_isolated" } }
    monitors[1]:wait_logged("this monitor is isolated, and another one is not")
    proc.wait_for("another one that acts", 10, function() return acts(monitors[2]) or acts(monitors[3]) end)
    local actor = acts(monitors[2]) and monitors[2] or monitors[3]
    actor:expect_events { { "plusmoin_up" } }
    slaves[1]:kill9()
    actor:expect_events { { "slave_down", slaves[1], rule = "S1", reason = "refused" } }
    monitors[1]:quiet(0.5)
  end)

  it("asks nobody with votes = any, and may be told otherwise by a reload", function()
    local network, _, slaves = start(3, 2, { votes = "any" })
    cut(network, monitors[1], slaves[1])
    monitors[1]:expect_events { { "slave_down", slaves[1], rule = "S1" } }
    assert.same({}, slips())
    network:restore()
    monitors[1]:expect_events { { "slave_up", slaves[1] } }
    monitors[1].config.monitors.votes = "majority"
    monitors[1]:reload()
    cut(network, monitors[1], slaves[1])
    wait_kept(monitors[1], slaves[1], "P8")
  end)
end)

describe("a monitor that is alone", function()
  after_each(function() scene.finish(stop_all) end)

  it("waits for nobody", function()
    local _, _, slaves = start(1, 1)
    slaves[1]:kill9()
    monitors[1]:expect_events { { "slave_down", slaves[1], rule = "S1", reason = "refused" } }
    assert.same({}, slips())
    local events = monitors[1]:ask { request = "events" }.events
    assert.is_nil(events[#events].votes)
  end)
end)

-- SCALE_CLUSTERS=500: five thousand nodes.
describe("a fleet whose slaves all die together #long", function()
  after_each(function() scene.finish(stop_all, standin.stop_all) end)

  it("is voted on as a whole, and every loss is told once", function()
    local count, size = tonumber(os.getenv("SCALE_CLUSTERS") or "100"), 10
    local slaves = count * (size - 1)
    local stand = standin.start()
    local nodes = stand:clusters("c", count, size, "127.24.0.1")
    members, monitors = etcd.start(1), {}
    for i, name in ipairs { "a", "b" } do
      monitors[i] = plusmoin.start { nodes = nodes, nowait = true, triggers = { slave_down = { lua = "note.lua" },
        plusmoin_up = false, plusmoin_heartbeat = false, slave_up = false, cluster_created = false },
        files = { ["note.lua"] = [[
          return function(event)
            print((event.votes and #event.votes or 0) .. " votes on " .. event.trigger.name)
          end]] },
        config = { heartbeat = 2, query_timeout = 10, connect_timeout = 20, log_level = "info",
          trigger_parallel = 64, monitors = { etcd = members:urls(), name = name, ttl = 10,
            votes = os.getenv("SCALE_VOTES") } } }
      if i == 1 then
        proc.wait_for("the first that acts", 60, function()
          local ok, first = pcall(acts, monitors[1])
          return ok and first
        end, function() return monitors[1]:diagnose() end)
      end
    end
    for _, daemon in ipairs(monitors) do
      wait_joined(daemon, 2)
      daemon:wait_status("all in their places", function(status)
        local seen = 0
        for _, cluster in ipairs(status.clusters) do
          seen = seen + #cluster.slaves
        end
        return seen == slaves
      end, 60)
    end
    local from = proc.mono_ms()
    stand:play "c*[02-9] die"
    local told
    proc.wait_for("all losses", 120, function()
      told = select(2, monitors[1]:log():gsub("votes on ", ""))
      return told >= slaves
    end, function() return told .. monitors[1]:diagnose() end)
    local took = proc.mono_ms() - from
    print(("%d nodes: %.0f ms, %.2f ms each"):format(count * size, took, took / slaves))
    assert.equal(slaves, told)
    assert.is_nil(monitors[1]:log():find("error .*does not act any more"))
    proc.wait_for("no keys of votes", 20, function() return #slips() == 0 end)
  end)
end)
