-- Triggers that are Lua functions: what they see, what they can call, in which order they run.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local say = require("spec.support.said").say
local scene = require "spec.support.scene"
local cjson = require "cjson"

describe("a trigger that is a Lua function", function()
  after_each(scene.finish)

  it("sees the same facts as a command #core", function()
    local master, slaves = pg.cluster(1)
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, lua = [[
local pm = require "plusmoin"
local function note(event)
  pm.log.info("facts %s", pm.json.encode(event))
end
for _, name in ipairs { "master_down", "slave_down" } do
  config.triggers[name] = { note, config.triggers[name] }
end
]] }
    local version = master:version()
    local function check(event, reason)
      local facts = proc.wait_for("the function's word", 5, function()
        local id = event.env.PLUSMOIN_EVENT_ID:gsub("%-", "%%-")
        return daemon:log():match(" facts ([^\n]*) cluster=%d+ node=[^\n]* id=" .. id)
      end, function() return daemon:diagnose() end)
      local seen = cjson.decode(facts)
      assert.equal(event.env.PLUSMOIN_EVENT_ID, seen.id)
      assert.equal(event.name, seen.name)
      assert.equal(event.env.PLUSMOIN_RULE, seen.rule)
      assert.equal(reason, seen.trigger.reason)
      assert.equal(event.env.PLUSMOIN_NODE_REASON, seen.trigger.reason)
      assert.is_true(math.abs(seen.time - event.epoch_ns / 1e9) < 5)
      local function same_node(data, node)
        for key, value in pairs(data) do
          assert.equal(value, node[key], key)
        end
      end
      for _, key in ipairs { "slaves", "lost", "clusterless" } do
        assert.equal(#event.data[key], #seen[key], key)
        for i, node in ipairs(event.data[key]) do
          same_node(node, seen[key][i])
        end
      end
      for _, key in ipairs { "trigger", "master" } do
        if event.data[key] == cjson.null then
          assert.is_nil(seen[key])
        else
          same_node(event.data[key], seen[key])
        end
      end
      assert.equal(event.data.cluster_id, seen.cluster_id)
      assert.is_true(seen.trigger.since > 1e9)
      assert.equal(version, seen.trigger.server_version)
      return seen
    end
    slaves[1]:kill9()
    local event = daemon:expect_events { { "slave_down", slaves[1] } }
    assert.equal("lost", check(event, event.env.PLUSMOIN_NODE_REASON).trigger.state)
    master:kill9()
    event = daemon:expect_events { { "master_down", master } }
    check(event, event.env.PLUSMOIN_NODE_REASON)
  end)

  it("and commands in one list run in their order, a failing one stops nobody #core", function()
    local master, slaves = pg.cluster(1)
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, lua = [[
local pm = require "plusmoin"
local command = config.triggers.slave_down
config.triggers.slave_down = {
  function() pm.sleep(0.3) pm.state.t = pm.now() error("on purpose") end,
  command,
  function() pm.log.info("third after %.3f", pm.now() - pm.state.t) end,
  "/bin/false",
  command,
}
]] }
    slaves[1]:kill9()
    local first, second = daemon:expect_events { { "slave_down", slaves[1] }, { "slave_down", slaves[1] } }
    daemon:wait_logged("plusmoin.lua:", "on purpose", "stack traceback")
    daemon:wait_logged("third after ")
    daemon:wait_logged("failed with exit status 1")
    assert.equal(first.env.PLUSMOIN_EVENT_ID, second.env.PLUSMOIN_EVENT_ID)
  end)

  it("that waits delays no other cluster, and its own cluster's next waits for it", function()
    local a, slaves_a = pg.cluster(1)
    local b, slaves_b = pg.cluster(1, { family = 2 })
    local daemon = plusmoin.start { nodes = { a, slaves_a[1], b, slaves_b[1] }, clusters = 2,
      config = { trigger_timeout = 10 }, lua = [[
local pm = require "plusmoin"
local record = config.triggers.slave_down
config.triggers.slave_down = { function(event)
  if event.cluster_id == 0 then pm.sleep(3) end
end, record }
]] }
    slaves_a[1]:kill9()
    daemon:wait_place(slaves_a[1], "lost 0")
    slaves_b[1]:kill9()
    local killed = proc.mono_ms()
    local quick, slow = daemon:expect_events { { "slave_down", slaves_b[1], cluster = 1 },
      { "slave_down", slaves_a[1], cluster = 0 } }
    assert.is_true(quick.ms - killed < 2000)
    assert.is_true(slow.ms > quick.ms)
  end)

  it("has pm.exec", function()
    local said = say([[
      local r = pm.exec { "sh", "-c", "cat; echo err >&2; echo $A.$HOME.$PLUSMOIN_TRIGGER; pwd; exit 3",
        stdin = "in ", env = { A = "b", HOME = false }, cwd = "/usr" }
      local none, why = pm.exec { "/no/such" }
      local slow = pm.exec { "sleep", "60", timeout = 0.2 }
      local big = pm.exec { "sh", "-c", "head -c 3000000 /dev/zero" }
      local held = pm.exec { "sh", "-c", "sleep 60 & echo gone" }
      return r, none or "nil", why, slow.timed_out, slow.signal, #big.stdout, big.truncated, held.stdout,
        pcall(pm.exec, {}), select(2, pcall(pm.exec, { "x", stdin = 1 }))
    ]])
    assert.same({ code = 3, stdout = "in b..plusmoin_up\n/usr\n", stderr = "err\n", timed_out = false,
      truncated = false }, said[1])
    assert.equal("nil", said[2])
    assert.equal("cannot start /no/such: No such file or directory", said[3])
    assert.is_true(said[4])
    assert.equal(15, said[5])
    assert.equal(1048576, said[6])
    assert.is_true(said[7])
    assert.equal("gone\n", said[8])
    assert.is_false(said[9])
  end)

  it("has pm.state, which keeps copies and outlives the run", function()
    local said = say([[
      local t = { 1, 2.5, { a = "x" }, yes = true, no = false }
      pm.state.t = t
      t[1] = 9
      local back = pm.state.t
      back[2] = 9
      pm.state.gone = 1
      pm.state.gone = nil
      pm.state.off = false
      local names = {}
      for name in pairs(pm.state) do names[#names + 1] = name end
      return pm.state.t[1], pm.state.t[2], math.type(pm.state.t[1]), pm.state.t[3].a, pm.state.t.yes, pm.state.off,
        table.concat(names, " "), (pcall(function() pm.state.f = print end)),
        select(2, pcall(function() pm.state.big = ("x"):rep(2 << 20) end)),
        select(2, pcall(function() local c = {} c.c = c pm.state.c = c end)), tostring(pm.state.gone)
    ]])
    assert.same({ 1, 2.5, "integer", "x", true, false, "off t", false }, table.move(said, 1, 8, 1, {}))
    assert.truthy(said[9]:find("1 MiB", 1, true))
    assert.truthy(said[10]:find("a cycle?", 1, true))
    assert.equal("nil", said[11])
  end)

  it("has pm.json, pm.now, pm.cluster and pm.clusters", function()
    local said = say([[
      local v = pm.json.decode('{"a":[],"i":9007199254740993,"f":1.5,"n":null,"s":"\\u00e9"}')
      local bad, why = pm.json.decode("{")
      return pm.json.encode(v), math.type(v.i), v.n == pm.json.null, bad == nil, why, pm.json.encode(pm.json.array()),
        pm.json.encode({ f = 2.0, bad = "\xff" }), pm.cluster(0).master.name == event.master.name, #pm.clusters(),
        tostring(pm.cluster(7)), (pcall(pm.json.encode, { [1] = 1, x = 2 })), math.abs(pm.now() - os.time()) < 2
    ]])
    assert.equal('{"a":[],"f":1.5,"i":9007199254740993,"n":null,"s":"é"}', said[1])
    assert.same({ "integer", true, true }, table.move(said, 2, 4, 1, {}))
    assert.truthy(said[5]:find("line 1", 1, true))
    assert.same({ "[]", '{"bad":"\xEF\xBF\xBD","f":2.0}', true, 1, "nil", false, true }, table.move(said, 6, 12, 1, {}))
  end)

  it("has os.execute, io.popen and print, which wait and log", function()
    local said, daemon = say([[
      print("one", 2, nil)
      io.write("three\n")
      local r = io.popen("echo a; echo 12; printf rest; exit 3")
      local l, n, a = r:read("l", "n", "a")
      local ok, how, code = r:close()
      local w = io.popen("cat; exit 1", "w")
      w:write("to ", "cat\n")
      return l, n, a, ok or "nil", how, code, select(3, w:close()), select(3, os.execute("exit 4")), os.execute(),
        table.concat((function() local t = {} for x in io.popen("echo p; echo q"):lines() do t[#t + 1] = x end
          return t end)(), ",")
    ]])
    assert.same({ "a", 12, "\nrest", "nil", "exit", 3, 1, 4, true, "p,q" }, said)
    daemon:wait_logged(" one\\t2\\tnil ", "trigger=triggers.plusmoin_up")
    daemon:wait_logged(" three ")
    daemon:wait_logged(" to cat ")
  end)

  it("has its own coroutines, also when they wait", function()
    local said = say([[
      local co = coroutine.create(function(a)
        pm.sleep(0.05)
        local b = coroutine.yield(a + 1)
        pm.sleep(0.05)
        error("in " .. b)
      end)
      local _, first = coroutine.resume(co, 1)
      local ok, why = coroutine.resume(co, "it")
      local sum = 0
      for x in coroutine.wrap(function() for i = 1, 3 do pm.sleep(0.01) coroutine.yield(i) end end) do sum = sum + x end
      return first, ok, why:match("in it$"), coroutine.status(co), sum,
        select(2, pcall(table.sort, { 2, 1 }, function() pm.sleep(1) end)):match("pm.sleep waits") or "no",
        select(2, xpcall(function() error("x", 0) end, function(m) return m .. "y" end))
    ]])
    assert.same({ 2, false, "in it", "dead", 6, "pm.sleep waits", "xy" }, said)
  end)

  it("may take longer by the clock than it computes, where it cannot wait", function()
    local fifo = proc.new_dir("fifo") .. "/f"
    proc.must { "mkfifo", "-m", "666", fifo }
    proc.spawn { "sh", "-c", ("exec 3> %s; sleep 0.15; echo late >&3"):format(fifo) } -- waits for who reads
    local said = say([[
      local line
      table.sort({ 2, 1 }, function(a, b)
        line = line or io.open(args.fifo):read()
        for _ = 1, 5000 do end -- so that the host looks at the time
        return a < b
      end)
      return line
    ]], { args = { fifo = fifo } })
    assert.same({ "late" }, said)
  end)

  it("cannot change what others see", function()
    local said = say([[
      local function refused(f, ...)
        local ok, why = pcall(f, ...)
        return not ok and why:match("a trigger writes [^:]*") or "ok"
      end
      return refused(function() x = 1 end), refused(function() string.x = 1 end), refused(function() _G.y = 1 end),
        refused(function() package.loaded.z = 1 end), refused(function() pm.sleep = 1 end),
        refused(rawset, _G, "x", 1), refused(rawset, string, "x", 1), tostring(getmetatable("")),
        tostring(getmetatable(io.open("/dev/null"))), refused(function() package.path = "" end),
        type(debug.sethook), (pcall(os.exit)), (pcall(io.read)), (pcall(load, string.dump(function() end))),
        load(string.dump(function() end)) == nil, (pcall(setmetatable, {}, { __gc = print })),
        pcall(require, "plusmoin.core") == true
    ]])
    assert.same({ "a trigger writes the global x", "a trigger writes string.x", "a trigger writes the global y",
      "a trigger writes package.loaded.z", "a trigger writes pm.sleep", "a trigger writes the global x",
      "a trigger writes string.x", "false", "false", "a trigger writes package.path", "nil", false, false, true, true,
      false, false }, said)
  end)

  it("cannot resume, close or wake a coroutine that waits in another run", function()
    local a, b = pg.cluster(0), pg.cluster(0, { family = 2 })
    local daemon = plusmoin.start { nodes = { a, b }, nowait = true, lua = [[
local pm = require "plusmoin"
local co, main
config.triggers.plusmoin_up = function(event)
  if event.cluster_id == 0 then
    main = coroutine.running()
    co = coroutine.create(function() pm.sleep(1) return "slept" end)
    pm.log.info("first got %s %s", coroutine.resume(co))
    return
  end
  while not co do pm.sleep(0.01) end
  local _, inner = coroutine.resume(co)
  local _, outer = coroutine.resume(main)
  local _, close = pcall(coroutine.close, co)
  local _, wrapped = pcall(coroutine.wrap(function() return tostring(coroutine.resume(co)) end))
  pm.log.info("second got %s; %s; %s; %s.", inner, outer, close, wrapped)
  while true do
    local ok, why = coroutine.resume(main)
    if ok then pm.log.error("RESUMED") end
    pm.sleep(0.2)
  end
end
]], config = { trigger_timeout = 2 } }
    proc.wait_for("both", 10, function()
      return daemon:logged("first got true slept") and daemon:logged("timed out")
    end, function() return daemon:diagnose() end)
    local inner, outer, close, wrapped = daemon:log():match("second got ([^;]*); ([^;]*); ([^;]*); ([^.]*)%.")
    assert.truthy(inner:find("cannot resume a coroutine that waits in another run", 1, true))
    assert.truthy(outer:find("cannot resume a coroutine that waits in another run", 1, true))
    assert.truthy(close:find("cannot close a coroutine that waits in another run", 1, true))
    assert.equal("false", wrapped)
    assert.is_false(daemon:logged("RESUMED"))
  end)

  it("that is under way at shutdown gets shutdown_grace, then it is ended with what it waits for #core", function()
    local mark = "63." .. proc.free_port()
    local body = [[
local pm = require "plusmoin"
config.triggers.plusmoin_up = { function()
  pm.log.info("begins")
  WAIT
  pm.log.info("to its end")
end, config.triggers.plusmoin_up }
]]
    local daemon = plusmoin.start { nodes = { (pg.cluster(0)) }, nowait = true, config = { shutdown_grace = 5 },
      lua = body:gsub("WAIT", "pm.sleep(0.7)") }
    proc.wait_for("it", 5, function() return daemon:logged("begins") end, function() return daemon:diagnose() end)
    daemon:stop_and_check()
    daemon:wait_logged("to its end")
    daemon:expect_events { { "plusmoin_up" } } -- the command behind it still started
    daemon = plusmoin.start { nodes = { (pg.cluster(0)) }, nowait = true, config = { trigger_timeout = 60 },
      lua = body:gsub("WAIT", 'pm.exec { "sleep", "' .. mark .. '" }') }
    proc.wait_for("its child", 5, function()
      return proc.run({ "pgrep", "-f", "sleep " .. mark }, { as_root = true }) == 0
    end)
    daemon:stop_and_check()
    daemon:wait_logged("ended with plusmoin")
    assert.is_false(daemon:logged("to its end"))
    assert.equal(1, (proc.run({ "pgrep", "-f", "sleep " .. mark }, { as_root = true })))
  end)
end)
