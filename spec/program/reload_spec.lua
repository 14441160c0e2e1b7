-- SIGHUP: configuration and script host are taken together or not at all.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- How often the log has these words.
local function count(daemon, words)
  local _, times = daemon:log():gsub(words, "")
  return times
end

-- Writes the configuration (or `text`) and reloads; waits for the outcome's line.
local function reload(daemon, text, outcome)
  outcome = outcome or "configuration reloaded"
  local before = count(daemon, outcome)
  proc.write_file(daemon.config_path, text or daemon:json())
  daemon.process:kill("sighup")
  proc.wait_for(outcome, 15, function() return count(daemon, outcome) > before end,
    function() return daemon:diagnose() end)
end

local function entry(server)
  return { host = server.host, port = server.port }
end

-- The server is in no list of the status file.
local function wait_gone(daemon, server)
  daemon:wait_status(server.name .. " gone", function()
    return not select(2, daemon:status_file()):find('"port":' .. server.port .. ",", 1, true)
  end)
end

describe("a reload", function()
  after_each(scene.finish)

  it("removes and adds a slave: no event when it leaves, slave_up when it comes #core", function()
    local daemon, master, slaves = scene.start {}
    daemon.config.nodes = { entry(master), entry(slaves[1]) }
    reload(daemon)
    wait_gone(daemon, slaves[2])
    daemon:quiet_rounds(1)
    daemon.config.nodes[3] = entry(slaves[2])
    reload(daemon)
    daemon:expect_events { { "slave_up", slaves[2], cluster = 0 } }
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0 } }
  end)

  it("removes the master: no event, an empty seat, which a promotion fills #core", function()
    local daemon, master, slaves = scene.start {}
    daemon.config.nodes = { entry(slaves[2]), entry(slaves[1]) }
    reload(daemon)
    wait_gone(daemon, master)
    daemon:wait_status("no master", function(status) return not status.clusters[1].has_master end)
    daemon:quiet_rounds(1)
    assert.equal("slave 0", daemon:place(slaves[1]))
    slaves[1]:promote()
    daemon:expect_events { { "master_up", slaves[1], cluster = 0 } }
  end)

  it("of all nodes' removal drops the cluster, and they can come back", function()
    local daemon, master = scene.start { slaves = 0 }
    daemon.config.nodes = {}
    reload(daemon)
    daemon:wait_status("no cluster", function(status) return #status.clusters == 0 end)
    daemon.config.nodes = { entry(master) }
    reload(daemon)
    daemon:expect_events { { "cluster_created", master } }
  end)

  it("takes names, times and triggers, keeps places, and reconnects quietly", function()
    local daemon, master, slaves = scene.start { config = { heartbeat = 50 } }
    daemon.config.nodes[2].name = "renamed"
    daemon.config.heartbeat = 0.3
    daemon.config.query_timeout = 0.5
    daemon.config.triggers.slave_down = { "/bin/true", daemon.recorder }
    reload(daemon)
    daemon:quiet_rounds(3) -- would take minutes by the old heartbeat
    assert.is_true(daemon:logged("configured differently", "node=renamed"))
    assert.equal("master 0", daemon:place(master))
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    assert.is_true(daemon:logged("triggers.slave_down[1]", "node=renamed"))
  end)

  it("of a broken file changes nothing and names the line #core", function()
    local daemon, _, slaves = scene.start { slaves = 1 }
    reload(daemon, '{\n  "heartbeat": 1,\n  "nodez": []\n}\n', "configuration not reloaded")
    assert.is_true(daemon:logged("plusmoin.json:3: nodez"))
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
  end)

  it("says what needs a restart", function()
    local daemon = scene.start { slaves = 0 }
    local old = daemon.config.control_socket
    daemon.config.control_socket = old .. "2"
    reload(daemon)
    assert.is_true(daemon:logged("control_socket stays " .. old))
    daemon.config.control_socket = old
    assert.is_true(daemon:ask({ request = "status" }).ok)
  end)

  it("many times in a row, with servers going down meanwhile, loses nothing", function()
    local daemon, _, slaves = scene.start {}
    for i = 1, 5 do
      daemon.process:kill("sighup")
      if i == 2 then
        slaves[1]:kill9()
      end
    end
    daemon:expect_events { { "slave_down", slaves[1] } }
    slaves[1]:start()
    daemon.process:kill("sighup")
    daemon:expect_events { { "slave_up", slaves[1] } }
    daemon:quiet_rounds(1)
  end)

  it("lets a function that waits end on its old host; pm.state goes on, upvalues start anew #core", function()
    local master, slaves = pg.cluster(1)
    local body = [[
local pm = require "plusmoin"
local runs = 0
config.triggers.slave_down = function()
  runs = runs + 1
  pm.state.runs = (pm.state.runs or 0) + 1
  pm.log.info("VERSION begins %d %d", runs, pm.state.runs)
  pm.sleep(2)
  pm.log.info("VERSION ends")
end
]]
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, lua = body:gsub("VERSION", "old") }
    slaves[1]:kill9()
    proc.wait_for("the trigger", 5, function() return daemon:logged("old begins 1 1") end)
    reload(daemon, daemon:lua((body:gsub("VERSION", "new"))))
    assert.is_false(daemon:logged("old ends"))
    slaves[1]:start()
    daemon:expect_events { { "slave_up", slaves[1] } }
    proc.wait_for("its end", 5, function() return daemon:logged("old ends") end)
    slaves[1]:kill9()
    proc.wait_for("the new one", 5, function() return daemon:logged("new begins 1 2") end,
      function() return daemon:diagnose() end)
  end)

  it("fails whole for an error in a trigger file or a module, with file and line", function()
    local good = 'return function() require("plusmoin").log.info("good one") end'
    local master, slaves = pg.cluster(1)
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, files = { ["t.lua"] = good },
      triggers = { slave_down = { lua = "t.lua" } } }
    proc.write_file(daemon.dir .. "/t.lua", "local m = require 'm'\nreturn m")
    proc.write_file(daemon.dir .. "/m.lua", "local x = 1\nerror('broken')")
    reload(daemon, nil, "configuration not reloaded")
    assert.is_true(daemon:logged("m.lua:2: broken"))
    slaves[1]:kill9()
    proc.wait_for("the old function", 5, function() return daemon:logged("good one") end,
      function() return daemon:diagnose() end)
  end)
end)
