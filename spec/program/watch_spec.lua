-- `plusmoin watch`, and the request `events` that it asks.
local has = require "spec.support.has"
local machine = require "spec.support.machine"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local ESC = "\27"

local function watch(daemon)
  return proc.spawn({ plusmoin.binary(), "-c", daemon.config_path, "watch" }, { cwd = daemon.dir })
end

local function wait_for(process, what)
  proc.wait_for(what, 10, function() return process:out():find(what, 1, true) end,
    function() return process:out() .. process:err() end)
end

describe("watch", function()
  after_each(scene.finish)

  it("shows the fleet and its last events, in 80 columns, until it is interrupted #core", function()
    local daemon, master, slaves = scene.start()
    local process = watch(daemon)
    wait_for(process, "all is well")
    has(process:out(), master.name, "plusmoin_up cluster 0")
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
    wait_for(process, "slave_down cluster 0 " .. slaves[1].name .. " by S1: ")
    wait_for(process, "1 not well")
    for line in process:out():gmatch("[^\n]+") do
      assert.is_true(utf8.len(line) <= 80, line)
    end
    assert.is_nil(process:out():find(ESC, 1, true))
    daemon:stop_and_check()
    wait_for(process, "NO ANSWER")
    daemon:start()
    local before = #process:out()
    proc.wait_for("an answer again", 10, function() return process:out():find("all is well", before, true) or
      process:out():find("not well", before, true) end)
    process:kill("sigint")
    assert.equal(0, (process:wait(5)))
  end)

  it("without a daemon ends with 1", function()
    local daemon = plusmoin.new {}
    local code, _, err = daemon:cli("watch")
    assert.equal(1, code)
    has(err, "no daemon answers at", daemon.config.control_socket)
  end)

  it("redraws a terminal, in colours unless NO_COLOR is set", function()
    machine.need("terminal")
    local daemon = scene.start { slaves = 0 }
    for _, no_color in ipairs { false, "1" } do
      local process = proc.spawn({ "script", "-qfec", ("%s -c %s watch"):format(plusmoin.binary(), daemon.config_path),
        "/dev/null" }, { cwd = daemon.dir, env = { NO_COLOR = no_color, TERM = "xterm" } })
      wait_for(process, "plusmoin_up")
      process:kill("sigterm") -- the program loses its terminal, which ends it
      process:wait(10)
      local out = process:out()
      has(out, ESC .. "[H", "all is well")
      assert.equal(not no_color, out:find(ESC .. "[32m", 1, true) ~= nil)
    end
  end)
end)

describe("the request events", function()
  after_each(scene.finish)

  it("answers the last ones, oldest first, behind one that is named", function()
    local daemon, _, slaves = scene.start { slaves = 1 }
    daemon:wait_place(slaves[1], "slave 0")
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
    local answer = daemon:ask { request = "events" }
    assert.is_true(answer.ok)
    assert.same({ "plusmoin_up", "slave_down" }, { answer.events[1].name, answer.events[2].name })
    local event = answer.events[2]
    assert.same({ slaves[1].name, "S1", 0, false }, { event.node, event.rule, event.cluster_id, event.restored })
    assert.is_true(event.reason == "refused" or event.reason == "reset", event.reason)
    assert.is_true(math.abs(event.time - os.time()) < 60)
    answer = daemon:ask { request = "events", since = answer.events[1].id }
    assert.equal(1, #answer.events)
    assert.equal("slave_down", answer.events[1].name)
    assert.same({}, daemon:ask({ request = "events", since = event.id }).events)
  end)
end)
