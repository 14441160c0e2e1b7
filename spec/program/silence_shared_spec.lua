-- Silences of several monitors: they stand in etcd, any monitor sets and ends them, and the one that acts goes by them.
local cjson = require "cjson"
local etcd = require "spec.support.etcd"
local history = require "spec.support.history"
local monitors = require "spec.support.monitors"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- The verb, which does it.
local function silence(daemon, ...)
  local code, out, err = daemon:cli("silence", ...)
  assert.equal(0, code, out .. err .. daemon:diagnose())
  return out
end

-- The verb, which runs beside what follows.
local function call(daemon, words)
  return proc.spawn({ plusmoin.binary(), "-c", daemon.config_path, "silence", table.unpack(words) })
end

-- Its targets, sorted: "0 all".
local function targets(daemon)
  local list = {}
  for i, one in ipairs(daemon:ask({ request = "silences" }).silences) do
    list[i] = one.target
  end
  table.sort(list)
  return table.concat(list, " ")
end

local function wait_targets(daemon, want, seconds)
  proc.wait_for(("the silences %q of %s"):format(want, daemon.title), seconds or 5,
    function() return targets(daemon) == want end, function() return targets(daemon) .. "\n" .. daemon:diagnose() end)
end

-- Both of the event's commands were concluded by a silence, and etcd says so.
local function wait_silenced(group, name, number)
  return proc.wait_for(name .. " to be silenced", 15, function()
    for n, record in pairs(group:kept()) do
      if record.name == name and n > (number or 0) then
        for _, run in ipairs(record.runs) do
          if run.state ~= "done" or not tostring(run.outcome):find("^silenced by ") then
            return false
          end
        end
        return { number = n, id = record.id }
      end
    end
  end, function() return group:diagnose() end)
end

describe("a silence that several monitors share", function()
  local cluster, master, slaves

  local function fleet(options)
    cluster = etcd.start(1)
    master, slaves = pg.cluster(1)
    options = options or {}
    options.etcd, options.nodes = cluster, { master, slaves[1] }
    return monitors.new(options)
  end

  local function two(group)
    local a = monitors.wait_acts(group:monitor "a")
    group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    b:wait_status("both nodes", function() return b:place(slaves[1]) == "slave 0" end)
    return a, b
  end

  local function keys()
    local list = {}
    for i, pair in ipairs(history.read(cluster.members[1], monitors.PREFIX .. "silences/")) do
      list[i] = pair.key
    end
    return table.concat(list, " ")
  end

  after_each(function() scene.finish(history.stop_all, etcd.stop_all) end)

  it("is set by the one that stands by, kept over a hand-over, and ended by whom it may be #core", function()
    local group = fleet()
    local a, b = two(group)
    silence(b, slaves[1].name, "1h", "new disk")
    assert.equal(slaves[1].name, targets(b)) -- at once
    wait_targets(a, slaves[1].name)
    a:wait_logged("error", "do not run: silenced by " .. proc.user, "(new disk)", slaves[1].name)
    slaves[1]:kill9()
    local down = wait_silenced(group, "slave_down")
    local event = a:ask({ request = "explain", event = down.id }).event
    assert.has_match("^silenced by " .. proc.user .. " until .*UTC %(new disk%)$", event.silenced)
    assert.equal(2, #event.triggers)
    assert.equal(event.silenced, event.triggers[1].outcome)
    a:kill9()
    monitors.wait_acts(b)
    slaves[1]:start()
    wait_silenced(group, "slave_up", down.number)
    assert.equal(0, #group:entries { name = "slave_down" })
    assert.equal(0, #group:entries { name = "slave_up" })
    a:start()
    a:wait_logged("stands by", "b acts")
    wait_targets(a, slaves[1].name)
    silence(a, "--end", slaves[1].name)
    assert.equal("", keys())
    wait_targets(b, "")
    b:wait_logged("error", "the silence of events of node", "was ended")
    slaves[1]:kill9()
    group:wait_entry { what = "end", name = "slave_down", which = 2 }
  end)

  it("holds from the first moment of a term, and its key goes when it is over", function()
    local group = fleet()
    local a, b = two(group)
    silence(a, "all", "5m")
    silence(a, "0", "1s")
    assert.equal("0 all", keys())
    a:wait_logged("the silence of events of cluster 0 is over")
    proc.wait_for("the key to go", 10, function() return keys() == "all" end, keys)
    wait_targets(b, "all")
    b:stop_and_check()
    a:stop_and_check()
    local last = 0
    for number in pairs(group:kept()) do
      last = math.max(last, number)
    end
    local c = monitors.wait_acts(group:monitor "c")
    wait_silenced(group, "plusmoin_up", last)
    assert.equal("all", targets(c))
    assert.equal(1, #group:entries { what = "start", name = "plusmoin_up", which = 1 })
    silence(c, "--end", "all")
    slaves[1]:kill9()
    group:wait_entry { what = "end", name = "slave_down", which = 2 }
  end)

  it("of a cluster is set where it has its number, others by several at once", function()
    local group = fleet()
    local a, b = two(group)
    for _ = 1, 5 do
      local calls = {}
      for i = 1, 6 do
        local daemon = i % 2 == 0 and a or b
        calls[i] = call(daemon, i > 4 and { "--end", "all" } or { "all", "1h", "by " .. i })
      end
      for i, one in ipairs(calls) do
        local code = one:wait(10)
        assert.is_true(code == 0 or i > 4 and code == 1, one:err()) -- there may be none to be ended
      end
      local standing = history.read(cluster.members[1], monitors.PREFIX .. "silences/")[1]
      for _, daemon in ipairs { a, b } do
        proc.wait_for("what stands", 5, function()
          local known = daemon:ask({ request = "silences" }).silences[1]
          return (known and known.reason) == (standing and standing.value.reason)
        end, function() return daemon:diagnose() end)
      end
    end
    if targets(a) == "all" then
      silence(a, "--end", "all")
    end
    local code, _, err = b:cli("silence", "0", "1h")
    assert.equal(1, code)
    assert.has_match("this monitor stands by, and numbers clusters by itself", err, 1, true)
    silence(a, "0", "1h")
    wait_targets(b, "0")
    assert.is_false(b:ask({ request = "silences" }).silences[1].gone)
    silence(b, "--end", "0")
    wait_targets(a, "")
  end)

  it("cannot be set while etcd is away, and those that stand are gone by", function()
    local group = fleet { ttl = 10 }
    local a, b = two(group)
    silence(a, slaves[1].name, "1h")
    wait_targets(b, slaves[1].name)
    cluster.members[1]:kill()
    for _, one in ipairs { call(a, { "all", "1h" }), call(b, { "--end", slaves[1].name }) } do
      assert.equal(1, one:wait(10))
      assert.has_match("^plusmoin: etcd ", one:err())
    end
    assert.equal(slaves[1].name, targets(a))
    cluster:start_missing()
    proc.wait_for("etcd to be asked again", 15, function() return (a:cli("silence", "all", "1h")) == 0 end,
      function() return a:diagnose() end)
    wait_targets(b, slaves[1].name .. " all")
    slaves[1]:kill9()
    wait_silenced(group, "slave_down")
  end)

  it("may stand beside what nobody can read", function()
    local group = fleet()
    local member = cluster.members[1]
    local function put(target, value)
      member:must("/v3/kv/put", { key = history.encode(monitors.PREFIX .. "silences/" .. target),
        value = history.encode(value) })
    end
    local good = { target = "all", since_ms = 1, until_ms = 4102444800000, by = "carol", reason = "x" }
    put("a", "{")
    put("0", cjson.encode(good)) -- another's key
    local a = monitors.wait_acts(group:monitor "a")
    group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    a:wait_logged("warning", "silences/a in etcd cannot be read as a silence")
    a:wait_logged("warning", "silences/0 in etcd cannot be read as a silence: target")
    put("all", cjson.encode(good))
    wait_targets(a, "all")
    assert.equal("carol", a:ask({ request = "silences" }).silences[1].by)
    silence(a, "all", "1h") -- in its place
    assert.equal(proc.user, a:ask({ request = "silences" }).silences[1].by)
  end)

  it("is written to an etcd that was wiped, and to one that holds nothing yet from the state file", function()
    local group = fleet { config = { state_file = proc.new_dir("state") .. "/state.json" } }
    proc.give(group.options.config.state_file:match("^(.*)/"))
    local one = group:monitor("one", { alone = true })
    group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    silence(one, slaves[1].name, "1h", "kept")
    silence(one, master.name, "1h", "kept")
    local both = targets(one)
    one:stop_and_check()
    local a = monitors.wait_acts(group:monitor "a")
    proc.wait_for("both keys", 10, function() return select(2, keys():gsub("%S+", "")) == 2 end,
      function() return keys() .. "\n" .. a:diagnose() end)
    assert.equal(both, targets(a))
    assert.is_false(a:logged("was ended"))
    local member = cluster.members[1]
    member:kill()
    proc.must({ "rm", "-rf", member.dir .. "/data" }, { as_root = true })
    cluster.token = cluster.token .. "-anew"
    member:start()
    a:wait_logged("etcd is another cluster than before")
    local code, _, err = a:cli("silence", "all", "1h")
    assert.equal(1, code)
    assert.has_match("see plusmoin monitors seed", err, 1, true)
    assert.equal(both, targets(a))
    assert.equal(0, (a:cli("monitors", "seed")))
    monitors.wait_acts(a)
    proc.wait_for("both keys", 10, function() return select(2, keys():gsub("%S+", "")) == 2 end,
      function() return keys() .. "\n" .. a:diagnose() end)
    assert.equal(both, targets(a))
    assert.is_false(a:logged("was ended"))
    slaves[1]:kill9()
    wait_silenced(group, "slave_down")
  end)
end)
