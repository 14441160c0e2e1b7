-- `plusmoin runs`: what runs and what waits, in each way in which something can, and its end by hand.
local cjson = require "cjson"
local etcd = require "spec.support.etcd"
local fleet = require "spec.support.fleet"
local hang = require "spec.support.hang"
local has = require "spec.support.has"
local history = require "spec.support.history"
local monitors = require "spec.support.monitors"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"

local uv, NULL = proc.uv, cjson.null

local SANITIZED = (os.getenv("PLUSMOIN_BIN") or ""):find("san/")

-- The uid of whoever asks by daemon:cli().
local function own_uid()
  local _, out = proc.run { "id", "-u" }
  return tonumber(out)
end

-- A listener that takes connections and says nothing.
local function listen()
  local self = { listener = uv.new_tcp(), taken = {} }
  assert(self.listener:bind("127.0.0.1", 0))
  assert(self.listener:listen(64, function()
    local client = uv.new_tcp()
    self.listener:accept(client)
    self.taken[#self.taken + 1] = client
  end))
  self.port = self.listener:getsockname().port
  function self.close()
    for _, client in ipairs(self.taken) do
      proc.close(client)
    end
    proc.close(self.listener)
  end
  return self
end

local function list_of(daemon)
  local answer = daemon:ask { request = "runs" }
  assert(answer.ok, answer.error)
  return answer
end

-- The rows of an answer by cluster; those of the trigger's actions by their place in it, a heartbeat's by its name.
local function by_cluster(answer)
  local clusters = {}
  for _, row in ipairs(answer.runs) do
    local rows = clusters[row.cluster_id] or {}
    clusters[row.cluster_id] = rows
    rows[tonumber(row.trigger:match("^triggers%.plusmoin_up%[(%d+)%]$")) or row.name] = row
  end
  return clusters
end

-- Waits until the list is as `fn` wants it: what that returns.
local function wait_list(daemon, what, fn)
  local answer
  proc.wait_for("the control socket", 10, function() return uv.fs_stat(daemon.config.control_socket) end,
    function() return daemon:diagnose() end)
  return proc.wait_for(what, 20, function()
    answer = list_of(daemon)
    return fn(answer)
  end, function() return cjson.encode(answer) .. "\n" .. daemon:diagnose() end)
end

local function find_row(daemon, what, fn)
  return wait_list(daemon, what, function(answer)
    for _, row in ipairs(answer.runs) do
      if fn(row) then
        return row
      end
    end
  end)
end

local function kill(daemon, id)
  local code, out, err = daemon:cli("runs", "kill", id)
  assert.equal(0, code, out .. err)
  return out
end

-- Clusters that wait in their first action, each in the way that its master is called; `slow` and `place` have a
-- command in their second one for which there is one slot. Then each says "third".
local WAYS = [[
local pm = require "plusmoin"
local function wait(event)
  local way = event.master.name
  if way == "sleep" then
    pm.sleep(60)
  elseif way == "exec" then
    pm.exec { "sleep", "MARK" }
  elseif way == "query" then
    pm.query(event.master, "SELECT pg_sleep(60)", {}, { timeout = 60 })
  elseif way == "http" then
    pm.http { url = "http://127.0.0.1:PORT/", timeout = 60 }
  elseif way == "request" then
    pm.request { to = "127.0.0.1:PORT", data = "x", timeout = 60 }
  end
end
local command = "case $PLUSMOIN_MASTER_HOST in SLOW) exec sleep MARK ;; esac"
config.triggers.plusmoin_up = { wait, { command = { "sh", "-c", command } }, function(event)
  pm.log.info("third of %s .", event.master.name)
end }
config.triggers.plusmoin_heartbeat = function(event)
  pm.log.info("heartbeat of %s .", event.master.name)
end
]]

describe("runs", function()
  local listener

  after_each(function()
    scene.finish(history.stop_all, etcd.stop_all, standin.stop_all)
    if listener then
      listener.close()
      listener = nil
    end
  end)

  -- The clusters of these nodes, by the names of their masters.
  local function wait_ids(daemon, nodes)
    local ids = {}
    daemon:wait_status("all clusters", function(status)
      local count = 0
      for _, cluster in ipairs(status.clusters) do
        for _, node in ipairs(nodes) do
          if node.host == cluster.master.host then
            ids[node.name], count = cluster.cluster_id, count + 1
          end
        end
      end
      return count == #nodes
    end)
    return ids
  end

  -- A daemon on such clusters, and their ids by name.
  local function start_ways(names)
    local _, nodes = fleet.start(names)
    local hosts = {}
    listener = listen()
    for _, node in ipairs(nodes) do
      if node.name == "slow" or node.name == "place" then
        hosts[#hosts + 1] = node.host
      end
    end
    local words = { MARK = "61." .. listener.port, PORT = listener.port, SLOW = table.concat(hosts, "|") }
    local daemon = plusmoin.start { nodes = {}, nowait = true, lua = WAYS:gsub("%u+", words),
      config = { nodes = nodes, trigger_timeout = 60, trigger_parallel = 1, heartbeat = 0.5, log_level = "info" } }
    return daemon, wait_ids(daemon, nodes), words.MARK
  end

  it("are listed with what they wait for, and end by hand; what is behind them goes on #core", function()
    local ways = { "sleep", "exec", "query", "http", "request" }
    local daemon, ids, mark = start_ways { "sleep", "exec", "query", "http", "request", "slow", "place" }
    local first, second -- of the two commands: one runs, one waits for a place
    local waiting = wait_list(daemon, "all to wait", function(answer)
      local found = by_cluster(answer)
      for _, way in ipairs(ways) do
        local rows = found[ids[way]]
        if not rows or not rows.plusmoin_heartbeat or rows[1].waits_for ~= way then
          return nil
        end
      end
      for _, way in ipairs { "slow", "place" } do
        local rows = found[ids[way]]
        if not rows or not rows[2] or not rows.plusmoin_heartbeat or rows[1] or rows[2].waits_for == "term" then
          return nil
        end
        if rows[2].state == "running" and rows[2].pid ~= NULL then
          first = way
        else
          second = way
        end
      end
      return first and second and first ~= second and { found, answer }
    end)
    local clusters, all = waiting[1], waiting[2]
    assert.equal(6, all.running)
    assert.equal(#all.runs, all.running + all.waiting)
    assert.is_nil(all.monitors)
    local now, states = proc.uv.gettimeofday(), {}
    for i, row in ipairs(all.runs) do
      states[i] = row.state
      assert.is_true(row.since > now - 30 and row.since <= now + 1, row.since)
    end
    assert.truthy(table.concat(states, " "):find("^running running running running running running waiting"))
    for _, way in ipairs(ways) do
      local rows = clusters[ids[way]]
      local event = rows[1].id:match("^(%d+)%.1$")
      assert.same({ "running", "lua", NULL, NULL, "plusmoin_up", NULL }, { rows[1].state, rows[1].kind, rows[1].pid,
        rows[1].behind, rows[1].name, rows[1].node })
      assert.is_true(rows[1].waits_since >= rows[1].since)
      assert.same({ event .. ".2", "waiting", "command", "turn", rows[1].id },
        { rows[2].id, rows[2].state, rows[2].kind, rows[2].waits_for, rows[2].behind })
      assert.same({ event .. ".3", "waiting", "lua", "turn", rows[1].id },
        { rows[3].id, rows[3].state, rows[3].kind, rows[3].waits_for, rows[3].behind })
      assert.same({ "waiting", "turn", rows[1].id }, { rows.plusmoin_heartbeat.state, rows.plusmoin_heartbeat.waits_for,
        rows.plusmoin_heartbeat.behind })
      assert.truthy(rows.plusmoin_heartbeat.id:find("^%d+$"))
      assert.equal(rows[1].event, rows[3].event)
    end
    local runs, waits = clusters[ids[first]][2], clusters[ids[second]][2]
    has(assert(proc.read_file(("/proc/%d/cmdline"):format(runs.pid))), mark)
    assert.same({ "waiting", "place", NULL, NULL }, { waits.state, waits.waits_for, waits.pid, waits.behind })

    local code, out, err = daemon:cli "runs"
    assert.equal(0, code, err)
    for _, way in ipairs(ways) do
      has(out, "  pm." .. way .. " (")
    end
    has(out, ("  command, pid %d  "):format(runs.pid), "  a place (trigger_parallel)  ",
      "  its turn (behind " .. runs.id .. ")  ")
    assert.equal(#all.runs + 1, select(2, out:gsub("\n", "")))
    code, out = daemon:cli("runs", "--json")
    assert.equal(0, code)
    assert.equal(#all.runs, #cjson.decode(out).runs)

    local by = ("`plusmoin runs kill` (uid %d)"):format(own_uid())
    for _, way in ipairs(ways) do
      local row = clusters[ids[way]][1]
      assert.equal(("%s: triggers.plusmoin_up[1] of plusmoin_up %s: it runs, and is ended\n"):format(row.id, row.event),
        kill(daemon, row.id))
      daemon:wait_logged("ended by " .. by .. " after ", "plusmoin.lua:", "trigger=triggers.plusmoin_up[1]",
        " id=" .. row.event)
    end
    kill(daemon, clusters[ids.sleep][2].id) -- its command waits, and goes
    daemon:wait_logged("dropped by " .. by, "trigger=triggers.plusmoin_up[2]", " id=" .. clusters[ids.sleep][2].event)
    daemon:wait_logged("third of sleep .")
    kill(daemon, waits.id)
    daemon:wait_logged("third of " .. second .. " .")
    assert.is_false(daemon:logged("third of " .. first .. " ."))
    daemon:wait_logged("heartbeat of " .. second .. " .")
    assert.equal(0, uv.kill(runs.pid, 0))
    kill(daemon, runs.id)
    for way in pairs(ids) do
      daemon:wait_logged("third of " .. way .. " .")
      daemon:wait_logged("heartbeat of " .. way .. " .")
    end
    daemon:wait_logged("ended by " .. by .. " after ", " id=" .. runs.event)
    assert.equal(1, (proc.run({ "pgrep", "-f", "sleep " .. mark }, { as_root = true })))
    local explained = daemon:ask { request = "explain", event = runs.event }
    has(explained.event.triggers[2].outcome, "ended by " .. by)
  end)

  it("that are none are refused, with the ids that there are", function()
    local daemon, ids = start_ways { "sleep", "http" }
    local clusters = by_cluster(wait_list(daemon, "two to wait", function(answer)
      local found = by_cluster(answer)
      return found[ids.sleep] and found[ids.sleep][1] and found[ids.http] and found[ids.http][1]
        and answer.running == 2 and answer
    end))
    local code, out, err = daemon:cli("runs", "kill", "4711")
    assert.same({ 1, "" }, { code, out })
    assert.truthy(err:find("^plusmoin: there is no run 4711: there are %d%.1, %d%.1, .*%d%.3"), err)
    for _, id in ipairs { "", "x", "1", "-1", clusters[ids.sleep][1].id .. ".1", "0" } do
      local answer = daemon:ask { request = "runs_kill", run = id }
      assert.is_false(answer.ok)
      has(answer.error, "there is no run " .. id .. ": there are ")
    end
    has(daemon:ask({ request = "runs_kill" }).error, '"run" is missing')
    has(daemon:ask({ request = "runs_kill", run = 7 }).error, '"run" must be a text')
    for _, argv in ipairs { { "runs", "kil" }, { "runs", "kill" }, { "runs", "kill", "1", "2" } } do
      assert.equal(2, (daemon:cli(table.unpack(argv))))
    end
    if proc.is_root then
      code, out, err = daemon:root_cli("runs", "kill", clusters[ids.sleep][1].id)
      assert.equal(0, code, out .. err)
      daemon:wait_logged("ended by `plusmoin runs kill` (uid 0) after ")
    end
    daemon:stop_and_check()
    code, out, err = daemon:cli "runs"
    assert.same({ 1, "" }, { code, out })
    has(err, "no daemon answers at ")
  end)

  local HUNG = [[
local pm = require "plusmoin"
config.triggers.plusmoin_up = { function(event)
  if event.master.name == "hung" then
    pm.sleep(0.5)
    local _ = ("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40)) -- takes hours on any machine
  end
end, { command = { "true" } } }
config.triggers.plusmoin_heartbeat = function() end
]]

  -- A function that holds its host in one C call is killed, and one that this host has not begun; a look at the loop
  -- meanwhile.
  local function kill_hung(patience)
    local _, nodes = fleet.start { "hung", "other" }
    local daemon = plusmoin.new { nodes = {}, config = { nodes = nodes, trigger_timeout = 60, log_level = "info",
      lua = { patience = patience } } }
    daemon.config_path = daemon.dir .. "/plusmoin.lua"
    proc.write_file(daemon.config_path, daemon:lua(HUNG))
    daemon:start()
    local ids = wait_ids(daemon, nodes)
    local hung, heartbeat = table.unpack(wait_list(daemon, "one to hang and one to wait for its host", function(answer)
      local found = by_cluster(answer)
      local one, other = (found[ids.hung] or {})[1], (found[ids.other] or {}).plusmoin_heartbeat
      return one and one.waits_for == NULL and other and other.waits_for == "host" and { one, other }
    end))
    assert.same({ "running", "running" }, { hung.state, heartbeat.state })
    kill(daemon, heartbeat.id)
    daemon:wait_logged("ended by `plusmoin runs kill` (uid ", ": ended by hand", " id=" .. heartbeat.event)
    kill(daemon, hung.id)
    local late = hang.lateness(daemon, 30, function()
      return daemon:logged("ended by `plusmoin runs kill` (uid ", ": gives no sign since ", "plusmoin.lua:",
        " id=" .. hung.event)
    end)
    assert.is_true(late <= hang.LATE_MS, late)
    daemon:wait_logged("done in ", " id=" .. hung.event, "trigger=triggers.plusmoin_up[2]")
    return daemon
  end

  it("that hang in a C call are left behind with their host, without a loop that is held #core", function()
    local daemon = kill_hung(2)
    daemon:wait_logged("the script host is left behind")
  end)

  it("that hang are told as ended after 5 s, whatever lua.patience is #long", function()
    local daemon = kill_hung(60)
    assert.is_false(daemon:logged("the script host is left behind"))
  end)

  it("are listed a thousand at most, without a loop that is late", function()
    local count = SANITIZED and 100 or 1000
    local stand = standin.start()
    local nodes = stand:clusters("c", count, 1, "127.26.0.1")
    local daemon = plusmoin.start { nodes = nodes, nowait = true, files = { ["wait.lua"] =
      'local pm = require "plusmoin"\nreturn function() pm.sleep(600) end\n' },
      triggers = { plusmoin_up = { lua = "wait.lua" }, plusmoin_heartbeat = { command = { "true" } } },
      config = { heartbeat = 1, query_timeout = 10, connect_timeout = 20, trigger_timeout = 600, log_level = "info",
        shutdown_grace = 0, lua = { memory_limit = 256 } } }
    wait_list(daemon, "all to wait", function(answer)
      return answer.running == count and answer.waiting == count and answer
    end)
    local asks = proc.spawn({ "sh", "-c", 'for i in $(seq 10); do "$@" > runs.json || exit 1; done', "-",
      plusmoin.binary(), "-c", daemon.config_path, "runs", "--json" }, { cwd = daemon.dir })
    local late = hang.lateness(daemon, 60, function() return not asks:running() end, { request = "nothing" })
    assert.equal(0, asks:wait(5), asks:err())
    local text = proc.read_file(daemon.dir .. "/runs.json")
    local answer = cjson.decode(text)
    assert.equal(math.min(1000, 2 * count), #answer.runs)
    assert.equal("sleep", answer.runs[1].waits_for)
    print(("%d runs that wait in pm.sleep and %d behind them: a list of %d bytes, the loop late by %.0f ms at most")
      :format(count, count, #text, late))
    assert.is_true(late <= hang.LATE_MS, ("%.0f ms"):format(late))
    if count == 1000 then
      has(select(2, daemon:cli "runs"), "1000 of 2000 are listed: 1000 run, 1000 wait")
    end
  end)

  it("are the acting monitor's, and another one says who acts", function()
    local cluster, master = etcd.start(1), pg.master()
    local group = monitors.new { etcd = cluster, nodes = { master }, ttl = 10, slow = 60000,
      config = { trigger_timeout = 100 } }
    local a = monitors.wait_acts(group:monitor "a")
    local ran = group:wait_entry { what = "start", name = "plusmoin_up", which = 2 }
    local b = group:monitor "b"
    b:wait_logged("stands by", "a acts")
    local code, out, err = b:cli "runs"
    assert.equal(0, code, err)
    assert.equal("standing by (a acts)\nnothing runs, and nothing waits\n", out)
    assert.same({ acts = false, acting = "a", stuck = NULL }, list_of(b).monitors)
    local row = find_row(a, "the one that runs", function(found) return found.state == "running" end)
    assert.same({ ran.pid, ran.id }, { row.pid, row.event })
    code, out, err = b:cli("runs", "kill", row.id)
    assert.same({ 1, "", ("plusmoin: there is no run %s: nothing runs, and nothing waits (this monitor is standing by"
      .. " (a acts))\n"):format(row.id) }, { code, out, err })
    kill(a, row.id)
    proc.wait_for("its end in etcd", 10, function()
      local run = group:kept()[ran.number].runs[2]
      return run.state == "done" and tostring(run.outcome):find("ended by `plusmoin runs kill`", 1, true)
    end, function() return group:diagnose() end)
    assert.equal("acting\nnothing runs, and nothing waits\n", select(2, a:cli "runs"))
  end)
end)
