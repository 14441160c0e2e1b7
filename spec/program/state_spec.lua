-- `state_file`: what a restart keeps, and what it makes of the differences.
local cjson = require "cjson"
local faked = require "spec.support.faked"
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

local function begin(options)
  options = options or {}
  local daemon, master, slaves = scene.start {
    slaves = options.slaves or 2, config = {
      state_file = "state.json", heartbeat = 0.5, max_sync_delay = options.max_sync_delay or 5,
      recover_sync_delay = options.max_sync_delay or 3,
    },
  }
  daemon.state_path = daemon.dir .. "/state.json"
  return daemon, master, slaves
end

-- The saved state, once `fn` holds of it.
local function wait_state(daemon, what, fn)
  return proc.wait_for("state: " .. what, 10, function()
    local text = proc.read_file(daemon.state_path)
    local ok, state = pcall(cjson.decode, text or "")
    return ok and fn(state) and state
  end, function() return tostring(proc.read_file(daemon.state_path)) .. daemon:diagnose() end)
end

-- The state as text; cjson knows no empty list.
local function encode(state)
  return (cjson.encode(state):gsub(":{}", ":[]"))
end

local function wait_members(daemon, count)
  return wait_state(daemon, count .. " members", function(state)
    return state.clusters[1] and #state.clusters[1].nodes == count
  end)
end

local function restored(event, yes)
  assert.equal(yes and "1" or nil, event.env.PLUSMOIN_RESTORED, event.text)
end

local function number(event)
  return tonumber(event.env.PLUSMOIN_EVENT_ID:match("%-(%d+)$"))
end

describe("a state file", function()
  after_each(scene.finish)

  it("is on the disk when it counts, with its name", function()
    machine.need("faked")
    local syncs = proc.new_dir("syncs") .. "/syncs"
    local daemon = plusmoin.start { nodes = { pg.master() }, config = { state_file = "state.json" },
      env = { LD_PRELOAD = faked.library("note_syncs"), SYNCS = syncs } }
    proc.wait_for("the directory's turn", 10, function()
      return (proc.read_file(syncs) or ""):find(daemon.dir .. "/state.json.new\n" .. daemon.dir .. "\n", 1, true)
    end, function() return (proc.read_file(syncs) or "") .. daemon:diagnose() end)
  end)
end)

describe("a restart with a state file", function()
  after_each(scene.finish)

  it("of a healthy fleet is plusmoin_up and nothing else #core", function()
    local daemon, _, slaves = begin()
    wait_members(daemon, 3)
    local last = daemon:changes()[1]
    daemon:stop_and_check()
    daemon:start()
    local up = daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    restored(up, true)
    assert.is_true(number(up) > number(last))
    assert.equal(2, #up.data.slaves)
    daemon:quiet_rounds(3)
    slaves[1]:kill9()
    restored(daemon:expect_events { { "slave_down", slaves[1], cluster = 0 } }, false)
  end)

  it("after KILL goes on from the last beat, and tells what went down meanwhile #core", function()
    local daemon, master, slaves = begin()
    wait_members(daemon, 3)
    daemon:kill9()
    slaves[2]:kill9()
    daemon:start()
    local up, down = daemon:expect_events {
      { "plusmoin_up", cluster = 0 }, { "slave_down", slaves[2], cluster = 0, rule = "S1" },
    }
    restored(up, true)
    restored(down, true)
    daemon:quiet_rounds(2)
    slaves[2]:start()
    restored(daemon:expect_events { { "slave_up", slaves[2], cluster = 0 } }, false)
    daemon:wait_place(master, "master 0")
  end)

  it("sees a failover that happened meanwhile as one master_up", function()
    local daemon, master, slaves = begin()
    wait_members(daemon, 3)
    daemon:stop_and_check()
    master:kill9()
    slaves[1]:promote()
    slaves[2]:repoint(slaves[1])
    daemon:start()
    local up, new = daemon:expect_events { { "plusmoin_up" }, { "master_up", slaves[1], cluster = 0 } }
    assert.equal(master.port, up.data.master.port) -- as it was
    restored(new, true)
    daemon:quiet_rounds(3)
    daemon:wait_place(slaves[2], "slave 0")
    daemon:wait_place(master, "lost 0")
  end)

  it("keeps ids over clusters that are gone, and skips nodes that are not configured any more", function()
    local other = pg.master { family = 2 }
    local daemon, _, slaves = begin()
    daemon.config.nodes[4] = { host = other.host, port = other.port }
    proc.write_file(daemon.config_path, daemon:json())
    daemon.process:kill("sighup")
    daemon:expect_events { { "cluster_created", other, cluster = 1 } }
    wait_state(daemon, "two clusters", function(state) return #state.clusters == 2 end)
    daemon:stop_and_check()
    daemon.config.nodes = { daemon.config.nodes[2], daemon.config.nodes[3], daemon.config.nodes[1] }
    table.remove(daemon.config.nodes, 1) -- the first slave goes, and the other cluster
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    daemon:quiet_rounds(2)
    daemon:wait_place(slaves[1], "clusterless")
    daemon:wait_place(slaves[2], "slave 0")
    daemon.config.nodes[3] = { host = other.host, port = other.port }
    proc.write_file(daemon.config_path, daemon:json())
    daemon.process:kill("sighup")
    daemon:expect_events { { "cluster_created", other, cluster = 2 } } -- never reused
  end)

  it("knows another monitor's names for its masters, whose beats came last", function()
    local daemon, master, slaves = begin { slaves = 1, max_sync_delay = 1.5 }
    local other = plusmoin.new { nodes = { master, slaves[1] }, config = { heartbeat = 0.3 } }
    for _, node in ipairs(other.config.nodes) do
      node.host = "localhost"
    end
    proc.write_file(other.config_path, other:json())
    other:start()
    other:expect_events { { "plusmoin_up" } }
    wait_state(daemon, "the other's name", function(state)
      for _, node in ipairs(state.clusters[1].nodes) do
        if node.aliases[1] == "localhost:" .. master.port then
          return #state.clusters[1].nodes == 2
        end
      end
    end)
    daemon:stop_and_check()
    local function row()
      return slaves[1]:sql("SELECT master, tstamp FROM heartbeat", "plusmoin")[1]
    end
    local before = tonumber(row()[2])
    proc.wait_for("beats of the other's, longer than max_sync_delay", 10, function()
      local now = row()
      return now and now[1] == "localhost:" .. master.port and tonumber(now[2]) > before + 2500
    end)
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    daemon:quiet_rounds(3)
    other:quiet(0.1)
  end)

  it("sets a damaged one aside and starts without it", function()
    local daemon = begin { slaves = 1 }
    local good = encode(wait_members(daemon, 2))
    daemon:stop_and_check()
    local damages = {
      good:sub(1, #good // 2), "", "[]", '{"version": 2}', "\0\1\2",
    }
    for i, text in ipairs(damages) do
      proc.write_file(daemon.state_path, text)
      os.remove(daemon.state_path .. ".damaged")
      daemon:start()
      local up = daemon:expect_events { { "plusmoin_up", cluster = 0 } }
      restored(up, false)
      proc.wait_for("the word of damage " .. i, 5, function()
        return daemon:logged("error", "damaged", daemon.state_path)
      end)
      assert.equal(text, proc.read_file(daemon.state_path .. ".damaged"))
      os.remove(daemon.out_path)
      daemon:stop_and_check()
    end
  end)

  it("leaves out of a damaged one what is wrong, and goes on with the rest", function()
    local daemon, master, slaves = begin()
    local good = encode(wait_members(daemon, 3))
    daemon:stop_and_check()
    local function with(server, key, value)
      local state = cjson.decode(good)
      for _, node in ipairs(state.clusters[1].nodes) do
        if node.id == server.host .. ":" .. server.port then
          node[key] = value
        end
      end
      return encode(state)
    end
    local damages = {
      with(slaves[1], "shown", -5), with(slaves[1], "place", "king"), with(slaves[1], "aliases", 7),
      (good:gsub('"next_id":1', '"next_id":-1')), (good:gsub('"last_tstamp":%d+', '"last_tstamp":-1')),
    }
    for i, damage in ipairs(damages) do
      proc.write_file(daemon.state_path, damage)
      os.remove(daemon.state_path .. ".damaged")
      daemon:start()
      local up = daemon:expect_events { { "plusmoin_up", cluster = 0 } }
      restored(up, true)
      proc.wait_for("the word of damage " .. i, 5, function()
        return daemon:logged("error", "damaged", "left out", daemon.state_path)
      end)
      assert.equal(damage, proc.read_file(daemon.state_path .. ".damaged"))
      daemon:wait_place(master, "master 0")
      daemon:wait_place(slaves[1], "slave 0")
      daemon:wait_place(slaves[2], "slave 0")
      os.remove(daemon.out_path)
      daemon:stop_and_check()
      daemon.taken = #daemon:changes() -- the slave that was left out may be told as slave_up
    end
  end)

  it("bears a slave whose row has a tstamp that cannot be", function()
    local master, slave = pg.master {}, pg.master { family = 2 }
    local daemon = plusmoin.start { nodes = { master, slave }, config = { state_file = "state.json",
      is_slave_statement = ("SELECT current_setting('port')::int = %d"):format(slave.port) } }
    daemon.state_path = daemon.dir .. "/state.json"
    local row = master:sql("SELECT master, max(tstamp) FROM heartbeat GROUP BY 1", "plusmoin")[1]
    slave:sql(("SET ROLE plusmoin; CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT);"
      .. "INSERT INTO heartbeat VALUES (0, '%s', %s)"):format(row[1], row[2] + 1000000), "plusmoin")
    daemon:wait_place(slave, "slave 0")
    slave:sql("UPDATE heartbeat SET tstamp = -5", "plusmoin")
    local function shown(state)
      for _, node in ipairs(state.clusters[1] and state.clusters[1].nodes or {}) do
        if node.id == slave.host .. ":" .. slave.port then
          return node.shown
        end
      end
    end
    wait_state(daemon, "the row", function(state) return (shown(state) or 1) <= 0 end)
    daemon:stop_and_check()
    daemon:start()
    daemon:wait_logged("going on from state file")
    assert.is_false(daemon:logged("damaged"))
  end)

  it("goes on with a hold, which has been told, until max_sync_delay after the last connection", function()
    local daemon, master, slaves = begin { slaves = 1, max_sync_delay = 4 }
    wait_members(daemon, 2)
    master:let_in("reject")
    slaves[1]:let_in("reject")
    daemon.config.fresh_connect_interval = 0.3
    proc.write_file(daemon.config_path, daemon:json())
    daemon.process:kill("sighup")
    daemon:expect_any_order { { "node_held", master }, { "node_held", slaves[1] } }
    daemon:stop_and_check()
    local stopped = proc.mono_ms()
    daemon:start()
    restored(daemon:expect_events { { "plusmoin_up", cluster = 0 } }, true)
    daemon:quiet(1.5)
    daemon:wait_place(master, "master 0")
    slaves[1]:let_in("trust")
    proc.wait_for("the end of a hold", 10, function() return daemon:logged("no longer held", slaves[1].name) end,
      function() return daemon:diagnose() end)
    local down = daemon:expect_events { { "master_down", master, reason = "auth" } }
    assert.is_true(down.ms - stopped > 3500, down.ms - stopped)
    master:let_in("trust")
    daemon:expect_events { { "master_up", master }, seconds = 20 }
    daemon:quiet_rounds(2)
  end)

  it("goes on with the grace of a server that restarts meanwhile #matrix", function()
    local daemon, master, slaves = begin { slaves = 1 }
    wait_members(daemon, 2)
    daemon.config.restart_grace = 8
    daemon.config.query_timeout = 2 -- on a busy machine a server's last word takes its time
    proc.write_file(daemon.config_path, daemon:json())
    daemon.process:kill("sighup")
    daemon:wait_logged("configuration reloaded")
    master:stop("fast")
    daemon:wait_logged("no answer", master.name)
    wait_state(daemon, "a word of going", function(state) return state.clusters[1].nodes[1].went_ms > 0 end)
    daemon:kill9()
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    daemon:quiet(1)
    master:start()
    daemon:quiet_rounds(2)
    daemon:wait_place(master, "master 0")
    wait_state(daemon, "none", function(state) return state.clusters[1].nodes[1].went_ms == 0 end)
    -- and it ends when it would have ended
    slaves[1]:stop("fast")
    wait_state(daemon, "a word of going", function(state) return state.clusters[1].nodes[2].went_ms > 0 end)
    local died = proc.mono_ms()
    daemon:kill9()
    proc.watch(2, function() end)
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    local took = daemon:expect_events { { "slave_down", slaves[1], reason = "refused" }, seconds = 20 }.ms - died
    assert.is_true(took > 7000 and took < 12000, took)
  end)

  it("marks a node that joins from nowhere as a difference, too", function()
    local daemon, master, slaves = begin { slaves = 1 }
    local late = master:standby()
    late:stop()
    daemon.config.nodes[3] = { host = late.host, port = late.port }
    proc.write_file(daemon.config_path, daemon:json())
    daemon.process:kill("sighup")
    daemon:wait_place(late, "clusterless")
    wait_members(daemon, 2)
    daemon:kill9()
    late:start()
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    restored(daemon:expect_events { { "slave_up", late, rule = "U3" } }, true)
    slaves[1]:kill9()
    restored(daemon:expect_events { { "slave_down", slaves[1] } }, false)
  end)

  it("waits with its judgement until one node has answered: the network may come later", function()
    local daemon, master, slaves = begin()
    wait_members(daemon, 3)
    daemon:stop_and_check()
    for _, server in ipairs { master, slaves[1], slaves[2] } do
      server:freeze() -- nobody can be reached
    end
    daemon.config.retry_interval = 2 -- it waits for 1 s and so long
    daemon.config.query_timeout = 1 -- thawing three servers takes part of it
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    proc.wait_for("a failure", 5, function() return daemon:logged("no answer", "node=") end,
      function() return daemon:diagnose() end)
    for _, server in ipairs { master, slaves[1], slaves[2] } do
      server:thaw()
    end
    daemon:quiet_rounds(3)
    daemon:wait_place(master, "master 0")
    daemon:wait_place(slaves[1], "slave 0")
  end)

  it("that cannot be written is said once, and nothing else is different", function()
    local daemon, _, slaves = scene.start { slaves = 1, config = { state_file = "/proc/state.json", heartbeat = 0.3 } }
    daemon:quiet_rounds(3)
    local _, count = daemon:log():gsub("cannot write state file /proc/state.json", "")
    assert.equal(1, count)
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
  end)

  it("gives functions event.restored", function()
    local daemon = begin { slaves = 0 }
    wait_members(daemon, 1)
    daemon:stop_and_check()
    daemon.config_path = daemon.dir .. "/plusmoin.lua"
    proc.write_file(daemon.config_path, daemon:lua([[
      config.triggers.plusmoin_up = function(event) print("restored", tostring(event.restored)) end
    ]]))
    daemon:start()
    proc.wait_for("the function", 10, function() return daemon:logged("restored", "true") end,
      function() return daemon:diagnose() end)
    assert.equal("640", ("%o"):format(uv.fs_stat(daemon.state_path).mode & 511))
  end)

  it("is refused where it is another file's place", function()
    local daemon = plusmoin.new { config = { state_file = "status.json" } }
    local code, _, err = daemon:cli("start")
    assert.equal(3, code)
    assert.truthy(err:find("state_file", 1, true))
  end)
end)
