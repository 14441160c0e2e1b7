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
      proc.wait_for("its end", 10, function() return daemon:logged("to the end", "plusmoin_up") end,
        function() return daemon:diagnose() end)
    end
  end)

  it("the configuration and the file load and run", function()
    local master = pg.cluster(0)
    local daemon = plusmoin.new { nodes = { master }, files = files,
      triggers = { plusmoin_up = { lua = "notify.lua", settings = { channel = "db" } } } }
    daemon:start()
    proc.wait_for("its end", 10, function() return daemon:logged("done in", "triggers.plusmoin_up") end,
      function() return daemon:diagnose() end)
    local code, _, err = proc.run({ plusmoin.binary(), "-c", daemon.dir .. "/plusmoin.lua", "status" })
    assert.equal(1, code)
    assert.is_nil(err:find("plusmoin.lua:", 1, true), err)
  end)
end)
