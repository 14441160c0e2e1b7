-- A script host that is made again, after a function has held it or filled its memory, is what was accepted:
-- only a reload reads the disk. And what a function that holds its host costs the others.
local cjson = require "cjson"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

-- A pipe in which whoever opens it waits in the kernel, and costs nothing, until `release` is called.
local function new_trap()
  local trap = { path = proc.new_dir("fifo") .. "/f" }
  proc.must({ "mkfifo", trap.path })
  proc.give(trap.path)
  function trap.release()
    trap.fd = trap.fd or assert(uv.fs_open(trap.path, "r+", 0))
  end
  return trap
end

-- The text with what `words` say in place of the words in capitals.
local function fill(text, words)
  return (text:gsub("%f[%u]%u%u+%f[%U]", words))
end

local function wait(daemon, what, fn, seconds)
  return proc.wait_for(what, seconds or 20, fn, function() return daemon:diagnose() end)
end

-- How often the log has these words.
local function count(daemon, words)
  local _, times = daemon:log():gsub(words:gsub("%p", "%%%0"), "")
  return times
end

local function wait_count(daemon, words, times)
  wait(daemon, ("%s, %d times"):format(words, times), function() return count(daemon, words) >= times end)
end

-- The files of a configuration; `version` stands in all of them.
local MODULE = "return 'module VERSION'\n"
local LATE = "return 'late VERSION'\n"
local CHUNK = "return 'chunk VERSION'\n"
local LINES = "line VERSION\n"
local TRIGGER = [[
local pm = require "plusmoin"
local settings = ...
local word = require "module"
return function(event)
  local late = event.name == "slave_down" and require "late" or nil
  if late and not pm.state.held then
    pm.state.held = true
    pm.log.info("holds")
    io.open(settings.trap):close()
    return
  end
  pm.log.info("%s: file VERSION, %s, %s, %s.", event.name, word, settings.word, require "late")
end
]]
local CONFIGURATION = [[
local pm = require "plusmoin"
local here = debug.getinfo(1, "S").source:match("^@(.*)/")
local words = { require "module", dofile(here .. "/chunk.lua"), assert(loadfile(here .. "/chunk.lua"))(),
  io.open(here .. "/lines"):read("a"), io.lines(here .. "/lines")(), tostring(io.open(here .. "/none")),
  tostring(os.getenv("WORD")), tostring(pcall(require, "nowhere")), package.searchpath("module", here .. "/?.lua"),
  tostring(os.rename(here .. "/none", here)),
  #io.open(here .. "/empty"):read("a"), tostring(io.open(here) ~= nil), tostring(os.remove(here .. "/gone")) }
assert(os.remove(os.tmpname()))
local out = assert(io.open(here .. "/out", "a"))
out:write("written\n")
out:close()
local settings = { trap = "TRAP", word = "VERSION" }
config.triggers.slave_down = { { lua = "trigger.lua", settings = settings }, config.triggers.slave_down }
config.triggers.slave_up = { { lua = "trigger.lua", settings = settings }, function()
  pm.log.info("function VERSION, %s.", table.concat(words, ", "))
end, config.triggers.slave_up }
]]

local function files_of(version)
  local words = { VERSION = version }
  return { ["module.lua"] = fill(MODULE, words), ["late.lua"] = fill(LATE, words),
    ["trigger.lua"] = fill(TRIGGER, words), ["chunk.lua"] = fill(CHUNK, words),
    lines = fill(LINES, words), empty = "", gone = "" }
end

local function write_files(daemon, files)
  for name, text in pairs(files) do
    proc.write_file(daemon.dir .. "/" .. name, text)
  end
end

-- A function holds its host while the files are no longer what was accepted; the host that follows is: its
-- functions say `expected` (patterns), and nodes stay. `spoil(daemon)` does that to the files.
local function check_again(daemon, trap, slave, spoil, expected)
  slave:kill9()
  wait(daemon, "the hold", function() return daemon:logged(" holds ") end)
  spoil()
  daemon:expect_events { { "slave_down", slave, cluster = 0 } } -- the command behind the function
  slave:start()
  daemon:expect_events { { "slave_up", slave, cluster = 0 } } -- of a node that the disk has not
  for _, words in ipairs(expected) do
    wait(daemon, words, function() return daemon:log():find(words) end, 10)
  end
  assert.is_false(daemon:logged("NEW"))
  assert.is_false(daemon:logged("configuration reloaded"))
  daemon:wait_logged("a new script host runs triggers in Lua", "as it was accepted")
  local lua = daemon:ask({ request = "status" }).lua
  assert.same({ state = "runs", why = cjson.null, made_again = 1, not_called = {}, left_behind = 1 }, lua)
  trap.release()
  daemon:wait_logged("a script host that was left behind has ended")
end

local function reload(daemon)
  local answer = daemon:ask({ request = "reload" }, 15)
  assert(answer.ok, answer.error)
end

describe("a script host that is made again", function()
  after_each(scene.finish)

  it("is that of the Lua configuration that was accepted, whatever the files are now; a reload takes them", function()
    local master, slaves = pg.cluster(1)
    local trap = new_trap()
    local daemon = plusmoin.new { nodes = { master, slaves[1] }, files = files_of("OLD"),
      config = { lua = { patience = 2 } }, lua = fill(CONFIGURATION, { TRAP = trap.path, VERSION = "OLD" }) }
    daemon:start { env = { WORD = "set" } }
    daemon:expect_events { { "plusmoin_up" } }
    local out = proc.read_file(daemon.dir .. "/out")
    check_again(daemon, trap, slaves[1], function()
      proc.write_file(daemon.config_path, daemon:lua("config.nodes, config.triggers = {}, {}"))
      assert(uv.fs_unlink(daemon.dir .. "/module.lua"))
      assert(uv.fs_chmod(daemon.dir .. "/trigger.lua", 0))
      assert(uv.fs_unlink(daemon.dir .. "/chunk.lua"))
      write_files(daemon, { ["late.lua"] = fill(LATE, { VERSION = "NEW" }), lines = "NEW", none = "NEW",
        ["nowhere.lua"] = "return 'NEW'", empty = "NEW", gone = "is here again" })
    end, { "slave_up: file OLD, module OLD, OLD, late OLD%.",
      "function OLD, module OLD, chunk OLD, chunk OLD, line OLD\\n, line OLD, nil, " ..
      "set, false, [^,]*/module%.lua, nil, 0, true, %a+%." })
    assert.equal("is here again", proc.read_file(daemon.dir .. "/gone")) -- what the load did is not done again
    assert.equal(out, proc.read_file(daemon.dir .. "/out"))
    local code, shown = daemon:cli("status")
    assert.equal(0, code)
    assert.truthy(shown:find("the script host was made again (1) from the configuration as it", 1, true), shown)
    assert(uv.fs_chmod(daemon.dir .. "/trigger.lua", 420))
    write_files(daemon, files_of("NEW"))
    proc.write_file(daemon.config_path, daemon:lua(fill(CONFIGURATION, { TRAP = trap.path, VERSION = "NEW" })))
    reload(daemon)
    assert.equal(0, daemon:ask({ request = "status" }).lua.made_again)
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1], cluster = 0 } }
    daemon:wait_logged("slave_down: file NEW, module NEW, NEW, late NEW.")
  end)

  it("is that of the JSON configuration that was accepted; nodes and settings are not read anew", function()
    local master, slaves = pg.cluster(1)
    local trap = new_trap()
    local entry = { lua = "trigger.lua", settings = { trap = trap.path, word = "OLD" } }
    local daemon = plusmoin.new { nodes = { master, slaves[1] }, files = files_of("OLD"),
      config = { lua = { patience = 2 } } }
    local triggers = daemon.config.triggers
    triggers.slave_down, triggers.slave_up = { entry, triggers.slave_down }, { entry, triggers.slave_up }
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    daemon:expect_events { { "plusmoin_up" } }
    check_again(daemon, trap, slaves[1], function()
      local nodes = daemon.config.nodes
      daemon.config.nodes = { nodes[1] } -- without the slave
      entry.settings.word = "NEW"
      proc.write_file(daemon.config_path, daemon:json())
      write_files(daemon, files_of("NEW"))
      assert(uv.fs_chmod(daemon.dir .. "/module.lua", 0))
      assert(uv.fs_unlink(daemon.dir .. "/trigger.lua"))
    end, { "slave_up: file OLD, module OLD, OLD, late OLD%." })
    write_files(daemon, files_of("NEW"))
    assert(uv.fs_chmod(daemon.dir .. "/module.lua", 420))
    reload(daemon)
    daemon:wait_status("the slave gone", function()
      return not select(2, daemon:status_file()):find('"port":' .. slaves[1].port .. ",", 1, true)
    end)
  end)

  it("because its memory is full is the accepted one, too", function()
    local daemon = scene.start { slaves = 0, config = { lua = { memory_limit = 8 } }, lua = [[
local pm = require "plusmoin"
local kept = {}
config.triggers.plusmoin_heartbeat = function()
  if not pm.state.full and pm.state.begin then
    pm.state.full = true
    while true do kept[#kept + 1] = ("x"):rep(1000) .. #kept end
  end
  pm.log.info("keeps %d", #kept)
end
config.triggers.plusmoin_up = { function()
  pm.state.begin = true
end, config.triggers.plusmoin_up }
]] }
    proc.write_file(daemon.config_path, "error('not reviewed')\n")
    daemon:wait_logged("what triggers in Lua keep takes most of lua.memory_limit")
    wait(daemon, "a run of it", function() return daemon:log():find("takes most of.* keeps 0 ") end)
    assert.is_false(daemon:logged("not reviewed"))
    daemon:wait_logged("a new script host runs triggers in Lua")
  end)

  it("with other functions than before, or that reads other files, is none: dropped until a reload", function()
    for words, text in pairs {
      ["triggers.plusmoin_heartbeat is another function than before"] = [[
local number = pm.now()
config.triggers.plusmoin_heartbeat = load(
  ("return function() require('plusmoin').log.info('made at %.6f') end"):format(number))()
]],
      ["which it did not when it was accepted"] = [[
pcall(io.open, "/tmp/" .. ("%.6f"):format(pm.now()))
config.triggers.plusmoin_heartbeat = function() pm.log.info("made at it") end
]],
    } do
      local trap = new_trap()
      local daemon = scene.start { slaves = 0, config = { lua = { patience = 1.5 } }, lua = [[
local pm = require "plusmoin"
]] .. text .. fill([[
config.triggers.plusmoin_up = { function()
  if not pm.state.loaded then
    pm.state.loaded = true
    io.open("TRAP"):close()
  end
end, config.triggers.plusmoin_up }
]], { TRAP = trap.path }) }
      daemon:wait_logged("no script host can be made from the configuration as it was accepted", words,
        "triggers in Lua are dropped until a reload")
      daemon:wait_logged("dropped: no script host could run it, until a reload")
      local lua = daemon:ask({ request = "status" }).lua
      assert.equal("drops", lua.state)
      assert.truthy(lua.why:find(words, 1, true), lua.why)
      local _, out = daemon:cli("status")
      assert.truthy(out:find("!!! triggers in Lua are dropped: ", 1, true), out)
      local before = count(daemon, "made at ")
      reload(daemon)
      wait_count(daemon, "made at ", before + 1)
      assert.equal("runs", daemon:ask({ request = "status" }).lua.state)
      scene.finish(trap.release)
    end
  end)
end)

describe("a function that holds its host", function()
  after_each(scene.finish)

  it("delays others for lua.patience, not for its own timeout, and what had not begun is not lost", function()
    local a, slaves_a = pg.cluster(1)
    local b, slaves_b = pg.cluster(1, { family = 2 })
    local trap = new_trap()
    local daemon = plusmoin.start { nodes = { a, slaves_a[1], b, slaves_b[1] }, clusters = 2,
      config = { trigger_timeout = 60, lua = { patience = 3 } }, lua = fill([[
local pm = require "plusmoin"
config.triggers.slave_down = { function(event)
  if event.cluster_id == 0 then
    pm.log.info("holds")
    io.open("TRAP"):close()
  end
end, config.triggers.slave_down }
config.triggers.master_down = { function() pm.log.info("told") end, config.triggers.master_down }
]], { TRAP = trap.path }) }
    slaves_a[1]:kill9()
    wait(daemon, "the hold", function() return daemon:logged(" holds ") end)
    b:kill9() -- its function is given to the host that is held
    daemon:expect_events { { "slave_down", slaves_a[1], cluster = 0 }, { "master_down", b, cluster = 1, seconds = 20 } }
    daemon:wait_logged(" told ")
    assert.is_false(daemon:logged("trigger=triggers.master_down[1]", " failed "))
    daemon:wait_logged("slave_down", "gives no sign since", "it holds its script host in one call")
    trap.release()
  end)

  it("twice is not called again before a reload; status says so, and others go on", function()
    local trap = new_trap()
    local daemon = scene.start { slaves = 0, config = { lua = { patience = 1.5 } }, lua = fill([[
local pm = require "plusmoin"
config.triggers.plusmoin_heartbeat = { function()
  pm.log.info("makes a call")
  if not pm.state.quiet then
    io.open("TRAP"):close()
  end
end, function() pm.log.info("the other") end }
config.triggers.plusmoin_up = { function()
  pm.state.quiet = pm.state.again
  pm.state.again = true
end, config.triggers.plusmoin_up }
]], { TRAP = trap.path }) }
    daemon:wait_logged("triggers.plusmoin_heartbeat[1] has held its script host twice",
      "it is not called again before a reload")
    daemon:wait_logged("not called: it has held its script host twice", "triggers.plusmoin_heartbeat[1]")
    wait_count(daemon, "the other", count(daemon, "the other") + 2)
    assert.equal(2, count(daemon, "makes a call"))
    local lua = daemon:ask({ request = "status" }).lua
    assert.equal(1, #lua.not_called)
    assert.equal("triggers.plusmoin_heartbeat[1]", lua.not_called[1].trigger)
    assert.truthy(lua.not_called[1].source:find("plusmoin.lua:%d+$"))
    local _, out = daemon:cli("status")
    assert.truthy(out:find("!!! triggers.plusmoin_heartbeat[1] (", 1, true), out)
    trap.release()
    reload(daemon)
    wait_count(daemon, "makes a call", 3)
    assert.same({}, daemon:ask({ request = "status" }).lua.not_called)
  end)

  it("while the whole process stands still does not hold it", function()
    local trap = new_trap()
    local daemon = scene.start { slaves = 0, config = { lua = { patience = 3 }, trigger_timeout = 60 }, lua = fill([[
local pm = require "plusmoin"
config.triggers.plusmoin_heartbeat = function()
  if not pm.state.held then
    pm.state.held = true
    pm.log.info("holds")
    io.open("TRAP"):close()
    pm.log.info("goes on")
  end
end
]], { TRAP = trap.path }) }
    wait(daemon, "the hold", function() return daemon:logged(" holds ") end)
    daemon.process:kill("sigstop")
    local stopped = proc.mono_ms()
    wait(daemon, "more than its patience", function() return proc.mono_ms() - stopped > 3200 end)
    trap.release()
    daemon.process:kill("sigcont")
    wait(daemon, "its next line", function() return daemon:logged(" goes on ") end)
    assert.is_false(daemon:logged("left behind"))
    assert.is_false(daemon:logged("gives no sign"))
  end)
end)
