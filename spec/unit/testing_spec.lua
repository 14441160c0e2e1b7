-- plusmoin.testing: the suite that the daemon's API is held to as well (spec/program/api_spec.lua),
-- and what only tests have.
local cjson = require "cjson"
local suite = require "spec.support.api_suite"
local testing = require "plusmoin.testing"

-- A file of the test's own, gone with the test.
local paths
local function write(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  paths[#paths + 1] = path
  return path
end

local function trigger(t, text, settings)
  return t:load(write('local pm = require "plusmoin"\nlocal settings = ...\n' .. text), settings)
end

local function raises(fn, ...)
  local ok, why = pcall(fn)
  assert.is_false(ok)
  for _, part in ipairs { ... } do
    assert.is_truthy(tostring(why):find(part, 1, true), ("%q is not in: %s"):format(part, tostring(why)))
  end
end

describe("plusmoin.testing", function()
  before_each(function() paths = {} end)
  after_each(function()
    for _, path in ipairs(paths) do
      os.remove(path)
    end
  end)

  for _, case in ipairs(suite) do
    it("has a rival for split_brain: another cluster's master", function()
    local t = testing.new()
    local event = t:event("split_brain")
    assert.same({ "db1", "db9", "master", 1 },
      { event.trigger.host, event.rival.host, event.rival.state, event.rival.cluster_id })
    assert.equal("db7", t:event("split_brain", { rival = "db7" }).rival.host)
    assert.is_nil(t:event("master_up").rival)
  end)

  it("as the API in the daemon: " .. case.name, function()
      local t = testing.new()
      local args, event
      if case.stand then
        args, event = case.stand(t)
      end
      local run = trigger(t, ([[
        local args = settings
        return function(event)
          local function run() %s end
          pm.log.info("said %%s", pm.json.encode(pm.json.array { run() }))
        end
      ]]):format(case.body), args or {})
      assert.is_true(t:run(run, event or t:event("plusmoin_up", { master = "db1", slaves = {} })))
      t:done()
      local said = cjson.decode(t.logs[#t.logs].text:match("^said (.*)$"))
      case.check(said, function(words) return t:logged(words) end, args)
    end)
  end

  it("runs time forward, and ends a run whose time is over", function()
    local t = testing.new { now = 1000.0 }
    local waits = trigger(t, "return { run = function() pcall(pm.sleep, 50) pm.log.info('woken') end, timeout = 40 }")
    assert.is_false(t:run(waits, t:event("plusmoin_heartbeat")))
    assert.same({ 40.0, 1040.0, false }, { t.elapsed, t.time, t:logged("woken") })
    assert.is_true(t:run(waits, t:event("plusmoin_heartbeat"), 60))
    assert.same({ 50.0, true }, { t.elapsed, t:logged("info", "woken") })
    assert.equal("1090-3", t:event("plusmoin_up").id)
  end)

  it("fails on what was not expected, past a pcall of the trigger's", function()
    local t = testing.new()
    local asks = trigger(t, "return function() pcall(pm.http, { url = 'http://x/' }) pm.log.info('after') end")
    raises(function() t:run(asks, t:event("master_down")) end, 'not expected: pm.http {', 'url = "http://x/"',
      "expected: none")
    assert.is_false(t:logged("after"))
    t = testing.new()
    t:expect("http", { method = "POST" }, "")
    asks = trigger(t, "return function() pm.http { url = 'http://x/' } end")
    raises(function() t:run(asks, t:event("master_down")) end, "not expected", 'expected: {method = "POST"}')
    raises(function() t:done() end, "never asked", 'pm.http {method = "POST"}')
    raises(function() t:expect("htpt") end, "htpt is nothing that is asked; allowed: exec, http, query, request")
  end)

  it("takes expectations in their order, and what is allowed any number of times", function()
    local t = testing.new()
    t:allow("query", nil, { { v = "any" } })
    t:expect("exec", { "a" }, "1")
    t:expect("exec", { "b" }, function(spec) return { stdout = spec[2], takes = 2 } end)
    local run = trigger(t, [[
      return function(event)
        for i = 1, 3 do pm.log.info("%s", pm.query(event.master, "SELECT 1")[1].v) end
        pm.log.info("%s%s", pm.exec { "a" }.stdout, pm.exec { "b", "2" }.stdout)
      end]])
    t:run(run, t:event("plusmoin_up"))
    t:done()
    assert.is_true(t:logged("12"))
    assert.same({ 5, "query", "exec", 2.0 }, { #t.calls, t.calls[1].kind, t.calls[5].kind, t.elapsed })
  end)

  it("builds sane events", function()
    local t = testing.new()
    local down = t:event("slave_down", { master = "a", slaves = { "b" }, lost = { { host = "c", reason = "lag" } } })
    assert.same({ "c:5432", "lost", "lag", "S1", "a:5432" },
      { down.trigger.name, down.trigger.state, down.trigger.reason, down.rule, down.trigger.master_name })
    local lost = t:event("master_unreachable", { master = "a", slaves = { "b", "c" } })
    assert.same({ "P6", "a", 2, "b:5432" }, { lost.rule, lost.trigger.host, #lost.witnesses, lost.witnesses[1].name })
    assert.equal("c", t:event("master_unreachable", { master = "a", slaves = { "b", "c" }, witnesses = { "c" } })
      .witnesses[1].host)
    assert.is_nil(down.witnesses)
    local up = t:event("master_up")
    assert.same({ "db2:5432", "db2:5432", "db1:5432", "refused" },
      { up.master.name, up.trigger.name, up.lost[1].name, up.lost[1].reason })
    assert.is_nil(t:event("master_down").master)
    assert.equal("db2", t:event("slave_up", { trigger = "db2" }).trigger.host)
    assert.same({ 0.0, "slave", 5433 }, { t:node("slave").lag, t:node("slave").state, t:node("master",
      { port = 5433 }).port })
    assert.is_nil(t:node("lost", { reason = false }).reason)
    raises(function() t:event("master_gone") end, "there is no event master_gone; allowed: cluster_created, ")
    raises(function() t:event("slave_up", { trigger = "x" }) end, "no node of the event's is x")
  end)

  it("raises what a trigger or its file raises", function()
    local t = testing.new()
    raises(function() t:run(trigger(t, "return function() error('on purpose') end"), t:event("plusmoin_up")) end,
      "on purpose")
    raises(function() trigger(t, "error('bad settings', 0)") end, "bad settings")
    raises(function() trigger(t, "return 5") end, "returns number; allowed: a function")
    raises(function() trigger(t, "pm.sleep(1)") end, "while a configuration is being loaded nothing can")
  end)

  it("keeps worlds apart, with their modules", function()
    local a, b = testing.new(), testing.new()
    a:run(trigger(a, "return function() pm.state.x = 1 end"), a:event("plusmoin_up"))
    assert.same({ x = 1 }, a.state)
    assert.same({}, b.state)
    assert.are_not.equal(a.pm, b.pm)
  end)

  it("runs the ready-made triggers", function()
    local t = testing.new()
    local haproxy = t:load("triggers/haproxy.lua", { socket = "/s", writer = "w" })
    local admin = { db1 = 1, db2 = 0 }
    t:allow("request", { to = "/s" }, function(spec)
      local server, state = spec.data:match("set server w/(%w+) state (%w+)")
      if server then
        admin[server] = state == "ready" and 0 or 1
        return "\n"
      end
      return ("1\n# be_id be_name srv_id srv_name srv_addr srv_admin_state srv_fqdn srv_port\n"
        .. "3 w 1 db1 db1 %d - 5432\n3 w 2 db2 db2 %d - 5432\n\n# pxname,svname,scur\nw,db1,0\nw,db2,4\n"):format(
        admin.db1, admin.db2)
    end)
    t:run(haproxy, t:event("plusmoin_up", { master = "db1", slaves = { "db2" } }))
    assert.same({ db1 = 0, db2 = 1 }, admin) -- db2 was the writer, but is a slave
    assert.is_true(t:logged("haproxy: w/db2 is closed"))
  end)
end)
