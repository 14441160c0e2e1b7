-- README's Lua: what is printed there runs. A block that begins with the name of a
-- file is that file, the others are bodies of a function with `pm` and `event`.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local bodies, files = {}, {}
for block in assert(proc.read_file("README.md")):gmatch("\n```lua\n(.-)```") do
  local name = block:match("^%-%- ([%w_]+%.lua)\n")
  if name then
    files[name] = block
  else
    bodies[#bodies + 1] = block
  end
end

-- Waits for a line of the log with these words; no function may have failed.
local function expect(daemon, ...)
  local words = { ... }
  proc.wait_for("its end", 10, function() return daemon:logged(table.unpack(words)) end,
    function() return daemon:diagnose() end)
  assert.is_false(daemon:logged("stack traceback"), daemon:log())
end

describe("README's Lua", function()
  after_each(scene.finish)

  it("bodies run as triggers", function()
    assert.is_true(#bodies >= 2)
    for _, body in ipairs(bodies) do
      local daemon = plusmoin.start { nodes = { (pg.cluster(0)) }, nowait = true, lua = ([[
local pm = require "plusmoin"
config.triggers.plusmoin_up = function(event)
%s
pm.log.info("to the end")
end
]]):format(body) }
      expect(daemon, "to the end", "plusmoin_up")
    end
  end)

  it("the trigger file runs with its settings", function()
    local daemon = plusmoin.start { nowait = true, nodes = { (pg.cluster(0)) }, files = files,
      triggers = { plusmoin_up = { lua = "notify.lua", settings = { channel = "db" } } } }
    expect(daemon, "done in", "triggers.plusmoin_up")
  end)

  it("the configuration loads, and its functions run", function()
    local readme = files["plusmoin.lua"]
    local daemon, master, slaves = scene.start { slaves = 1, files = { ["readme.lua"] = readme }, lua = [[
local readme = require "readme"
assert(#readme.nodes == 2 and readme.user == "plusmoin")
config.triggers.slave_down = { readme.triggers.slave_down, config.triggers.slave_down }
config.triggers.master_down = { readme.triggers.master_down[2], config.triggers.master_down }
]] }
    slaves[1]:kill9()
    local event = daemon:expect_events { { "slave_down", slaves[1] } }
    expect(daemon, ("%s is %s: "):format(slaves[1].name, event.env.PLUSMOIN_NODE_REASON), "warning")
    master:kill9()
    daemon:expect_events { { "master_down", master } }
    expect(daemon, "done in", "triggers.master_down[1]")
  end)

  it("the configuration is accepted as it is", function()
    local dir = proc.new_dir("readme")
    proc.write_file(dir .. "/plusmoin.lua", files["plusmoin.lua"])
    local code, _, err = proc.run({ plusmoin.binary(), "-c", dir .. "/plusmoin.lua", "status" })
    assert.equal(1, code) -- 3: a bad configuration; 1: no daemon runs
    assert.is_nil(err:find("plusmoin.lua:", 1, true), err)
  end)
end)
