-- Several monitors, and the store: an etcd that is not the one it was, its auth, a state of another format or that
-- somebody wrote to, the state of a big fleet, and many events at once.
local etcd = require "spec.support.etcd"
local history = require "spec.support.history"
local monitors = require "spec.support.monitors"
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"

local SANITIZED = (os.getenv("PLUSMOIN_BIN") or ""):find("san/")

local function put(member, key, value)
  return member:must("/v3/kv/put", { key = history.encode(monitors.PREFIX .. key), value = history.encode(value) })
end

-- Nothing starts for so long, and nobody acts.
local function assert_holds(group, seconds, ...)
  local before, daemons = #group:journal(), { ... }
  proc.watch(seconds, function()
    assert.are.equal(before, #group:journal(), "started all the same\n" .. group:diagnose())
  end)
  for _, daemon in ipairs(daemons) do
    assert.is_false(monitors.says(daemon).acts, daemon:diagnose())
  end
end

-- The events slave_down, in the order in which they were committed first: { number, ms (when that was heard of) }.
local function births(watch)
  local born, seen = {}, {}
  for _, one in ipairs(watch:revisions()) do
    for _, change in ipairs(one.changes) do
      local number = tonumber(change.key)
      if number and not seen[number] and not change.gone and change.value.name == "slave_down" then
        seen[number] = true
        born[#born + 1] = { number = number, ms = one.ms }
      end
    end
  end
  return born
end

describe("monitors and etcd's store:", function()
  local cluster, master, slaves

  local function fleet(options)
    cluster = etcd.start(1)
    master, slaves = pg.cluster(1)
    options = options or {}
    options.etcd, options.nodes = cluster, { master, slaves[1] }
    return monitors.new(options)
  end

  -- A monitor that acts, and another one; all that began is done.
  local function two(group)
    local a = monitors.wait_acts(group:monitor "a")
    group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    proc.wait_for("the last commit", 5, function()
      local record = group:kept()[1]
      return record and record.runs[2].state == "done"
    end)
    return a, b
  end

  after_each(function() scene.finish(history.stop_all, etcd.stop_all, standin.stop_all) end)

  it("etcd is wiped: all hold, and say so", function()
    local group = fleet()
    local a, b = two(group)
    local member = cluster.members[1]
    member:kill()
    proc.must({ "rm", "-rf", member.dir .. "/data" }, { as_root = true })
    cluster.token = cluster.token .. "-anew"
    member:start()
    slaves[1]:kill9()
    a:wait_logged("etcd is another cluster than before")
    b:wait_logged("etcd is another cluster than before")
    assert_holds(group, 4, a, b)
  end)

  it("etcd is restored from a backup: all hold, and say so", function()
    local group = fleet()
    local member = cluster.members[1]
    member:must("/v3/maintenance/status", {})
    member:kill("sigterm")
    local backup = member.dir .. "/backup"
    proc.must { "cp", "-r", member.dir .. "/data", backup }
    member:start()
    local a, b = two(group)
    for _ = 1, 20 do
      put(member, "elsewhere", "to let the revision rise")
    end
    proc.pump(1500)
    member:kill()
    proc.must({ "rm", "-rf", member.dir .. "/data" }, { as_root = true })
    proc.must { "mv", backup, member.dir .. "/data" }
    member:start()
    slaves[1]:kill9()
    a:wait_logged("etcd", "backup")
    b:wait_logged("etcd", "backup")
    assert_holds(group, 4, a, b)
  end)

  it("etcd asks for a user, who may write below the prefix alone", function()
    local group = fleet { monitors = { user = "plusmoin", password = "secret" } }
    local member = cluster.members[1]
    local key, range_end = history.encode(monitors.PREFIX), history.encode(history.range_end(monitors.PREFIX))
    member:must("/v3/auth/user/add", { name = "root", password = "root" })
    member:must("/v3/auth/user/grant", { user = "root", role = "root" })
    member:must("/v3/auth/role/add", { name = "plusmoin" })
    member:must("/v3/auth/role/grant", { name = "plusmoin",
      perm = { permType = "READWRITE", key = key, range_end = range_end } })
    member:must("/v3/auth/user/add", { name = "plusmoin", password = "secret" })
    member:must("/v3/auth/user/grant", { user = "plusmoin", role = "plusmoin" })
    member:must("/v3/auth/enable", {})
    cluster.token_line = "Authorization: " .. member:must("/v3/auth/authenticate",
      { name = "plusmoin", password = "secret" }).token .. "\r\n"
    local a, b = two(group)
    a:kill9()
    slaves[1]:kill9()
    monitors.wait_acts(b)
    group:wait_entry { what = "end", name = "slave_down", which = 2 }
  end)

  it("a state of another format: nobody acts, and it says so", function()
    local group = fleet()
    put(cluster.members[1], "state/meta", '{"version":99,"next_id":5,"event_count":7}')
    local a = group:monitor "a"
    a:wait_logged("cannot be taken over")
    assert_holds(group, 3, a)
    local kept = history.read(cluster.members[1], monitors.PREFIX .. "state/")
    assert.are.equal(1, #kept)
    assert.are.equal(99, kept[1].value.version)
    assert.is_truthy(monitors.says(a).stuck)
    -- once it is another one's turn it lacks nothing
    cluster.members[1]:must("/v3/kv/deleterange", { key = history.encode(monitors.PREFIX .. "state/meta") })
    local b = group:monitor "b"
    a.process:kill("sigstop")
    monitors.wait_acts(b)
    a.process:kill("sigcont")
    proc.wait_for("a monitor that stands by, and lacks nothing", 10, function()
      local says = monitors.says(a)
      return says and not says.acts and says.acting == "b" and says.stuck == require "cjson".null
    end, function() return a:diagnose() end)
  end)

  it("somebody writes to the state: what waits is committed under a new term", function()
    local group = fleet()
    local a = two(group)
    local term = monitors.says(a).term
    for _, pair in ipairs(history.read(cluster.members[1], monitors.PREFIX .. "state/meta")) do
      put(cluster.members[1], "state/meta", require "cjson".encode(pair.value))
    end
    slaves[1]:kill9()
    local down = group:wait_entry({ what = "end", name = "slave_down", which = 2 }, 1, 20)
    assert.is_true(down.term > term)
  end)

  it("the state of 2,000 nodes is committed and taken over", function()
    local count = SANITIZED and 50 or 200
    local stand = standin.start()
    cluster = etcd.start(1)
    local triggers = { plusmoin_heartbeat = false }
    local group = monitors.new { etcd = cluster, nodes = stand:clusters("c", count, 10, "127.25.0.1"), ttl = 5,
      config = { heartbeat = 5, query_timeout = 10, connect_timeout = 20, retry_interval = 1, log_level = "info" } }
    for name in pairs(group.triggers) do
      triggers[name] = name ~= "plusmoin_up" and group.triggers[name] or false
    end
    group.triggers = triggers
    local a = monitors.wait_acts(group:monitor "a")
    local function parts()
      local _, state = pcall(history.read, cluster.members[1], monitors.PREFIX .. "state/")
      return type(state) == "table" and #state or 0
    end
    proc.wait_for("all nodes in etcd", 60, function() return parts() == 1 + count + 10 * count end,
      function() return parts() .. "\n" .. a:diagnose() end)
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    proc.wait_for("b to see all", 60, function()
      local status = b:status_file()
      return status and #status.clusters == count
    end)
    local began = proc.mono_ms()
    a:kill9()
    monitors.wait_acts(b, 30)
    local acts = proc.mono_ms()
    stand:play "c2 die"
    group:wait_entry({ what = "end", name = "slave_down" }, 1, 30)
    print(("%d nodes: killed to the next that acts %.2f s, then a death to its trigger %.2f s"):format(10 * count,
      (acts - began) / 1000, (proc.mono_ms() - acts) / 1000))
    proc.watch(3, function() end)
    assert.are.equal(1, #group:entries { what = "start", which = 1 }, group:diagnose())
    assert.is_false(b:logged("too many operations") or b:logged("too large"))
  end)

  it("a thousand events at once are committed in order", function()
    local count = SANITIZED and 10 or 100
    local stand = standin.start()
    cluster = etcd.start(1)
    local group = monitors.new { etcd = cluster, nodes = stand:clusters("c", count, 11, "127.26.0.1"), ttl = 5,
      config = { heartbeat = 5, query_timeout = 10, connect_timeout = 20, retry_interval = 1, log_level = "info",
        trigger_timeout = 30 } }
    for name, commands in pairs(group.triggers) do
      group.triggers[name] = commands and name == "slave_down" and { commands[1] } or false
    end
    local a = monitors.wait_acts(group:monitor "a")
    proc.wait_for("all clusters", 60, function()
      local status = a:status_file()
      local slaves_seen = 0
      for _, one in ipairs(status and status.clusters or {}) do
        slaves_seen = slaves_seen + #one.slaves
      end
      return slaves_seen == 10 * count
    end, function() return a:diagnose() end)
    local watch = history.of(cluster, monitors.PREFIX .. "events/")
    local lines = {}
    for i = 1, 11 * count do
      if i % 11 ~= 1 then
        lines[#lines + 1] = ("c%d die"):format(i)
      end
    end
    local began = proc.mono_ms()
    stand:play(table.unpack(lines))
    group:wait_entry({ what = "end", name = "slave_down" }, 10 * count, 60)
    local ran = proc.mono_ms()
    local born
    proc.wait_for("etcd's history", 30, function()
      born = births(watch)
      return #born == 10 * count
    end, function() return #born end)
    for i = 2, #born do
      assert.is_true(born[i].number > born[i - 1].number)
    end
    print(("%d events: committed in %.2f s, their triggers ended in %.2f s"):format(#born,
      (born[#born].ms - began) / 1000, (ran - began) / 1000))
    assert.is_true(born[#born].ms - began < 10000 * (SANITIZED and 6 or 1))
    local place, once = {}, {}
    for _, entry in ipairs(group:entries { what = "start" }) do
      assert.is_true(entry.number > (place[entry.cluster] or 0), entry.line)
      assert.is_nil(once[entry.number], entry.line)
      place[entry.cluster], once[entry.number] = entry.number, true
    end
  end)
end)
