-- SIGHUP: configuration and script host are taken together or not at all.
local fleet = require "spec.support.fleet"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local STEPS = tonumber(os.getenv("RANDOM_STEPS")) or 40

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

-- Lets nobody write beats; returns what ends that.
local function lock_beats(server)
  proc.spawn({ "psql", "-Xq", "-h", server.host, "-p", tostring(server.port), "-U", "postgres", "-d", "plusmoin",
    "-c", "BEGIN; LOCK TABLE heartbeat IN SHARE MODE; SELECT pg_sleep(60)" })
  proc.wait_for("the lock", 5, function()
    return #server:sql("SELECT 1 FROM pg_locks WHERE mode = 'ShareLock' AND granted", "plusmoin") > 0
  end)
  return function()
    server:sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'")
  end
end

-- How many beats wait for a lock there.
local function waiting_beats(server, application)
  return #server:sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = '"
    .. (application or "plusmoin") .. "'")
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
    daemon:wait_status("no master", function(status)
      return status.clusters[1] and not status.clusters[1].has_master
    end)
    daemon:quiet_rounds(1)
    daemon:wait_place(slaves[1], "slave 0")
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
    daemon:wait_logged("configured differently", "node=renamed")
    daemon:wait_place(master, "master 0")
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0, rule = "S1" } }
    daemon:wait_logged("triggers.slave_down[1]", "node=renamed")
  end)

  it("of a broken file changes nothing and names the line #core", function()
    local daemon, _, slaves = scene.start { slaves = 1 }
    reload(daemon, '{\n  "heartbeat": 1,\n  "nodez": []\n}\n', "configuration not reloaded")
    daemon:wait_logged("plusmoin.json:3: nodez")
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
  end)

  it("says what needs a restart", function()
    local daemon = scene.start { slaves = 0 }
    local old = daemon.config.control_socket
    daemon.config.control_socket = old .. "2"
    reload(daemon)
    daemon:wait_logged("control_socket needs a restart")
    daemon.config.control_socket = old
    assert.is_true(daemon:ask({ request = "status" }).ok)
    daemon.config.monitors = { etcd = "http://127.0.0.1:1", name = "one" }
    reload(daemon)
    daemon:wait_logged("monitors needs a restart")
    daemon:quiet_rounds(1)
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
    daemon:wait_logged("m.lua:2: broken")
    slaves[1]:kill9()
    proc.wait_for("the old function", 5, function() return daemon:logged("good one") end,
      function() return daemon:diagnose() end)
  end)

  it("takes another password and another user, quietly; keeps places", function()
    local daemon, master, slaves = scene.start { slaves = 1 }
    master:sql("CREATE ROLE other LOGIN SUPERUSER PASSWORD 'secret'")
    proc.wait_for("the role on the slave", 10, function()
      return #slaves[1]:sql("SELECT 1 FROM pg_roles WHERE rolname = 'other'") > 0
    end)
    daemon.config.user = "other"
    daemon.config.nodes[1].password = "secret"
    daemon.config.nodes[1].connection = { application_name = "renamed" }
    reload(daemon)
    proc.wait_for("the new session", 5, function()
      return #master:sql("SELECT 1 FROM pg_stat_activity WHERE usename = 'other' AND application_name = 'renamed'") > 0
        and #master:sql("SELECT 1 FROM pg_stat_activity WHERE usename = 'plusmoin'") == 0
    end, function() return daemon:diagnose() end)
    daemon:quiet_rounds(2)
    daemon:wait_place(master, "master 0")
    daemon:wait_place(slaves[1], "slave 0")
  end)

  it("leaves the passwords blanked of what still runs by the earlier load, and cuts its long lines", function()
    local master = pg.cluster(0)
    local late = [[
      local pm = require "plusmoin"
      return function()
        pm.log.info("Lua says my-first-secret and my-other-secret")
        pm.log.info(("x"):rep(10 << 20))
      end
    ]]
    local daemon = plusmoin.new { nodes = { master }, files = { ["late.lua"] = late },
      config = { trigger_timeout = 60 } }
    local began, go = daemon.events_dir .. "/began", daemon.dir .. "/go"
    local script = ("touch %s; until [ -e %s ]; do sleep 0.05; done; echo sh says my-first-secret"):format(began, go)
    daemon.config.nodes[1].password = "my-first-secret"
    daemon.config.triggers = { plusmoin_up = { { command = { "sh", "-c", script } }, { lua = "late.lua" } } }
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    proc.wait_for("the trigger", 15, function() return proc.read_file(began) end,
      function() return daemon:diagnose() end)
    daemon.config.nodes[1].password = "my-other-secret"
    reload(daemon)
    proc.write_file(go, "")
    daemon:wait_logged("Lua says *** and ***", "plusmoin_up[2]")
    daemon:wait_logged("sh says ***", "plusmoin_up[1]")
    daemon:wait_logged("xxx... (cut: 10485760 bytes in all)")
    assert.is_false(daemon:logged("my-first-secret"))
  end)

  it("asks by another is_slave_statement at once", function()
    local daemon, master = scene.start { slaves = 1, config = { heartbeat = 50 } }
    daemon.config.is_slave_statement = "SELECT true"
    reload(daemon)
    daemon:expect_events { { "master_down", master, cluster = 0, rule = "M3" }, seconds = 8 }
  end)

  it("with a shorter heartbeat writes the status file as often from then on", function()
    local daemon = scene.start { slaves = 0, config = { heartbeat = 60 } }
    daemon.config.heartbeat = 0.2
    reload(daemon)
    local last, writes = nil, 0
    proc.wait_for("five writes", 5, function()
      local stat = proc.uv.fs_stat(daemon.config.status_file)
      local now = stat and stat.mtime.sec * 1e9 + stat.mtime.nsec
      writes = writes + (now and now ~= last and 1 or 0)
      last = now or last
      return writes >= 5
    end, function() return daemon:diagnose() end)
  end)

  it("asks a node whose door was shut at once", function()
    local daemon, _, slaves = scene.start { slaves = 1, config = { retry_interval = 20, heartbeat = 20, hold_on = {} } }
    daemon.config.nodes[2].dbname = "nowhere"
    reload(daemon)
    daemon:expect_events { { "slave_down", slaves[1], reason = "no_database" } }
    daemon.config.nodes[2].dbname = nil
    reload(daemon)
    daemon:expect_events { { "slave_up", slaves[1] }, seconds = 8 }
  end)

  it("moves a node to another port: it leaves without an event and comes as a new one", function()
    local daemon, master, slaves = scene.start { slaves = 1 }
    local other = master:standby()
    daemon.config.nodes[2] = entry(other)
    reload(daemon)
    daemon:expect_events { { "slave_up", other, cluster = 0 } }
    wait_gone(daemon, slaves[1])
  end)

  it("again and again does not put off the regular rounds", function()
    local daemon = scene.start { slaves = 1, config = { heartbeat = 1 } }
    local ends_ms, next_ms = proc.mono_ms() + 4500, 0
    proc.watch(4.5, function()
      if proc.mono_ms() >= next_ms and proc.mono_ms() < ends_ms then
        next_ms = proc.mono_ms() + 300
        daemon.process:kill("sighup")
      end
    end)
    local beats = daemon:heartbeats()["0"] or 0
    assert.is_true(beats >= 2 and beats <= 6, beats .. " heartbeats in 4.5 s")
  end)

  it("while a node is silent holds up no other cluster #core", function()
    local quick, quick_slaves = pg.cluster(1)
    local slow, slow_slaves = pg.cluster(1, { family = 2 })
    local daemon = plusmoin.start { nodes = { quick, quick_slaves[1], slow, slow_slaves[1] }, clusters = 2,
      config = { query_timeout = 9 } }
    slow_slaves[1]:freeze()
    local before = daemon:heartbeats()["0"] or 0
    proc.wait_for("rounds of the other", 5, function() return (daemon:heartbeats()["0"] or 0) >= before + 2 end)
    reload(daemon)
    quick_slaves[1]:kill9()
    daemon:expect_events { { "slave_down", quick_slaves[1], cluster = 0 }, seconds = 4 }
    daemon:expect_events { { "slave_down", slow_slaves[1], cluster = 1 }, seconds = 25 }
  end)

  it("takes the silent node away: its cluster's round goes on without it", function()
    local daemon, master, slaves = scene.start { config = { query_timeout = 10 } }
    slaves[1]:freeze()
    proc.watch(1.5, function() end) -- a regular round waits for it now
    local before = daemon:heartbeats()["0"] or 0
    daemon.config.nodes = { entry(master), entry(slaves[2]) }
    reload(daemon)
    proc.wait_for("the round's end", 6, function() return (daemon:heartbeats()["0"] or 0) > before end,
      function() return daemon:diagnose() end)
    daemon:quiet_rounds(1)
    wait_gone(daemon, slaves[1])
  end)

  it("while one cluster still starts is applied, and the others are watched #core", function()
    local quick, quick_slaves = pg.cluster(1)
    local slow, slow_slaves = pg.cluster(1, { family = 2 })
    local first = plusmoin.start { nodes = { slow, slow_slaves[1] } }
    first:quiet_rounds(1)
    first:stop_and_check()
    slow_slaves[1]:pause_replay()
    local daemon = plusmoin.start { nodes = { quick, quick_slaves[1], slow, slow_slaves[1] },
      config = { max_sync_delay = 20 } }
    local late = quick:standby()
    daemon.config.nodes[5] = entry(late)
    reload(daemon)
    daemon:expect_events { { "slave_up", late, cluster = 0 }, seconds = 8 }
    quick_slaves[1]:kill9()
    daemon:expect_events { { "slave_down", quick_slaves[1], cluster = 0 }, seconds = 8 }
    slow_slaves[1]:resume_replay()
    daemon:expect_events { { "plusmoin_up", cluster = 1 } }
    daemon:wait_place(slow_slaves[1], "slave 1", 5)
    daemon:quiet_rounds(1)
  end)

  it("while a cluster is founded beside another whose beat waits #core", function()
    local daemon, _, slaves = scene.start { triggers = { split_brain = false },
      config = { heartbeat = 3, query_timeout = 8 } }
    local before = daemon:heartbeats()["0"] or 0
    proc.wait_for("a round", 5, function() return (daemon:heartbeats()["0"] or 0) > before end)
    slaves[1]:promote()
    slaves[2]:promote()
    local release = lock_beats(slaves[2])
    proc.wait_for("the first beat", 5, function()
      return slaves[1]:sql("SELECT cluster_id FROM heartbeat", "plusmoin")[1][1] == "1"
    end, function() return daemon:diagnose() end)
    reload(daemon)
    slaves[1]:kill9() -- nobody was told of its cluster yet
    proc.watch(0.3, function() end)
    release()
    daemon:expect_any_order { { "cluster_created", slaves[1], cluster = 1 },
      { "cluster_created", slaves[2], cluster = 2 },
      { "master_down", slaves[1], cluster = 1 } }
  end)

  it("that connects anew repeats a beat under way, and one that removes its node goes on", function()
    local daemon, _, slaves = scene.start { triggers = { split_brain = false },
      config = { heartbeat = 3, query_timeout = 8 } }
    local before = daemon:heartbeats()["0"] or 0
    proc.wait_for("a round", 5, function() return (daemon:heartbeats()["0"] or 0) > before end)
    slaves[1]:promote()
    slaves[2]:promote()
    local release = lock_beats(slaves[1])
    proc.wait_for("the beat that waits", 5, function() return waiting_beats(slaves[1]) == 1 end)
    daemon.config.nodes[2].connection = { application_name = "anew" }
    reload(daemon)
    proc.wait_for("the beat again", 5, function() return waiting_beats(slaves[1], "anew") == 1 end,
      function() return daemon:diagnose() end)
    table.remove(daemon.config.nodes, 2)
    reload(daemon)
    daemon:expect_events { { "cluster_created", slaves[2], cluster = 1 } }
    release()
    wait_gone(daemon, slaves[1])
    daemon:quiet_rounds(1)
  end)

  it("while the start's first beat waits: found once, with its id #core", function()
    local first = pg.master()
    local second = pg.master { stopped = true, family = 2 }
    first:sql("SET ROLE plusmoin; CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT)", "plusmoin")
    local release = lock_beats(first)
    local daemon = plusmoin.start { nodes = { first, second }, nowait = true, config = { query_timeout = 8 } }
    proc.wait_for("the beat that waits", 5, function() return waiting_beats(first) == 1 end)
    second:start()
    proc.watch(0.5, function() end) -- it has been asked
    daemon.config.nodes[1].connection = { application_name = "anew" }
    reload(daemon)
    proc.wait_for("the beat again", 5, function() return waiting_beats(first, "anew") == 1 end,
      function() return daemon:diagnose() end)
    release()
    daemon:expect_any_order { { "plusmoin_up", cluster = 0 }, { "cluster_created", second, cluster = 1 } }
    daemon:wait_place(first, "master 0", 1)
    daemon:quiet_rounds(1)
  end)

  it("of other nodes at any moment loses none #core", function()
    local seed = tonumber(os.getenv("SEED")) or os.time()
    math.randomseed(seed)
    local _, nodes = fleet.start { "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8" }
    local daemon = plusmoin.start { nodes = {}, nowait = true, triggers = {}, config = { nodes = nodes, heartbeat = 0.1,
      log_level = "info", triggers = { master_down = { "/bin/true" } } } }
    daemon:wait_status("a cluster", function(status) return #status.clusters > 0 end)
    for step = 1, STEPS do
      daemon.config.query_timeout = math.random(4) == 1 and math.random() + 0.5 or daemon.config.query_timeout
      daemon.config.nodes = {}
      for _, node in ipairs(nodes) do
        if step == STEPS or math.random(3) > 1 then
          table.insert(daemon.config.nodes, math.random(#daemon.config.nodes + 1), { host = node.host, port = node.port,
            dbname = node.dbname, connection = { application_name = "a" .. math.random(2) } })
        end
      end
      reload(daemon)
      proc.watch(math.random() * 0.05, function() end)
    end
    for _, node in ipairs(nodes) do
      daemon:wait_status("all back, SEED=" .. seed, function() return daemon:place(node):find("^master") end)
    end
    assert.is_false(daemon:logged("event=master_down"))
  end)
end)
