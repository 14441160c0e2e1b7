-- pm.state of several monitors: it stands in etcd, the one that acts changes it, and the next one goes on with it.
local cjson = require "cjson"
local etcd = require "spec.support.etcd"
local history = require "spec.support.history"
local monitors = require "spec.support.monitors"
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local VALUES = monitors.PREFIX .. "pm.state/"

-- What code returns at the daemon's console; it must end well.
local function eval(daemon, code)
  local status, out, err = daemon:cli("console", "-e", code)
  assert.equal(0, status, err)
  return (out:gsub("\n$", ""))
end

describe("pm.state that several monitors share", function()
  local cluster, master, slaves, group

  -- `trigger`: the Lua file of plusmoin_up and slave_down; `beat`: the one of heartbeats.
  local function fleet(trigger, beat)
    cluster = etcd.start(1)
    master, slaves = pg.cluster(1)
    group = monitors.new { etcd = cluster, nodes = { master, slaves[1] }, config = { trigger_timeout = 100 } }
    group.triggers = {}
    for name, text in pairs { plusmoin_up = trigger, slave_down = trigger, plusmoin_heartbeat = beat } do
      local path = ("%s/%s.lua"):format(group.dir, name)
      proc.write_file(path, text)
      group.triggers[name] = { lua = path }
    end
  end

  after_each(function() scene.finish(history.stop_all, etcd.stop_all) end)

  -- What stands in etcd: a map of key -> bytes.
  local function stored()
    local map = {}
    for _, pair in ipairs(history.read(cluster.members[1], VALUES)) do
      map[pair.key] = pair.value
    end
    return map
  end

  local function wait_stored(what, check)
    proc.wait_for(what .. " in etcd", 10, function() return check(stored()) end, function() return group:diagnose() end)
  end

  local function put(key, bytes)
    cluster.members[1]:must("/v3/kv/put", { key = history.encode(VALUES .. key), value = history.encode(bytes) })
  end

  it("is the next one's, with values of all kinds", function()
    fleet()
    local a = monitors.wait_acts(group:monitor "a")
    eval(a, [[
      pm.state.kinds = { 1, -2.5, "a\0b\255\n", true, false,
        { n = pm.json.null, [math.mininteger] = 1 / 0, [0.1] = {} } }
      pm.state["odd/name %é\0"], pm.state.dropped, pm.state.plain = 7, 1, "text"
      pm.state.dropped = nil]])
    wait_stored("the value", function(map) return map.plain == "s4:text" end)
    assert.equal("i7;", stored()["odd%2Fname%20%25%C3%A9%00"])
    assert.is_nil(stored().dropped)
    put("broken", "s99:short")
    put("%zz", "i1;")
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    assert.equal("nil", eval(b, "return pm.state.plain"))
    local status, _, err = b:cli("console", "-e", "pm.state.plain = 'mine'")
    assert.equal(1, status)
    assert.has_match("this monitor does not act, and only the one that acts may change pm.state", err, 1, true)
    a:kill9()
    monitors.wait_acts(b)
    assert.equal("true", eval(b, [[
      local kinds, count = pm.state.kinds, 0
      for _ in pairs(pm.state) do count = count + 1 end
      assert(kinds[1] == 1 and math.type(kinds[1]) == "integer" and kinds[2] == -2.5 and kinds[3] == "a\0b\255\n")
      assert(kinds[4] == true and kinds[5] == false and kinds[6].n == pm.json.null and #kinds == 6)
      assert(kinds[6][math.mininteger] == math.huge and next(kinds[6][0.1]) == nil)
      return count == 3 and pm.state["odd/name %é\0"] == 7 and pm.state.plain == "text"]]))
    b:wait_logged("a value of pm.state in etcd cannot be read", VALUES .. "%zz")
    eval(b, "pm.state.plain = nil")
    wait_stored("the removal", function(map) return map.plain == nil end)
    a:start()
    a:wait_logged("stands by", "b acts")
    assert.equal(0, (b:cli("monitors", "resign")))
    monitors.wait_acts(a)
    assert.equal("nil", eval(a, "return pm.state.plain"))
    assert.equal("7", eval(a, "return pm.state['odd/name %é\\0']"))
  end)

  it("is committed with a run's end: one that was cut short runs again without its own first changes", function()
    fleet([[
local pm = require "plusmoin"
return function(event)
  local seen = pm.state.seen or {}
  pm.log.info("sees %s in %s rerun=%s.", table.concat(seen, " "), event.name, tostring(event.rerun))
  if event.name == "plusmoin_up" and seen[1] then
    return -- the next monitor's
  end
  seen[#seen + 1] = event.name
  pm.state.seen = seen
  pm.sleep(event.name == "slave_down" and not event.rerun and 60 or 0)
end]])
    local a = monitors.wait_acts(group:monitor "a")
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    wait_stored("the first change", function(map) return map.seen == "{i1;s11:plusmoin_up}" end)
    slaves[1]:kill9()
    a:wait_logged("sees plusmoin_up in slave_down rerun=nil.")
    eval(a, "pm.state.beside = 1") -- the end of another run, which does not take the change of this one along
    wait_stored("the console's change", function(map) return map.beside == "i1;" end)
    assert.equal("plusmoin_up slave_down", eval(a, "return table.concat(pm.state.seen, ' ')"))
    assert.equal("{i1;s11:plusmoin_up}", stored().seen)
    a:kill9()
    b:wait_logged("sees plusmoin_up in slave_down rerun=true.")
    wait_stored("the second change", function(map) return map.seen == "{i1;s11:plusmoin_upi2;s10:slave_down}" end)
  end)

  it("has what heartbeat triggers change", function()
    fleet(nil, [[
local pm = require "plusmoin"
return function() pm.state.beats = (pm.state.beats or 0) + 1 end]])
    local a = monitors.wait_acts(group:monitor "a")
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    wait_stored("the third beat", function(map) return tonumber((map.beats or ""):match("%d+") or 0) >= 3 end)
    assert.equal(0, (a:cli("monitors", "resign")))
    monitors.wait_acts(b)
    assert.is_true(tonumber(eval(b, "return pm.state.beats")) >= 3)
  end)

  it("takes more than one transaction where it is big #long", function()
    fleet()
    local a = monitors.wait_acts(group:monitor "a")
    eval(a, "for i = 1, 1000 do pm.state['n' .. i] = i end pm.state.big = ('x'):rep(1000000)")
    local status, _, err = a:cli("console", "-e", "pm.state.more = ('x'):rep(50000)")
    assert.equal(1, status)
    assert.has_match("pm.state holds 1 MiB in all: there is no room for more", err, 1, true)
    wait_stored("the big one", function(map) return map.big and map.n1000 end)
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    a:kill9()
    monitors.wait_acts(b)
    assert.equal("true", eval(b, [[
      for i = 1, 1000 do assert(pm.state["n" .. i] == i) end
      return #pm.state.big == 1000000]]))
  end)

  it("is written when etcd was away for a moment or long, without what runs under way have changed #long", function()
    fleet([[
local pm = require "plusmoin"
return function(event)
  pm.log.info("finds %s", tostring(pm.state.half))
  pm.state.half, pm.state.gone = 1, nil
  pm.sleep(event.rerun and 0 or 60)
end]])
    local a = monitors.wait_acts(group:monitor "a")
    local watch = history.of(cluster, VALUES)
    a:wait_logged("finds nil")
    eval(a, "pm.state.n, pm.state.gone, pm.state.old = 1, 1, 1")
    wait_stored("the first", function(map) return map.n == "i1;" end)
    cluster.members[1]:kill()
    eval(a, "pm.state.n = 2")
    cluster:start_missing()
    wait_stored("the second", function(map) return map.n == "i2;" end)
    cluster.members[1]:kill()
    proc.wait_for("etcd to be missed", 10, function() return monitors.says(a).stuck ~= cjson.null end)
    proc.watch(group.ttl + 0.2, function() assert.is_true(monitors.says(a).acts) end) -- away for longer than ttl
    for n = 3, 5 do
      eval(a, ("pm.state.n, pm.state.old, pm.state.new = %d, nil, true"):format(n))
    end
    assert.equal("1", eval(a, "return pm.state.half"))
    cluster:start_missing()
    wait_stored("the third", function(map) return map.n == "i5;" and not map.old and map.new == "t" end)
    assert.is_nil(stored().half)
    local written = {}
    proc.wait_for("the history of n", 5, function()
      written = {}
      for _, one in ipairs(watch:revisions()) do
        for _, change in ipairs(one.changes) do
          written[#written + 1] = change.key == "n" and change.value or nil
        end
      end
      return written[#written] == "i5;"
    end)
    assert.same({ "i1;", "i2;", "i5;" }, written) -- what was assigned while etcd was away for long has not waited
    a:kill9()
    a:start()
    monitors.wait_acts(a)
    proc.wait_for("the run once more", 10, function()
      local _, count = a:log():gsub("finds nil", "")
      return count == 2
    end, function() return a:diagnose() end)
  end)

  for _, kind in ipairs { "plusmoin_up", "plusmoin_heartbeat" } do
    it("is left as it was by what a clean stop cuts short of " .. kind, function()
      local half = [[
local pm = require "plusmoin"
return function()
  pm.state.half = 1
  pm.log.info("is in the middle")
  pm.sleep(60)
end]]
      fleet(kind == "plusmoin_up" and half or nil, kind == "plusmoin_heartbeat" and half or nil)
      group.options.config.shutdown_grace = 0.2
      local a = monitors.wait_acts(group:monitor "a")
      a:wait_logged("is in the middle")
      assert.equal("1", eval(a, "pm.state.whole = 1 return pm.state.half"))
      a:stop_and_check()
      assert.same({ whole = "i1;" }, stored())
    end)
  end

  it("is not for a configuration that is being loaded, neither at a start nor at a reload", function()
    fleet()
    local a = group:monitor("a", { start = false })
    a.config_path = a.dir .. "/plusmoin.lua"
    local text = a:lua("local pm = require 'plusmoin'\n")
    proc.write_file(a.config_path, text)
    a:start()
    monitors.wait_acts(a)
    proc.write_file(a.config_path, (text:gsub("require 'plusmoin'\n", "%0pm.state.loaded = 1\n")))
    a.process:kill("sighup")
    a:wait_logged("pm.state can only be changed while plusmoin runs, not while a configuration is loaded")
    a:stop_and_check()
    local code, _, err = a:cli("start", "-x")
    assert.equal(3, code)
    assert.has_match("pm.state can only be used while plusmoin runs", err, 1, true)
    assert.same({}, stored())
  end)

  it("is written to a store that is seeded, in place of what that holds", function()
    fleet()
    local a = monitors.wait_acts(group:monitor "a")
    eval(a, "pm.state.n = 1")
    wait_stored("the value", function(map) return map.n == "i1;" end)
    local member = cluster.members[1]
    member:kill()
    proc.must({ "rm", "-rf", member.dir .. "/data" }, { as_root = true })
    cluster.token = cluster.token .. "-anew"
    member:start()
    put("other", "i2;")
    put("n", "i3;")
    a:wait_logged("etcd is another cluster than before")
    assert.equal(0, (a:cli("monitors", "seed")))
    wait_stored("what a knows", function(map) return map.n == "i1;" and not map.other end)
  end)
end)
