-- One C call that does not return holds its script host: the rest goes on, the
-- host is left behind and a new one is started, two at most.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local BODY = [[
local pm = require "plusmoin"
local function hold()
  return (("a"):rep(40)):find(("a?"):rep(40) .. ("a"):rep(40)) -- the line that is named: takes for ever
end
local runs = 0
config.lua = { patience = PATIENCE }
]]

local function body(patience, rest)
  return (BODY:gsub("PATIENCE", tostring(patience))) .. rest
end

describe("a function that holds its host in one C call", function()
  after_each(scene.finish)

  it("is named, and stops neither polls nor commands nor the status; a new host takes over", function()
    local a, slaves_a = pg.cluster(1)
    local b, slaves_b = pg.cluster(1, { family = 2 })
    local daemon = plusmoin.start { nodes = { a, slaves_a[1], b, slaves_b[1] }, clusters = 2,
      config = { trigger_timeout = 1 }, lua = body(4, [[
config.triggers.slave_down = { function(event)
  if event.cluster_id == 0 and not pm.state.held then
    pm.state.held = true
    hold()
  end
  pm.log.info("fine in %d", event.cluster_id)
end, config.triggers.slave_down }
]]) }
    slaves_a[1]:kill9()
    proc.wait_for("the word of it", 10, function()
      return daemon:logged("the script host gives no sign", "plusmoin.lua:4")
    end, function() return daemon:diagnose() end)
    daemon:expect_events { { "slave_down", slaves_a[1], cluster = 0 } } -- the command behind it
    daemon:wait_logged("timed out and was ended", "slave_down", "plusmoin.lua:4")
    local asked = proc.mono_ms()
    assert.is_true(daemon:ask({ request = "status" }).ok)
    assert.is_true(proc.mono_ms() - asked < 1000)
    slaves_a[1]:start()
    daemon:expect_events { { "slave_up", slaves_a[1], cluster = 0 } } -- a command alone
    slaves_b[1]:kill9() -- its function waits for the new host, and is not lost
    daemon:expect_events { { "slave_down", slaves_b[1], cluster = 1 } }
    daemon:wait_logged("the script host is left behind")
    daemon:wait_logged("fine in 1")
  end)

  it("goes on when the call returns in time", function()
    local fifo = proc.new_dir("fifo") .. "/f"
    proc.must({ "mkfifo", fifo })
    local rest = [[
config.triggers.plusmoin_heartbeat = function()
  runs = runs + 1
  if runs == 1 then
    io.open("FIFO", "r"):close() -- waits in the kernel until somebody writes
  end
  pm.log.info("run %d", runs)
end
]]
    local daemon = scene.start { slaves = 0, config = { trigger_timeout = 0.5 },
      lua = body(30, (rest:gsub("FIFO", fifo))) }
    proc.wait_for("the word of it", 10, function() return daemon:logged("the script host gives no sign") end,
      function() return daemon:diagnose() end)
    proc.must({ "sh", "-c", "exec 3<> " .. fifo }) -- somebody who writes, for a moment; never blocks
    proc.wait_for("the host", 5, function() return daemon:logged("the script host goes on") end,
      function() return daemon:diagnose() end)
    proc.wait_for("the next run", 5, function() return daemon:logged("run 2") end,
      function() return daemon:diagnose() end)
  end)

  it("is left behind twice, then Lua triggers are dropped; the daemon goes on and ends well", function()
    local daemon = scene.start { slaves = 0, config = { trigger_timeout = 0.3, heartbeat = 0.3 }, lua = body(1, [[
config.triggers.plusmoin_heartbeat = { hold, function() hold() end, config.triggers.slave_down }
]]) }
    proc.wait_for("the third", 30, function() return daemon:logged("2 script hosts are left behind already") end,
      function() return daemon:diagnose() end)
    proc.wait_for("a drop", 5, function() return daemon:logged("dropped: no script host", "plusmoin_heartbeat") end,
      function() return daemon:diagnose() end)
    local before = #daemon:events()
    proc.wait_for("commands to go on", 5, function() return #daemon:events() > before + 2 end)
    assert.is_true(daemon:ask({ request = "status" }).ok)
  end)
end)
