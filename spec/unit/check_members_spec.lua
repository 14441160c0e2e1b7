-- What `plusmoin check` makes of what members of etcd have said: made-up answers.
local cjson = require "cjson"
local check = require "plusmoin.check"

local NULL = cjson.null
local DONE = { reason = NULL, words = NULL }

local function member(changes)
  local t = { url = "http://a:1", version = "3.5.23", clock = 0.4, latency_us = 800, leader = true, alarms = "",
    cluster = "c1", least = 2, steps = { version = DONE, health = DONE, status = DONE, lease = DONE, read = DONE,
    write = DONE, delete = DONE, revoke = DONE } }
  for key, value in pairs(changes or {}) do
    t[key] = value
  end
  return t
end

local function with_steps(steps, changes)
  local t = member(changes)
  for name, heard in pairs(steps) do
    t.steps[name] = { reason = heard[1], words = heard[2] }
  end
  return t
end

-- The findings of members, "PROBLEM: ..." or "advice: ...", with their cures; and the text.
local function judge(members, changes)
  local setting = { name = "one", prefix = "/p/", ttl = 5.0, user = NULL, members = members }
  for key, value in pairs(changes or {}) do
    setting[key] = value
  end
  local text, ok = check.report(cjson.encode { heartbeat = 1, down_after = 1, query_timeout = 1, retry_interval = 1,
    fresh_connect_interval = 0, nodes = {}, monitors = setting }, false)
  local found = {}
  for line, cure in text:gmatch("monitors%.etcd%[%d%]: ([^\n]*)\n(%s*[^\n]*)") do
    found[#found + 1] = line .. (cure:find("^    ") and " -> " .. cure:sub(5) or "")
  end
  return found, text, ok
end

local function assert_one(members, part, changes)
  local found, text, ok = judge(members, changes)
  assert.equal(1, #found, text)
  assert.is_truthy(found[1]:find(part, 1, true), found[1])
  assert.equal(not found[1]:find("^PROBLEM"), ok)
  return found[1]
end

describe("members of etcd", function()
  it("that are well are a line each, and no finding", function()
    local found, text, ok = judge { member(), member { url = "http://b:1" } }
    assert.same({}, found)
    assert.is_true(ok)
    assert.is_truthy(text:find("\nhttp://b:1  yes      3.5.23   yes        +0 s   0.8 ms\n", 1, true), text)
  end)

  it("are not there where a monitor is alone", function()
    local alone = cjson.encode { heartbeat = 1, down_after = 1, query_timeout = 1, retry_interval = 1,
      fresh_connect_interval = 0, nodes = {}, monitors = NULL }
    assert.is_nil(check.report(alone, false):find("ETCD", 1, true))
    assert.is_nil(check.report(alone, true):find("etcd", 1, true))
  end)

  for version, part in pairs {
    ["3.4.37"] = "advice: http://a:1: etcd 3.4.37 can end leases", ["3.4.23"] = "advice", ["3.5.22"] = "advice",
    ["3.5.0-rc.1"] = "advice", ["3.3.25"] = "PROBLEM: http://a:1: etcd 3.3.25 is too old -> etcd 3.4 or later",
    ["2.4.99"] = "PROBLEM", ["x"] = "advice: http://a:1: its version, x, is not understood",
  } do
    it("of version " .. version .. " are told", function()
      assert_one({ member { version = version } }, part)
    end)
  end

  it("of newer versions are not told", function()
    for _, version in ipairs { "3.4.38", "3.4.40", "3.5.23", "3.6.0", "4.0.0" } do
      assert.same({}, (judge { member { version = version } }))
    end
  end)

  it("that are late, slow or generous with leases are told", function()
    assert_one({ member { clock = -7.2 } }, "advice: http://a:1: its clock is 7 s behind ours")
    assert_one({ member { clock = 7.2 } }, "advice: http://a:1: its clock is 7 s ahead of ours")
    assert_one({ member { latency_us = 700000 } }, "advice: http://a:1: it took 700 ms to answer: that is much for a "
      .. "ttl of 5 s -> monitors.ttl = 6")
    assert_one({ member { least = 8 } }, "advice: http://a:1: the shortest lease that it grants is 8 s: ttl counts as "
      .. "that -> monitors.ttl = 8")
  end)

  it("of several clusters are told", function()
    assert_one({ member(), member { url = "http://b:1", cluster = "c2" } },
      "PROBLEM: http://b:1: it is of another cluster than http://a:1")
  end)

  it("that cannot be used are told, once for a reason", function()
    assert_one({ with_steps({ version = { "unreached", "refused" } }, { version = NULL }) },
      "PROBLEM: http://a:1: it is not reached: refused")
    assert_one({ with_steps({ version = { "not etcd", "no" } }, { version = NULL }) }, "--listen-client-urls")
    local full = { "no space", "full" }
    assert_one({ with_steps({ lease = full, write = full }, { alarms = "NOSPACE" }) },
      "PROBLEM: http://a:1: its database is full: full -> etcdctl --endpoints=http://a:1 compact REVISION, defrag")
    assert_one({ member { alarms = "alarm:CORRUPT" } }, "PROBLEM: http://a:1: it raises an alarm: alarm:CORRUPT")
    assert_one({ with_steps { health = { "unhealthy", "it says that it is not healthy" } } },
      "PROBLEM: http://a:1: it says that it is not healthy -> curl http://a:1/health")
    assert_one({ with_steps { health = { "unhealthy", "x" }, read = { "no leader", "none" } } },
      "PROBLEM: http://a:1: it sees no leader")
    assert_one({ with_steps { write = { "permission", "denied" } } },
      'PROBLEM: http://a:1: we may not write below "/p/": denied -> etcdctl --endpoints=http://a:1 --user root role')
    assert_one({ with_steps { login = { "login", "CommonName of client" } } }, "without a common name (CN)")
    assert_one({ with_steps { read = { "other", "odd" } } }, "PROBLEM: http://a:1: read failed: odd")
    assert_one({ { steps = {} } }, "PROBLEM: etcd: it was not asked") -- libcurl is of no use
  end)

  it("are told to programs, too", function()
    local _, _, ok = judge { with_steps { write = { "other", "odd" } } }
    assert.is_false(ok)
    local text = check.report(cjson.encode { heartbeat = 1, down_after = 1, query_timeout = 1, retry_interval = 1,
      fresh_connect_interval = 0, nodes = {}, monitors = { name = "one", prefix = "/p/", ttl = 5,
      members = { with_steps({ write = { "other", "odd" } }), { steps = {} } } } }, true)
    local result = cjson.decode(text)
    assert.same({ url = "http://a:1", ok = false, reached = true, version = "3.5.23", may_write = false, clock = 0.4,
      answers_in = 0.0008 }, result.etcd[1])
    assert.same({ url = "etcd", ok = false, reached = false, version = NULL, may_write = false, clock = NULL,
      answers_in = NULL }, result.etcd[2])
    assert.equal("monitors.etcd[1]: http://a:1: write failed: odd", result.settings[1])
  end)
end)
