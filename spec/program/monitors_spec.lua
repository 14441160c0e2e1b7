-- Several monitors on etcd: who acts, and what becomes of events and their triggers when that changes. The plain cases;
-- random faults are council_spec's.
local cjson = require "cjson"
local etcd = require "spec.support.etcd"
local history = require "spec.support.history"
local monitors = require "spec.support.monitors"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local prometheus = require "spec.support.prometheus"
local scene = require "spec.support.scene"
local web = require "spec.support.web"

local uv = proc.uv

local function freeze(daemon)
  daemon.frozen = true
  uv.kill(daemon.process.pid, "sigstop")
end

local function thaw(daemon)
  daemon.frozen = nil
  uv.kill(daemon.process.pid, "sigcont")
end

local function wait_no_lead(cluster)
  proc.wait_for("the end of the lease", 10, function()
    for _, pair in ipairs(history.read(cluster.members[1], monitors.PREFIX)) do
      if pair.key == "lead" then
        return false
      end
    end
    return true
  end)
end

describe("monitors:", function()
  local cluster, master, slaves

  -- A member of etcd, a master, a slave; options as of monitors.new().
  local function fleet(options)
    options = options or {}
    cluster = etcd.start(options.members or 1)
    master, slaves = pg.cluster(1)
    options.etcd, options.nodes = cluster, { master, slaves[1] }
    return monitors.new(options)
  end

  after_each(function() scene.finish(history.stop_all, etcd.stop_all) end)

  it("one acts, and the other fires nothing #core", function()
    local group = fleet { ttl = 10 }
    local a = monitors.wait_acts(group:monitor "a")
    group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    b:wait_status("both nodes", function() return b:place(slaves[1]) == "slave 0" end)
    slaves[1]:kill9()
    group:wait_entry { what = "end", name = "slave_down", which = 2 }
    b:wait_place(slaves[1], "lost 0")
    slaves[1]:start()
    group:wait_entry { what = "end", name = "slave_up", which = 2 }
    group:wait_all_done()
    assert.are.equal(3, #group:entries { what = "start", which = 1 })
    local term = monitors.says(a).term
    for i, entry in ipairs(group:entries { what = "start", which = 1 }) do
      assert.are.equal(term, entry.term)
      assert.are.equal(i, entry.number)
    end
    group:assert_none_twice()
    assert.is_false(monitors.says(b).acts)
    assert.are.equal("a", monitors.says(b).acting)
  end)

  it("the acting one is killed: the other goes on with its ids, under a higher term #core", function()
    local group = fleet()
    local a = monitors.wait_acts(group:monitor "a")
    group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    group:wait_all_done()
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    local first = monitors.says(a).term
    a:kill9()
    slaves[1]:kill9()
    monitors.wait_acts(b)
    local down = group:wait_entry { what = "end", name = "slave_down", which = 2 }
    assert.is_true(down.term > first)
    assert.are.equal(monitors.says(b).term, down.term)
    assert.are.equal(0, down.cluster)
    assert.is_true(down.number > 1)
    group:wait_all_done()
    group:assert_none_twice()
    a:start()
    a:wait_logged("stands by", "b acts")
  end)

  for how, leave in pairs {
    ["a clean stop"] = function(daemon) daemon:stop_and_check() end,
    ["monitors resign"] = function(daemon)
      local code, out, err = daemon:cli("monitors", "resign")
      assert.are.equal(0, code, out .. err)
    end,
  } do
    it(how .. " hands over within a second #core", function()
      local group = fleet { ttl = 10 }
      local a = monitors.wait_acts(group:monitor "a")
      group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
      local b = group:monitor "b"
      b:wait_logged("stands by", "a acts")
      group:wait_all_done()
      local watch = history.of(cluster, monitors.PREFIX .. "lead")
      leave(a)
      monitors.wait_acts(b)
      local gone, came
      proc.wait_for("the new term", 5, function()
        gone = nil
        for _, one in ipairs(watch:revisions()) do
          if one.changes[1].gone then
            gone = one.ms
          elseif gone then
            came = one.ms
          end
        end
        return came
      end)
      assert.is_true(came - gone < 1000, ("%.0f ms"):format(came - gone))
      slaves[1]:kill9()
      group:wait_entry { what = "end", name = "slave_down", which = 2 }
      group:wait_all_done()
      group:assert_none_twice()
    end)
  end

  it("a second process of the same name is refused at its start, and the first one's host named #core", function()
    local group = fleet { ttl = 10 }
    local a = monitors.wait_acts(group:monitor "a")
    local again = group:monitor("a", { start = false })
    proc.write_file(again.config.status_file, "of the one before")
    local code, out, err = proc.run({ plusmoin.binary(), "-c", again.config_path, "-x", "start" }, { cwd = again.dir })
    assert.are.equal(1, code, out .. err)
    local words = "another monitor is called a, on host " .. uv.os_gethostname()
    assert.is_truthy((out .. err):find(words, 1, true), out .. err)
    assert.is_true(monitors.says(a).acts)
    assert.are.equal("of the one before", proc.read_file(again.config.status_file))
    group.all[2] = nil
  end)

  it("a killed one's name is at once free for the next process on its machine, reaped or not #core", function()
    local group = fleet { ttl = 10 }
    local first = group:monitor("a", { start = false })
    local parent = proc.spawn({ "sh", "-c", '"$@" >out.log 2>&1 & echo $! >child; exec sleep 100', "sh",
      plusmoin.binary(), "-c", first.config_path, "-x", "start" }, { cwd = first.dir }) -- sleep reaps no child
    local pid
    finally(function()
      parent:kill("sigkill")
      pcall(uv.kill, pid, "sigkill")
    end)
    proc.wait_for("the first to act", 15, function()
      local says = monitors.says(first)
      return says and says.acts
    end, function() return tostring(proc.read_file(first.dir .. "/out.log")) end)
    pid = math.tointeger(tonumber(proc.read_file(first.dir .. "/child")))
    uv.kill(pid, "sigkill")
    proc.wait_for("a zombie", 5, function() return proc.read_file("/proc/" .. pid .. "/stat"):find("%) Z ") end)
    group.all[1] = nil
    local again = group:monitor "a"
    again:wait_logged(("this monitor takes its name over from process %d, which has ended"):format(pid))
    again:wait_status("both nodes", function() return again:place(slaves[1]) == "slave 0" end, 5)
  end)

  it("a killed one's name is free, too, when another process has its pid by now", function()
    local group = fleet { ttl = 10 }
    local lease = cluster.members[1]:must("/v3/lease/grant", { TTL = 60 }).ID
    local birth = ("%s:%s:1"):format(proc.read_file("/proc/sys/kernel/random/boot_id"):match("%S+"),
      uv.fs_readlink("/proc/self/ns/pid")) -- no process of today began in the boot's first tick
    cluster.members[1]:must("/v3/kv/put", { key = history.encode(monitors.PREFIX .. "monitors/a"), lease = lease,
      value = history.encode(('{"name": "a", "host": "%s", "pid": %d, "instance": "i", "birth": "%s"}')
        :format(uv.os_gethostname(), uv.os_getpid(), birth)) })
    monitors.wait_acts(group:monitor "a", 8)
  end)

  it("a name that a process elsewhere had is waited for until its lease is over", function()
    local group = fleet { ttl = 4 }
    local etcd_one, host = cluster.members[1], uv.os_gethostname()
    local lease = etcd_one:must("/v3/lease/grant", { TTL = 3 }).ID
    etcd_one:must("/v3/kv/put", { key = history.encode(monitors.PREFIX .. "monitors/a"), lease = lease,
      value = history.encode(('{"name": "a", "host": "%s", "pid": %d, "instance": "i", "birth": "another:boot:1"}')
        :format(host, uv.os_getpid())) }) -- its machine was started again, or is a container that this one cannot see
    local a = group:monitor "a"
    a:wait_logged(("this monitor's name is still that of process %d on host %s: this one waits until the lease of that"
      .. " is over, 5 s at most"):format(uv.os_getpid(), host))
    assert.is_nil(a:status_file())
    monitors.wait_acts(a)
    a:wait_status("both nodes", function() return a:place(slaves[1]) == "slave 0" end)
    assert.is_false(a:logged("another monitor is called"))
  end)

  it("queued runs of a monitor that was killed run, and started ones run again with RERUN", function()
    local group = fleet { slow = 60000, config = { trigger_timeout = 100 } }
    local a = monitors.wait_acts(group:monitor "a")
    local first = group:wait_entry { what = "start", name = "plusmoin_up", which = 2 }
    slaves[1]:kill9()
    local number
    proc.wait_for("slave_down to be queued", 10, function()
      for n, record in pairs(group:kept()) do
        number = record.name == "slave_down" and record.runs[1].state == "queued" and n or number
      end
      return number
    end, function() return group:diagnose() end)
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    a:kill9()
    local again = group:wait_entry { what = "start", name = "plusmoin_up", which = 2, rerun = true }
    assert.are.equal(first.id, again.id)
    assert.is_true(again.term > first.term)
    uv.kill(again.pid, "sigkill")
    local down = group:wait_entry { what = "start", name = "slave_down", which = 1 }
    assert.are.equal(number, down.number)
    assert.is_false(down.rerun)
    assert.are.equal(1, #group:entries { what = "start", name = "plusmoin_up", which = 1, number = first.number })
    group:assert_none_twice()
    for _, entry in ipairs(group:entries { what = "start" }) do
      pcall(uv.kill, entry.pid, "sigkill")
    end
  end)

  for how, leave in pairs {
    ["a clean stop"] = function(daemon) daemon:stop_and_check() end,
    ["monitors resign"] = function(daemon) assert.are.equal(0, (daemon:cli("monitors", "resign"))) end,
  } do
    it(how .. " leaves what is queued, and what it cuts short, to the other", function()
      local group = fleet { ttl = 10, slow = 60000, config = { trigger_timeout = 100 } }
      local a = monitors.wait_acts(group:monitor "a")
      local first = group:wait_entry { what = "start", name = "plusmoin_up", which = 2 }
      slaves[1]:kill9()
      proc.wait_for("slave_down to be queued", 10, function() return group:kept()[2] end)
      local b = group:monitor "b"
      b:wait_logged("stands by", "a acts")
      leave(a)
      local again = group:wait_entry { what = "start", number = first.number, which = 2, rerun = true }
      assert.are.equal(first.id, again.id)
      assert.are_not.equal(0, uv.kill(first.pid, 0))
      uv.kill(again.pid, "sigkill")
      local down = group:wait_entry { what = "start", name = "slave_down", which = 2 }
      assert.is_false(down.rerun)
      group:assert_none_twice()
      for _, entry in ipairs(group:entries { what = "start" }) do
        pcall(uv.kill, entry.pid, "sigkill")
      end
    end)
  end

  it("what was started and may not run again is told as unknown (rerun: false)", function()
    local group = fleet { slow = 60000, config = { trigger_timeout = 100 } }
    for _, commands in pairs(group.triggers) do
      if commands then
        commands[2].rerun = false
      end
    end
    local a = monitors.wait_acts(group:monitor "a")
    local first = group:wait_entry { what = "start", name = "plusmoin_up", which = 2 }
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    a:kill9()
    monitors.wait_acts(b)
    b:wait_logged("does not run again", first.id)
    proc.wait_for("unknown in etcd", 5, function()
      return group:kept()[first.number].runs[2].state == "unknown"
    end, function() return group:diagnose() end)
    assert.are.equal(1, #group:entries { what = "start", number = first.number, which = 2 })
    for _, entry in ipairs(group:entries { what = "start" }) do
      pcall(uv.kill, entry.pid, "sigkill")
    end
  end)

  it("etcd goes away: nothing starts, and it says so; it comes back: what waits runs", function()
    local group = fleet { ttl = 5 }
    local a = monitors.wait_acts(group:monitor "a")
    group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    group:wait_all_done()
    cluster.members[1]:kill()
    slaves[1]:kill9()
    a:wait_place(slaves[1], "lost 0")
    a:wait_logged("etcd cannot be asked")
    proc.wait_for("`monitors` to say so", 5, function()
      local says = monitors.says(a)
      return says and type(says.stuck) == "string"
    end)
    proc.watch(2.5, function() assert.are.equal(0, #group:entries { name = "slave_down" }) end)
    cluster:start_missing()
    group:wait_entry { what = "end", name = "slave_down", which = 2 }
    group:wait_all_done()
    group:assert_none_twice()
    a:wait_logged("etcd answers again")
  end)

  it("the window says which acts, in which term, and that etcd is away; one that is alone does not", function()
    local group = fleet()
    local windows = { a = web.place(), b = web.place(), alone = web.place() }
    local function start(name, more)
      group.options.config = { http = { listen = windows[name] } }
      return group:monitor(name, more)
    end
    local function wait_metrics(name, expected)
      local text, seen
      proc.wait_for("/metrics of " .. name, 15, function()
        text, seen = prometheus.scrape(windows[name]), {}
        for i, what in ipairs { "acting", "term", "etcd_away" } do
          seen[i] = prometheus.value(text, "plusmoin_" .. what) or "none"
        end
        return seen[1] == expected[1] and seen[2] == expected[2] and seen[3] == expected[3]
      end, function() return table.concat(seen, " ") .. "\n" .. group:diagnose() end)
    end
    local a = monitors.wait_acts(start "a")
    local term = monitors.says(a).term
    wait_metrics("a", { 1, term, 0 })
    local b = start "b"
    b:wait_logged("stands by", "a acts")
    wait_metrics("b", { 0, 0, 0 })
    b:wait_place(slaves[1], "slave 0")
    local clusters = cjson.decode(web.say(windows.b, "GET /clusters HTTP/1.0\r\nHost: localhost\r\n\r\n")
      :match("\r\n\r\n(.*)"))
    local status = web.get(windows.b, "/status.json").body
    assert.are.equal("standing by (a acts)", clusters.monitor)
    assert.is_number(clusters.clusters[1].slaves[1].lag)
    assert.is_nil(status:find("lag") or status:find("monitor") or status:find("state") or status:find("reason"))
    a:kill9()
    monitors.wait_acts(b)
    assert.is_true(monitors.says(b).term > term)
    wait_metrics("b", { 1, monitors.says(b).term, 0 })
    cluster.members[1]:kill()
    wait_metrics("b", { 1, monitors.says(b).term, 1 }) -- nobody can have taken the term from it
    local alone = start("alone", { alone = true })
    alone:wait_place(slaves[1], "slave 0")
    wait_metrics("alone", { "none", "none", "none" })
  end)

  it("one becomes several: what its state file holds is taken over while etcd holds nothing", function()
    local group = fleet { config = { state_file = proc.new_dir("state") .. "/state.json" } }
    proc.give(group.options.config.state_file:match("^(.*)/"))
    local one = group:monitor("one", { alone = true })
    local up = group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    slaves[1]:kill9()
    local down = group:wait_entry { what = "end", name = "slave_down", which = 2 }
    one:stop_and_check()
    local a = monitors.wait_acts(group:monitor "a")
    a:wait_logged("what the state file holds is taken over")
    proc.wait_for("its plusmoin_up", 10, function()
      return #group:entries { what = "end", name = "plusmoin_up", which = 2 } == 2
    end, function() return group:diagnose() end)
    group:wait_all_done()
    local ups = group:entries { what = "end", name = "plusmoin_up", which = 2 }
    assert.is_true(ups[2].number > down.number and ups[2].cluster == up.cluster)
    assert.are.equal(1, #group:entries { what = "end", name = "slave_down", which = 2 }) -- it was known
    a:wait_place(slaves[1], "lost 0")
  end)

  local function acts_alone(settings, first, second)
    local group = fleet { ttl = 5, monitors = settings }
    group.triggers.slave_down[1].alone, group.triggers.slave_down[2].alone = first, second
    local a = monitors.wait_acts(group:monitor "a")
    group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    group:wait_all_done()
    cluster.members[1]:kill()
    slaves[1]:kill9()
    local alone = group:wait_entry { what = "end", name = "slave_down", which = 1 }
    a:wait_logged("etcd cannot be asked")
    proc.watch(1, function() assert.are.equal(0, #group:entries { name = "slave_down", which = 2 }) end)
    cluster:start_missing()
    group:wait_entry { what = "end", name = "slave_down", which = 2 }
    group:wait_all_done()
    assert.are.equal("done", group:kept()[alone.number].runs[1].state)
    group:assert_none_twice()
  end

  it("etcd is away: a trigger that acts alone runs at once, the others when it is back", function()
    acts_alone({}, "act", nil)
  end)

  it("etcd is away: with away = act the others wait that hold #long", function()
    acts_alone({ away = "act" }, nil, "hold")
  end)

  it("etcd is away: the one that acts ends all the same", function()
    local group = fleet()
    local a = monitors.wait_acts(group:monitor "a")
    group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    cluster.members[1]:kill()
    slaves[1]:kill9()
    a:wait_logged("etcd cannot be asked")
    a:stop_and_check()
  end)

  it("no etcd at the first start: nothing acts, and it says so; etcd comes: it acts", function()
    local group = fleet()
    cluster.members[1]:kill()
    local a = group:monitor "a"
    a:wait_status("both nodes", function() return a:place(slaves[1]) == "slave 0" end)
    a:wait_logged("etcd has not said yet")
    local code, _, err = a:cli("monitors", "seed") -- an etcd that is away may be the one it was
    assert.are.equal(1, code)
    assert.has_match("there is nothing to be seeded", err, 1, true)
    assert.is_false(monitors.says(a).acts)
    slaves[1]:kill9()
    proc.watch(1, function() assert.are.equal(0, #group:journal()) end)
    cluster:start_missing()
    monitors.wait_acts(a)
    group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    group:wait_all_done()
  end)

  it("the acting one is stopped and wakes: what ran gets TERM, nothing more starts under its term", function()
    local group = fleet { slow = 60000, config = { trigger_timeout = 100 } }
    local a = monitors.wait_acts(group:monitor "a")
    local ran = group:wait_entry { what = "start", name = "plusmoin_up", which = 2 }
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    slaves[1]:kill9()
    a:wait_place(slaves[1], "lost 0")
    freeze(a)
    local again = group:wait_entry { what = "start", name = "plusmoin_up", which = 2, rerun = true }
    assert.is_true(again.term > ran.term)
    assert.are.equal(0, uv.kill(ran.pid, 0))
    thaw(a)
    proc.wait_for("TERM of what ran", 3, function() return uv.kill(ran.pid, 0) ~= 0 end,
      function() return group:diagnose() end)
    a:wait_logged("does not act any more")
    uv.kill(again.pid, "sigkill")
    local down = group:wait_entry { what = "start", name = "slave_down", which = 2 }
    assert.are.equal(again.term, down.term)
    assert.are.equal(2, #group:entries { what = "start", term = ran.term })
    group:assert_none_twice()
    uv.kill(down.pid, "sigkill")
  end)

  it("a monitor that is alone is stopped and wakes: it takes up its own events again", function()
    local group = fleet { slow = 2500, config = { trigger_timeout = 100 } }
    local a = monitors.wait_acts(group:monitor "a")
    local ran = group:wait_entry { what = "start", name = "plusmoin_up", which = 2 }
    slaves[1]:kill9()
    a:wait_place(slaves[1], "lost 0")
    proc.wait_for("the second event", 5, function() return next(group:kept(), 1) or group:kept()[2] end)
    freeze(a)
    wait_no_lead(cluster)
    thaw(a)
    local again = group:wait_entry({ what = "end", which = 2, number = ran.number, rerun = true }, 1, 10)
    assert.is_true(again.term > ran.term)
    group:wait_entry { what = "end", name = "slave_down", which = 2 }
    group:wait_all_done()
    group:assert_none_twice()
  end)

  it("what outlives TERM of the term before does not count for the same event under the next", function()
    local group = fleet { slow_first = 3500, stubborn = true, config = { trigger_timeout = 100 } }
    local a = monitors.wait_acts(group:monitor "a")
    local ran = group:wait_entry { what = "start", name = "plusmoin_up", which = 1 }
    freeze(a)
    wait_no_lead(cluster)
    thaw(a)
    monitors.wait_acts(a)
    local again = group:wait_entry { what = "start", which = 1, number = ran.number, rerun = true }
    assert.is_true(again.term > ran.term)
    group:wait_entry { what = "end", which = 2, number = ran.number }
    group:wait_all_done()
    group:assert_none_twice()
  end)
end)
