-- What README and the manual pages print runs: Lua, configurations, a command. A block of Lua that begins with the name
-- of a file is that file, the others are bodies of a function with `pm` and `event`.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local texts = require "spec.support.texts"

local bodies, files = {}, {}
for _, block in ipairs(texts.blocks("lua")) do
  local name = block.text:match("^%-%- ([%w_]+%.lua)\n")
  if name then
    files[name] = block.text
  else
    bodies[#bodies + 1] = block.text
  end
end

-- Waits for a line of the log with these words; no function may have failed.
local function expect(daemon, ...)
  local words = { ... }
  proc.wait_for("its end", 10, function() return daemon:logged(table.unpack(words)) end,
    function() return daemon:diagnose() end)
  assert.is_false(daemon:logged("stack traceback"), daemon:log())
end

describe("the Lua of README and the pages", function()
  after_each(scene.finish)

  it("bodies run as triggers", function()
    assert.is_true(#bodies >= 3)
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

describe("the JSON of README and the pages", function()
  -- What `plusmoin status` says of this configuration where no daemon runs.
  local function accepted(text, where)
    local dir = proc.new_dir("json")
    for name, file in pairs(files) do
      proc.write_file(dir .. "/" .. name, file)
    end
    for _, name in ipairs { "journal.lua", "webhook.lua" } do
      proc.write_file(dir .. "/" .. name, assert(proc.read_file("triggers/" .. name)))
    end
    proc.write_file(dir .. "/hook-header", "A: b\n")
    text = text:gsub("/etc/plusmoin/hook%-header", dir .. "/hook-header")
    proc.write_file(dir .. "/http.token", ("0123456789abcdef"):rep(4) .. "\n")
    proc.write_file(dir .. "/plusmoin.json", text)
    local code, _, err = proc.run { plusmoin.binary(), "-c", dir .. "/plusmoin.json", "status" }
    assert.equal(1, code) -- no daemon runs
    assert.is_nil(err:find("plusmoin.json:", 1, true), where .. ": " .. err)
  end

  it("is good: whole configurations, and keys of one", function()
    local blocks = texts.blocks("json")
    assert.is_true(#blocks >= 6)
    for _, block in ipairs(blocks) do
      local text = block.text
      if not text:find("^//") then
        text = '{"dbname": "a", "user": "a", ' .. text .. "}"
      end
      accepted(text, block.path .. ": " .. block.text)
    end
  end)
end)

describe("README's command", function()
  after_each(scene.finish)

  it("runs as a trigger", function()
    local script, dir = assert(texts.blocks("sh", "README.md")[1]).text, proc.new_dir("command")
    assert.truthy(script:find("/var/log/plusmoin/events", 1, true))
    proc.write_file(dir .. "/on-event", (script:gsub("/var/log/plusmoin", dir)), tonumber("755", 8))
    local daemon, _, slaves = scene.start { slaves = 1, triggers = { slave_down = dir .. "/on-event" } }
    slaves[1]:kill9()
    proc.wait_for("a line of its", 10, function()
      local line = proc.read_file(dir .. "/events") or ""
      return line:find(("slave_down %s:%d refused\n"):format(slaves[1].host, slaves[1].port), 1, true)
    end, function() return daemon:diagnose() end)
  end)
end)
