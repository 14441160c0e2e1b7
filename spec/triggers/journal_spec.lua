-- triggers/journal.lua: a line of JSON for every event.
local fleet = require "spec.support.fleet"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local cjson = require "cjson"

local SOURCE = assert(io.open("triggers/journal.lua")):read("a")

-- A trigger's entry that writes to `file`.
local function entry(file)
  return { lua = "journal.lua", settings = { file = file } }
end

local function lines_of(path)
  local lines = {}
  for line in (proc.read_file(path) or ""):gmatch("([^\n]*)\n") do
    lines[#lines + 1] = cjson.decode(line)
  end
  return lines
end

-- A trigger file that writes each event 400 times, in lines longer than a block of stdio.
local BURST = [[
local pm = require "plusmoin"
local settings = ...
local journal = assert(loadfile(settings.journal)) { file = settings.file }
return function(event)
  for i = 1, 300 do
    event.slaves[i] = { name = ("slave%d.of.a.crowd.example.com:5432"):format(i) }
  end
  for _ = 1, 400 do
    journal(event)
  end
  pm.log.info("burst written")
end
]]

describe("triggers/journal.lua", function()
  after_each(scene.finish)

  it("writes what happened, and a new file after a rotation", function()
    local master, slaves = pg.cluster(1)
    local path = proc.new_dir("journal") .. "/j"
    local daemon = plusmoin.new { nodes = { master, slaves[1] }, files = { ["journal.lua"] = SOURCE } }
    local recorder = daemon.config.triggers.slave_down
    for _, event in ipairs { "slave_down", "slave_up", "master_down" } do
      daemon.config.triggers[event] = { entry(path), recorder }
    end
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    daemon:expect_events { { "plusmoin_up" } }
    slaves[1]:kill9()
    local event = daemon:expect_events { { "slave_down", slaves[1] } }
    local line = lines_of(path)[1]
    assert.equal("slave_down", line.event)
    assert.equal(event.env.PLUSMOIN_EVENT_ID, line.id)
    assert.equal(slaves[1].name, line.node)
    assert.equal(slaves[1].host, line.node_host)
    assert.equal(slaves[1].port, line.node_port)
    assert.equal(event.env.PLUSMOIN_NODE_REASON, line.reason)
    assert.equal("S1", line.rule)
    assert.equal(master.name, line.master)
    assert.equal(master.port, line.master_port)
    assert.equal(os.date("!%Y-%m-%dT%H:%M:%S", math.floor(line.time)), line.at:match("^(.*)%.%d%d%dZ$"))
    assert.same({ slaves[1].name }, line.lost)
    assert.is_true(os.rename(path, path .. ".1"))
    slaves[1]:start()
    daemon:expect_events { { "slave_up", slaves[1] } }
    assert.equal(1, #lines_of(path .. ".1"))
    assert.equal("slave_up", lines_of(path)[1].event)
    proc.write_file(path, '{"cut":"o') -- as a full disk leaves it
    master:kill9()
    daemon:expect_events { { "master_down", master } }
    local cut, rest = proc.read_file(path):match("^([^\n]*)\n([^\n]*)\n$")
    assert.equal('{"cut":"o', cut)
    assert.equal("master_down", cjson.decode(rest).event)
    assert.equal(master.name, cjson.decode(rest).node)
  end)

  it("does not mix the lines of many clusters", function()
    local names = {}
    for i = 1, 20 do
      names[i] = "n" .. i
    end
    local _, nodes = fleet.start(names)
    local path = proc.new_dir("journal") .. "/j"
    local daemon = plusmoin.start { nowait = true, nodes = {}, files = { ["journal.lua"] = SOURCE },
      triggers = { plusmoin_heartbeat = entry(path) },
      config = { nodes = nodes, heartbeat = 0.05, retry_interval = 0.05, query_timeout = 5, log_level = "error" } }
    proc.wait_for("many lines", 20, function() return #lines_of(path) > 500 end,
      function() return daemon:diagnose() end)
    for _, line in ipairs(lines_of(path)) do
      assert.equal("plusmoin_heartbeat", line.event)
    end
  end)

  it("does not mix long lines of two programs that write at once", function()
    local nodes = { (pg.cluster(0)), (pg.cluster(0, { family = 2 })) }
    local path, daemons = proc.new_dir("journal") .. "/j", {}
    for i, node in ipairs(nodes) do
      daemons[i] = plusmoin.new { nodes = { node }, files = { ["burst.lua"] = BURST, ["journal.lua"] = SOURCE } }
      daemons[i].config.triggers.plusmoin_up = { lua = "burst.lua",
        settings = { journal = daemons[i].dir .. "/journal.lua", file = path } }
      proc.write_file(daemons[i].config_path, daemons[i]:json())
    end
    for _, daemon in ipairs(daemons) do
      daemon:start()
    end
    for _, daemon in ipairs(daemons) do
      proc.wait_for("its burst", 20, function() return daemon:logged("burst written") end,
        function() return daemon:diagnose() end)
    end
    local lines = lines_of(path)
    assert.equal(800, #lines)
    for _, line in ipairs(lines) do
      assert.equal(300, #line.slaves)
    end
  end)

  it("says what is wrong in a run, and the daemon goes on", function()
    local daemon = scene.start { slaves = 0, files = { ["journal.lua"] = SOURCE },
      triggers = { plusmoin_heartbeat = { entry("/no/such/directory/j"), entry("/dev/full") } } }
    for _, words in ipairs { "/no/such/directory/j: No such file", "/dev/full: No space left on device" } do
      proc.wait_for("the error", 5, function() return daemon:logged("journal: " .. words, "plusmoin_heartbeat") end,
        function() return daemon:diagnose() end)
    end
    daemon.config.triggers.plusmoin_heartbeat = daemon.recorder
    proc.write_file(daemon.config_path, daemon:json())
    daemon.process:kill("sighup")
    daemon:wait_event("plusmoin_heartbeat")
  end)

  it("says what is wrong with its settings, at the load", function()
    local wrong = {
      ['unknown setting "fil"'] = { fil = "/x" },
      ["settings.file is missing; allowed: the absolute path of a file"] = {},
      ["settings.file is 1; allowed: the absolute path of a file"] = { file = 1 },
      ['settings.file is "j"; allowed: the absolute path of a file'] = { file = "j" },
    }
    for words, settings in pairs(wrong) do
      local daemon = plusmoin.new { files = { ["journal.lua"] = SOURCE },
        triggers = { slave_up = { lua = "journal.lua", settings = settings } } }
      local code, out, err = daemon:cli("-x", "start")
      assert.equal(3, code)
      assert.truthy((out .. err):find("triggers.slave_up.lua: ", 1, true), out .. err)
      assert.truthy((out .. err):find("journal: " .. words, 1, true), out .. err)
    end
  end)
end)
