-- A configuration as a program: loops, modules, the environment, and what goes wrong in one.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- Runs `start` with this Lua configuration, which must end by itself: exit code, stderr, seconds.
local function refused(text, options)
  options = options or {}
  options.lua, options.text = "", text
  local daemon = plusmoin.new(options)
  local began = proc.mono_ms()
  daemon:start()
  local code = daemon.process:wait(20)
  plusmoin.running[daemon] = nil
  return code, daemon:log(), (proc.mono_ms() - began) / 1000
end

describe("a configuration in Lua", function()
  after_each(scene.finish)

  it("makes nodes in a loop, requires modules, reads files and the environment", function()
    local master, slaves = pg.cluster(1)
    local daemon = plusmoin.new { nodes = {}, files = {
      ["fleet.lua"] = ("return { %d, %d }"):format(master.port, slaves[1].port), host = "127.0.0.1\n",
    }, lua = [[
local here = debug.getinfo(1, "S").source:match("^@(.*)/")
local host = assert(io.open(here .. "/host")):read("l")
for i, port in ipairs(require "fleet") do
  config.nodes[i] = { host = host, port = port, name = os.getenv("PREFIX") .. i }
end
]] }
    daemon:start { env = { PREFIX = "db" } }
    daemon:expect_events { { "plusmoin_up" } }
    daemon:wait_place(slaves[1], "slave 0")
    daemon:wait_logged("node=db1")
  end)

  it("is refused in the user's words", function()
    local cases = {
      { "return { dbname = 'a', user = 'b', nodes = { {host='x'}, {host='y'}, {host='z', port='1'} } }",
        "nodes[3].port" },
      { "local t = nil\nreturn t.x", "plusmoin.lua:2:" },
      { "return 5", "plusmoin.lua" },
      { "error('on purpose')", "plusmoin.lua:1: on purpose" },
      { "require('plusmoin').sleep(1)", "pm.sleep waits, and while a configuration is being loaded nothing can" },
      { "os.execute('true')", "while a configuration is being loaded" },
      { "os.exit(0)", "os.exit is not for triggers" },
      { "return {", "plusmoin.lua:1:" },
      { "return require 'nothing.there'", "nothing.there" },
      { "return { dbname = 'a', user = 'b', triggers = { slave_up = { lua = 'gone.lua' } } }", "gone.lua" },
    }
    for _, case in ipairs(cases) do
      local code, err = refused(case[1])
      assert.equal(3, code, case[1])
      assert.truthy(err:find(case[2], 1, true), case[1] .. " gave: " .. err:sub(1, 300))
    end
  end)

  it("that eats memory is an error", function()
    local code, err, took = refused("local s = 'x'\nwhile true do s = s .. s end")
    assert.equal(3, code)
    assert.truthy(err:find("needs more than 256 MiB while it is loaded; it was at .-plusmoin.lua:2"), err)
    assert.is_true(took < 10)
  end)

  it("that loops is an error within 10 s, also inside pcall and in a module #hostile", function()
    for _, text in ipairs { "while true do pcall(function() while true do end end) end", "require 'loop'" } do
      local code, err, took = refused(text, { files = { ["loop.lua"] = "while true do pcall(error) end" } })
      assert.equal(3, code)
      assert.truthy(err:find("took longer than 10 s to load; it was at .-%.lua:1"), err)
      assert.is_true(took < 14, "it took " .. took)
    end
  end)
end)
