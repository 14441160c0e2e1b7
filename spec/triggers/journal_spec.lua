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
    assert.equal(event.env.PLUSMOIN_NODE_REASON, line.reason)
    assert.equal("S1", line.rule)
    assert.equal(master.name, line.master)
    assert.same({ slaves[1].name }, line.lost)
    assert.is_true(os.rename(path, path .. ".1"))
    slaves[1]:start()
    daemon:expect_events { { "slave_up", slaves[1] } }
    assert.equal(1, #lines_of(path .. ".1"))
    assert.equal("slave_up", lines_of(path)[1].event)
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

  it("says what is wrong, at the load and in a run", function()
    local daemon = scene.start { slaves = 0, files = { ["journal.lua"] = SOURCE },
      triggers = { plusmoin_heartbeat = entry("/no/such/directory/j") } }
    proc.wait_for("the error", 5, function() return daemon:logged("journal: /no/such/directory/j: No such file") end)
    daemon.config.triggers.plusmoin_heartbeat = { lua = "journal.lua", settings = { fil = "x" } }
    proc.write_file(daemon.config_path, daemon:json())
    daemon.process:kill("sighup")
    proc.wait_for("the refusal", 10, function() return daemon:logged("journal: unknown setting", "fil") end,
      function() return daemon:diagnose() end)
  end)
end)
