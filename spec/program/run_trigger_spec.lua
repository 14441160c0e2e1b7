-- `plusmoin run-trigger`: a trigger run by hand, with the real API.
local cjson = require "cjson"
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local TELL = [[
local pm = require "plusmoin"
local settings = ...
return { timeout = 2, run = function(event)
  local function names(nodes)
    local list = {}
    for i, node in ipairs(nodes) do list[i] = node.name .. "=" .. node.state .. (node.reason and "/" .. node.reason
      or "") end
    return table.concat(list, " ")
  end
  pm.log.info("event %s about %s, master %s, slaves %s, lost %s, rule %s, set to %s", event.name,
    event.trigger and names { event.trigger } or "nobody", event.master and event.master.name or "none",
    names(event.slaves), names(event.lost), tostring(event.rule), tostring(settings.word))
  local cluster = pm.cluster(event.cluster_id)
  pm.log.info("clusters %d, master %s", #pm.clusters(), cluster.master and cluster.master.name or "none")
  if settings.ask then
    pm.log.info("asked: %s", pm.query(event.master, "SELECT current_user::text u")[1].u)
  end
  if settings.then_fail then error("on purpose") end
end }
]]

-- A configuration with `triggers` and the files tell.lua, and what `files` says; not started.
local function new(nodes, triggers, files)
  local all = { ["tell.lua"] = TELL }
  for name, text in pairs(files or {}) do
    all[name] = text
  end
  return plusmoin.new { nodes = nodes, triggers = triggers, files = all }
end

local function event_file(daemon, event)
  local path = daemon.dir .. "/event.json"
  proc.write_file(path, type(event) == "string" and event or cjson.encode(event))
  return path
end

local UP = { name = "master_up", cluster_id = 3, rule = "M4", trigger = { host = "b" }, master = { host = "b" },
  slaves = { { host = "c", lag = 0.5 } }, lost = { { host = "a", port = 5433, reason = "refused" } } }

describe("run-trigger", function()
  after_each(scene.finish)

  it("runs a file with the event of a file, and with its settings of the configuration #core", function()
    local daemon = new({}, { slave_up = { lua = "tell.lua", settings = { word = "configured" } } })
    local code, out, err = daemon:cli("run-trigger", daemon.dir .. "/tell.lua", event_file(daemon, UP))
    assert.equal(0, code, out .. err)
    has(out,
      "event master_up about b:5432=master, master b:5432, slaves c:5432=slave, lost a:5433=lost/refused, rule M4, "
      .. "set to configured", "clusters 1, master b:5432", "done in ")
    code, out, err = daemon:cli("run-trigger", "tell.lua", event_file(daemon, UP)) -- a name: beside the configuration
    assert.equal(0, code, out .. err)
    has(out, "set to configured")
  end)

  it("runs what is configured for an event, one or all of it #core", function()
    local daemon = new({}, { master_up = { { lua = "tell.lua", settings = { word = "one" } }, "/bin/true",
      { lua = "tell.lua", settings = { word = "three", then_fail = true } } } })
    local path = event_file(daemon, UP)
    local code, out, err = daemon:cli("run-trigger", "master_up[1]", path)
    assert.equal(0, code, out .. err)
    has(out, "set to one")
    assert.is_nil(out:find("three", 1, true))
    code, out, err = daemon:cli("run-trigger", "master_up", path)
    assert.equal(1, code)
    has(out, "set to one", "set to three")
    has(err, "triggers.master_up[2] is a command, /bin/true: run it by hand",
      "triggers.master_up[3] failed after ", "tell.lua:", "on purpose", "stack traceback:")
    code, out, err = daemon:cli("run-trigger", "master_up[4]", path)
    assert.equal(1, code)
    has(out .. err, "master_up: the configuration has no such function")
  end)

  it("makes an event of the running daemon's state, which it leaves alone", function()
    local master, slaves = pg.cluster(2)
    local daemon = new({ master, table.unpack(slaves) }, { plusmoin_up = false })
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    daemon:wait_status("all there", function(status)
      return status.clusters[1] and #status.clusters[1].slaves == 2
    end)
    local function try(...)
      local code, out, err = daemon:cli("run-trigger", ...)
      assert.equal(0, code, out .. err)
      return out
    end
    daemon.config.triggers.slave_down = { lua = "tell.lua", settings = { word = "w", ask = true } }
    proc.write_file(daemon.config_path, daemon:json())
    has(try("slave_down"), "event slave_down about " .. slaves[1].name .. "=lost/refused, master " .. master.name
      .. ", slaves " .. slaves[2].name .. "=slave, lost " .. slaves[1].name .. "=lost/refused", "asked: plusmoin")
    has(try("tell.lua"), "event plusmoin_heartbeat about nobody, master " .. master.name, "asked: plusmoin")
    daemon.config.triggers.master_down = { lua = "tell.lua" }
    daemon.config.triggers.slave_up = { lua = "tell.lua" }
    proc.write_file(daemon.config_path, daemon:json())
    has(try("master_down"), "event master_down about " .. master.name .. "=lost/refused, master none",
      "clusters 1, master none")
    daemon.config.triggers.split_brain = { lua = "rival.lua" }
    proc.write_file(daemon.dir .. "/rival.lua",
      "return function(event) print(event.trigger.name .. ' against ' .. event.rival.name) end")
    proc.write_file(daemon.config_path, daemon:json())
    has(try("split_brain"), master.name .. " against " .. slaves[1].name)
    has(try("slave_up"), "event slave_up about " .. slaves[1].name .. "=slave, master " .. master.name)
    daemon.config.triggers.monitor_isolated = { lua = "own.lua" }
    proc.write_file(daemon.dir .. "/own.lua",
      "return function(event) print(event.name, event.cluster_id, event.trigger, event.master, #event.clusterless) end")
    proc.write_file(daemon.config_path, daemon:json())
    has(try("monitor_isolated"), "monitor_isolated\\t-1\\tnil\\tnil\\t0")
    daemon:quiet_rounds(2)
  end)

  it("ends with 1 when a run fails, takes too long or is broken off", function()
    local daemon = new({}, {}, {
      ["sleeps.lua"] = "local pm = require 'plusmoin' return { timeout = 0.3, run = function() pm.sleep(60) end }",
      ["hangs.lua"] = "return { timeout = 0.3, "
        .. "run = function() (('a'):rep(40)):find(('a?'):rep(40) .. ('a'):rep(40) .. 'b') end }",
      ["waits.lua"] = "local pm = require 'plusmoin' "
        .. "return function() pm.log.info('it waits') pm.exec { 'sleep', '60' } end",
    })
    local path = event_file(daemon, UP)
    local code, out, err = daemon:cli("run-trigger", "sleeps.lua", path)
    assert.equal(1, code)
    has(out .. err, "sleeps.lua timed out and was ended after 0.3", "sleeps.lua:1")
    code, out, err = daemon:cli("run-trigger", "hangs.lua", path)
    assert.equal(1, code)
    has(out .. err, "hangs.lua", "gives no sign since", "hangs.lua:1")
    local process = proc.spawn({ plusmoin.binary(), "-c", daemon.config_path, "run-trigger", "waits.lua", path })
    proc.wait_for("its log", 10, function() return process:out():find("it waits", 1, true) end)
    process:kill("sigint")
    assert.equal(1, (process:wait()))
  end)

  it("gives the witnesses of an event of a file", function()
    local daemon = new({}, { master_unreachable = { lua = "heard.lua" } },
      { ["heard.lua"] = "return function(event) print('heard by ' .. event.witnesses[2].name) end" })
    local code, out, err = daemon:cli("run-trigger", "master_unreachable", event_file(daemon, { cluster_id = 0,
      rule = "P6", trigger = { host = "a" }, master = { host = "a" }, slaves = { { host = "b" }, { host = "c" } },
      witnesses = { { host = "b" }, { host = "c", port = 5433 } } }))
    assert.equal(0, code, out .. err)
    has(out, "heard by c:5433")
  end)

  it("gives what only an event of several monitors has", function()
    local daemon = new({}, { slave_down = { lua = "votes.lua" } }, { ["votes.lua"] = [[
      return function(event)
        local vote = event.votes[1]
        print(("term %d, rerun %s, %s %s %s"):format(event.term, event.rerun, vote.monitor, vote.sees, vote.reason))
      end]] })
    local code, out, err = daemon:cli("run-trigger", "slave_down", event_file(daemon, { cluster_id = 0, term = 7,
      rerun = true, trigger = { host = "b" }, votes = { { monitor = "m", sees = "fails", reason = "hung" } } }))
    assert.equal(0, code, out .. err)
    has(out, "term 7, rerun true, m fails hung")
  end)

  it("says what is wrong with its arguments, the event and the file", function()
    local daemon = new({}, {}, { ["bad.lua"] = "error('bad settings', 0)" })
    local function fails(status, words, ...)
      local code, out, err = daemon:cli("run-trigger", ...)
      assert.equal(status, code, out .. err)
      has(out .. err, words)
    end
    fails(2, "run-trigger needs a Lua file, or an event's name")
    fails(2, "master_upp: is nothing that can be run; allowed: FILE.lua, or an event", "master_upp")
    fails(2, "allowed: FILE.lua", "master_up[x]")
    fails(2, "one verb is enough: c", "a.lua", "b", "c")
    fails(1, "/nowhere.json: No such file", "tell.lua", "/nowhere.json")
    fails(1, "line 1, column 2", "tell.lua", event_file(daemon, "{x"))
    fails(1, 'has no "name" of an event; allowed: plusmoin_up', "tell.lua", event_file(daemon, "{}"))
    fails(1, 'a node has no "host"', "tell.lua", event_file(daemon, { name = "master_up", master = { port = 5 } }))
    fails(1, "unknown reason", "tell.lua", event_file(daemon, { name = "master_up", lost = { { host = "h",
      reason = "x" } } }))
    fails(1, '"rule" is unknown; allowed: M1', "tell.lua", event_file(daemon, { name = "master_up", rule = "X9" }))
    fails(1, 'a vote is wrong; allowed: {"monitor": "name", "sees": "answers"', "tell.lua", event_file(daemon,
      { name = "slave_down", votes = { { monitor = "a", sees = "nothing" } } }))
    fails(1, "no daemon answers", "tell.lua")
    local path = event_file(daemon, UP)
    fails(3, "no such file: tried ", "absent.lua", path)
    fails(3, "bad settings", "bad.lua", path)
  end)
end)
