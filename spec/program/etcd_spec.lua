-- src/etcd against real members of etcd: what each kind of request comes to, and what is known after a fault.
local etcd = require "spec.support.etcd"
local peer = require "spec.support.peer"
local proc = require "spec.support.proc"
local relay = require "spec.support.relay"

local function no_delay()
  return 0
end

local function release_all()
  etcd.stop_all()
  relay.close_all()
  peer.close_all()
end

-- The value of a key by the majority; nil: it is not there.
local function value_of(driver, key)
  local answer = driver:ask("range", { key = key })
  assert.are.equal("done", answer.outcome, answer.words)
  return answer.pairs[1] and answer.pairs[1].value, answer.pairs[1]
end

local function put(driver, key, value)
  local answer = driver:txn(nil, { { "put", key, value } })
  assert.are.equal("done", answer.outcome, answer.words)
  return answer.revision
end

describe("etcd, one member:", function()
  local cluster, driver

  setup(function()
    cluster = etcd.start(1)
  end)
  before_each(function()
    driver = etcd.driver { endpoints = cluster:urls() }
  end)
  after_each(function()
    driver:stop()
    relay.close_all()
    peer.close_all()
  end)
  teardown(release_all)

  it("keys are written, read and deleted #core", function()
    local revision = put(driver, "/a/1", "eins")
    put(driver, "/a/2", "")
    put(driver, "/b", "other")
    local answer = driver:ask("range", { key = "/a/", prefix = true })
    assert.are.equal(2, answer.count)
    assert.are.equal("eins", answer.pairs[1].value)
    assert.are.equal(revision, answer.pairs[1].mod_revision)
    assert.are.equal(revision, answer.pairs[1].create_revision)
    assert.are.equal("", answer.pairs[2].value)
    assert.are.equal(1, #driver:ask("range", { key = "/a/", prefix = true, limit = 1, serializable = true }).pairs)
    assert.are.equal("", driver:ask("range", { key = "/a/1", keys_only = true }).pairs[1].value)
    assert.are.equal(1, driver:ask("range", { key = "/a/", prefix = true, revision = revision }).count)
    answer = driver:txn({ { "version", "/a/1", "=", 1 } }, { { "get", "/a/", true }, { "delete", "/a/", true } })
    assert.are.equal("done", answer.outcome)
    assert.are.equal(2, #answer.parts[1].pairs)
    assert.are.equal(2, answer.parts[2].deleted)
    assert.is_nil(value_of(driver, "/a/1"))
    assert.are.equal("other", value_of(driver, "/b"))
  end)

  it("each comparison holds when it should, and fails when it should", function()
    local revision = put(driver, "/cmp", "one")
    local lease = driver:ask("grant", { ttl = 60 }).lease
    driver:txn(nil, { { "put", "/cmp", "two", lease } })
    local _, pair = value_of(driver, "/cmp")
    local numbers = { create = revision, mod = pair.mod_revision, version = 2, lease = tonumber(lease) }
    assert.are.equal(lease, pair.lease)
    for target, number in pairs(numbers) do
      for relation, holds in pairs {
        ["="] = { false, true, false }, ["!="] = { true, false, true }, [">"] = { true, false, false },
        ["<"] = { false, false, true },
      } do
        for i, off in ipairs { -1, 0, 1 } do
          local compare = { target, "/cmp", relation, ("%d"):format(number + off) }
          local answer = driver:txn({ compare }, { { "get", "/cmp" } }, { { "get", "/none" } })
          local what = ("%s %s %d of %d"):format(target, relation, number + off, number)
          assert.are.equal(holds[i] and "done" or "compare failed", answer.outcome, what)
          assert.are.equal(holds[i] and 1 or 0, #answer.parts[1].pairs, what)
        end
      end
    end
    for _, target in ipairs { "create", "mod", "version" } do -- of a key that is not there
      assert.are.equal("done", driver:txn({ { target, "/none", "=", 0 } }, { { "get", "/none" } }).outcome, target)
      assert.are.equal("compare failed", driver:txn({ { target, "/cmp", "=", 0 } }, { { "get", "/none" } }).outcome)
      assert.are.equal("compare failed",
        driver:txn({ { target, "/none", "=", 1 } }, { { "put", "/none", "made" } }).outcome)
    end
    assert.are.equal("compare failed", driver:txn({ { "version", "/cmp", "=", 2 }, { "version", "/none", "=", 1 } },
      { { "put", "/none", "made" } }).outcome) -- all must hold
    assert.is_nil(value_of(driver, "/none"))
  end)

  it("a transaction has 128 operations and 1.5 MiB at most", function()
    local puts = {}
    for i = 1, 128 do
      puts[i] = { "put", "/many/" .. i, "value" }
    end
    assert.are.equal("done", driver:txn(nil, puts).outcome)
    puts[129] = { "put", "/many/129", "value" }
    local answer = driver:txn(nil, puts)
    assert.are.same({ "refused", "too many" }, { answer.outcome, answer.reason })
    assert.are.equal(128, driver:ask("range", { key = "/many/", prefix = true, keys_only = true }).count)
    for _, mebibytes in ipairs { 1.6, 3 } do
      answer = driver:txn(nil, { { "put", "/big", ("x"):rep(math.floor(mebibytes * 1048576)) } })
      assert.are.same({ "refused", "too large" }, { answer.outcome, answer.reason })
    end
    assert.are.equal("done", driver:txn(nil, { { "put", "/big", ("x"):rep(1400000) } }).outcome)
    assert.are.equal(1400000, #value_of(driver, "/big"))
  end)

  it("more is read than one answer of gRPC's usual size holds, and page by page #long", function()
    for i = 1, 5 do
      put(driver, "/page/" .. i, ("x"):rep(900000))
    end
    assert.are.equal(5, #driver:ask("range", { key = "/page/", prefix = true }).pairs)
    local after, keys = nil, {}
    repeat
      local answer = driver:ask("range", { key = "/page/", prefix = true, after = after, limit = 3, keys_only = true })
      for _, pair in ipairs(answer.pairs) do
        keys[#keys + 1] = pair.key
      end
      after = keys[#keys]
    until #answer.pairs < 3
    assert.are.same({ "/page/1", "/page/2", "/page/3", "/page/4", "/page/5" }, keys)
  end)

  it("a lease is granted, renewed, put off, given up", function()
    local id = driver:command("lease", { ttl = 1 })
    local granted = driver:wait(id, "granted")
    assert.are.equal(2, granted.ttl) -- the smallest that etcd gives
    assert.are.equal("done", driver:txn(nil, { { "put", "/held", "x", granted.lease } }).outcome)
    local renewed = driver:wait(id, "renewed")
    assert.is_true(renewed.sent_ms >= granted.sent_ms + 600 and renewed.sent_ms <= renewed.at_ms)
    driver:command("may_renew", { id = id, value = false })
    proc.wait_for("the end of the lease", 10, function() return not value_of(driver, "/held") end)
    driver:command("may_renew", { id = id, value = true })
    driver:wait(id, "gone")

    id = driver:command("lease", { ttl = 60 })
    granted = driver:wait(id, "granted")
    assert.are.equal("done", driver:txn(nil, { { "put", "/held", "x", granted.lease } }).outcome)
    assert.is_true(driver:ask("time_to_live", { lease = granted.lease }).ttl > 50)
    driver:command("give_up", { id = id, timeout = 5000 })
    assert.is_true(driver:wait(id, "revoked").gone)
    assert.is_nil(value_of(driver, "/held"))
    for _, what in ipairs { "renew", "revoke", "time_to_live" } do
      local answer = driver:ask(what, { lease = granted.lease })
      assert.are.same({ "refused", "lease gone" }, { answer.outcome, answer.reason }, what)
    end
    local answer = driver:txn(nil, { { "put", "/held", "x", granted.lease } })
    assert.are.same({ "refused", "lease gone" }, { answer.outcome, answer.reason })
  end)

  it("a feed tells what changes below a prefix, and goes on where it was #core", function()
    local through = relay.to(cluster.members[1], no_delay)
    driver:stop()
    driver = etcd.driver { endpoints = { "http://" .. through.name } }
    local first = put(driver, "/feed/1", "before")
    local id = driver:command("feed", { key = "/feed/", revision = first, timeout = 2000 })
    driver:wait(id, "open")
    local events = driver:wait(id, "events").events
    assert.are.same({ "/feed/1", "before", first }, { events[1].key, events[1].value, events[1].mod_revision })
    put(driver, "/other", "x")
    driver:txn(nil, { { "put", "/feed/2", "a" }, { "delete", "/feed/1" } })
    events = driver:wait(id, "events").events
    assert.are.equal(2, #events)
    assert.are.same({ "/feed/2", false }, { events[1].key, events[1].deleted })
    assert.are.same({ "/feed/1", true }, { events[2].key, events[2].deleted })

    through.cut()
    assert.are.equal("broken", driver:wait(id).news)
    put(driver, "/feed/3", "meanwhile")
    driver:wait(id, "open")
    assert.are.equal("/feed/3", driver:wait(id, "events").events[1].key)
    put(driver, "/feed/4", ("y"):rep(1200000)) -- a line of many pieces
    assert.are.equal(1200000, #driver:wait(id, "events").events[1].value)
  end)

  it("a feed tells that what it wants is compacted, and that a store is behind it", function()
    local first = put(driver, "/old/1", "x")
    put(driver, "/old/1", "y")
    local last = put(driver, "/old/1", "z")
    cluster.members[1]:must("/v3/kv/compaction", { revision = ("%d"):format(last), physical = true })
    local id = driver:command("feed", { key = "/old/", revision = first, timeout = 2000 })
    local compacted = driver:wait(id, "compacted")
    assert.are.equal(last + 1, compacted.revision)
    driver:wait(id, "open")
    local revision = put(driver, "/old/1", "new")
    assert.are.equal(revision, driver:wait(id, "events").revision)
    local answer = driver:ask("range", { key = "/old/1", revision = first })
    assert.are.same({ "refused", "compacted" }, { answer.outcome, answer.reason })
    answer = driver:ask("range", { key = "/old/1", revision = revision + 1000 })
    assert.are.same({ "refused", "future" }, { answer.outcome, answer.reason })

    local through = relay.to(cluster.members[1], no_delay)
    local at = etcd.driver { endpoints = { "http://" .. through.name } }
    id = at:command("feed", { key = "/old/", timeout = 2000 })
    at:wait(id, "open")
    local function compact(value)
      put(driver, "/old/1", value)
      put(driver, "/old/1", value .. " again")
      revision = put(driver, "/old/1", value .. " and again")
      cluster.members[1]:must("/v3/kv/compaction", { revision = ("%d"):format(revision), physical = true })
    end
    compact("while it stands")
    while at:wait(id, "events").revision < revision do
      assert.are.equal(0, #at:all(id, "compacted"))
    end
    through.drop = 1000
    through.cut()
    at:wait(id, "broken")
    compact("while it does not")
    through.drop = 0
    assert.are.equal(revision + 1, at:wait(id, "compacted").revision)
    at:wait(id, "open")
    at:stop()

    id = driver:command("feed", { key = "/old/", revision = revision + 1000, timeout = 2000 })
    assert.are.equal("open", driver:wait(id).news)
    assert.are.equal("behind", driver:wait(id).news)
  end)

  it("a transaction whose answer is lost is sent once, and a barrier says what became of it", function()
    local through = relay.to(cluster.members[1], no_delay)
    driver:stop()
    driver = etcd.driver { endpoints = { "http://" .. through.name } }
    local revision = put(driver, "/lost", "old")
    local connections = through.connections
    through.swallow = 1
    local answer = driver:txn({ { "mod", "/lost", "=", revision } }, { { "put", "/lost", "new" } })
    assert.are.same({ "unknown", "lost" }, { answer.outcome, answer.reason })
    assert.are.equal(connections + 1, through.connections)
    through.swallow = 2 -- of the barrier's own answers
    local id = driver:command("barrier", { key = "/lost", mod_revision = revision, value = "barrier 1",
      timeout = 1000 })
    local lost = driver:wait(id, "lost")
    assert.are.equal("new", lost.value)
    assert.are.equal(2, #driver:all(id, "failed"))

    through.drop = 1 -- the request does not get there
    answer = driver:txn({ { "mod", "/lost", "=", lost.mod_revision } }, { { "put", "/lost", "newer" } })
    assert.are.equal("unknown", answer.outcome)
    through.swallow = 1
    id = driver:command("barrier", { key = "/lost", mod_revision = lost.mod_revision, value = "barrier 2",
      timeout = 1000 })
    local won = driver:wait(id, "won") -- by its second try, which finds what the first has put
    assert.are.equal("barrier 2", value_of(driver, "/lost"))
    assert.is_true(won.mod_revision > lost.mod_revision)
  end)

  it("who asks may change his mind, also while he is told something #core", function()
    for _, word in ipairs { "open", "events", "broken", "compacted" } do
      local revision = put(driver, "/mind", word)
      if word == "compacted" then
        put(driver, "/mind", "newer")
        local last = ("%d"):format(put(driver, "/mind", "newest"))
        cluster.members[1]:must("/v3/kv/compaction", { revision = last, physical = true })
      end
      local id = driver:command("feed", { key = "/mind", revision = revision, free_at = word,
        timeout = word == "broken" and 1 or 2000 })
      driver:command("expect", { id = id, revision = revision + 1000 })
      driver:wait(id, word)
    end
    local silent = peer.silent()
    driver:stop()
    driver = etcd.driver { endpoints = { "http://127.0.0.1:" .. silent.port } }
    local id = driver:command("range", { key = "/", timeout = 300 })
    local other = driver:command("range", { key = "/", timeout = 300 })
    driver:command("cancel", { id = id })
    driver:wait(other, "answer")
    assert.are.equal(0, #driver:all(id, "answer"))
    local before = #silent.clients
    driver:command("range", { key = "/", timeout = 60000 }) -- and the lease: under way at the end
    driver:command("lease", { ttl = 60 })
    proc.wait_for("two more connections", 5, function() return #silent.clients == before + 2 end)
  end)

  it("an answer of a raft term that is over is not believed", function()
    local terms = { 5, 5, 4, 6, 5 }
    local fake = peer.serving(function(client)
      client:read_start(function(_, data)
        local body = ('{"header":{"cluster_id":"1","member_id":"1","revision":"9","raft_term":"%d"},"succeeded":true}')
          :format(terms[1] or 0)
        if data then
          table.remove(terms, 1)
          peer.say_and_close(client, ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body))
        end
      end)
    end)
    driver:stop()
    driver = etcd.driver { endpoints = { "http://127.0.0.1:" .. fake.port } }
    for _, expected in ipairs { "done", "done", "unknown", "done", "unknown" } do
      local answer = driver:txn(nil, { { "get", "/" } })
      assert.are.equal(expected, answer.outcome)
      assert.are.equal(expected == "unknown" and "stale" or "", answer.reason)
    end
  end)

  it("whatever is lost on the way, what is known of a key is what stands there", function()
    local seed = tonumber(os.getenv("SEED") or proc.uv.hrtime() // 1000 % 1000000)
    local through = relay.to(cluster.members[1], no_delay)
    local at = etcd.driver { endpoints = { "http://" .. through.name } }
    local known = { value = "0", mod_revision = put(at, "/known", "0") }
    math.randomseed(seed)
    local function lose()
      through[math.random(2) == 1 and "drop" or "swallow"] = math.random(0, 2)
    end
    local ends = {}
    for i = 1, 30 do
      lose()
      local answer = at:txn({ { "mod", "/known", "=", known.mod_revision } }, { { "put", "/known", "txn " .. i } })
      local ended = answer.outcome
      if ended == "done" then
        known = { value = "txn " .. i, mod_revision = answer.revision }
      else
        assert.are.equal("unknown", ended, "seed " .. seed)
        lose()
        local result
        local id = at:command("barrier", { key = "/known", mod_revision = known.mod_revision, timeout = 1000,
          value = "barrier " .. i })
        repeat
          result = at:wait(id)
        until result.news ~= "failed"
        ended = result.news
        known = { value = ended == "won" and "barrier " .. i or "txn " .. i, mod_revision = result.mod_revision }
      end
      ends[ended] = (ends[ended] or 0) + 1
      local value, pair = value_of(driver, "/known")
      assert.are.same(known, { value = value, mod_revision = pair.mod_revision }, ("seed %d, %d"):format(seed, i))
    end
    assert.is_true(ends.done and ends.won and ends.lost and true, "seed " .. seed)
    at:stop()
  end)

  it("what is no etcd is passed over", function()
    local html = "<html><body>502 Bad Gateway</body></html>"
    local function page(status)
      return peer.saying(("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s"):format(status, #html, html), true)
    end
    local closed = proc.free_port()
    for what, expected in pairs {
      ["http://127.0.0.1:" .. page("502 Bad Gateway").port] = { "unknown", "not etcd" },
      ["http://127.0.0.1:" .. page("200 OK").port] = { "unknown", "not etcd" },
      ["http://127.0.0.1:" .. page("404 Not Found").port] = { "refused", "not etcd" },
      ["http://127.0.0.1:" .. closed] = { "away", "unreached" },
      ["http://127.0.0.1:" .. peer.saying("", true).port] = { "unknown", "lost" },
      ["http://127.0.0.1:" .. peer.silent().port] = { "unknown", "timeout" },
      [cluster.members[1].url:gsub("http:", "https:")] = { "away", "unreached" },
    } do
      driver:stop()
      driver = etcd.driver { endpoints = { what } }
      local answer = driver:txn({ { "version", "/html", "=", 0 } }, { { "put", "/html", "x" } }, nil, 500)
      assert.are.same(expected, { answer.outcome, answer.reason }, what .. ": " .. answer.words)
      if expected[1] ~= "unknown" then
        driver:stop()
        driver = etcd.driver { endpoints = { what, cluster.members[1].url } }
        answer = driver:txn({ { "version", "/html", "=", 5 } }, { { "put", "/html", "x" } })
        assert.are.equal("compare failed", answer.outcome)
        assert.are.equal(cluster.members[1].url, answer.url)
      end
    end
  end)

  it("an endpoint that lets nothing stand costs half of the time, and no proxy is asked", function()
    local nobody = "127.0.0.1:" .. proc.free_port()
    driver:stop()
    driver = etcd.driver({ endpoints = { "https://127.0.0.1:" .. peer.silent().port, cluster.members[1].url } },
      { http_proxy = "http://" .. nobody, https_proxy = "http://" .. nobody, ALL_PROXY = "http://" .. nobody })
    local began = proc.mono_ms()
    local answer = driver:txn(nil, { { "put", "/half", "x" } }, nil, 600)
    assert.are.equal("done", answer.outcome, answer.words)
    assert.is_true(proc.mono_ms() - began >= 300)
    assert.are.equal(1, select(2, value_of(driver, "/half")).version)
  end)
end)

describe("etcd, three members:", function()
  local cluster, driver

  setup(function()
    cluster = etcd.start(3)
  end)
  before_each(function()
    driver = etcd.driver { endpoints = cluster:urls() }
  end)
  after_each(function()
    driver:stop()
  end)
  teardown(release_all)

  it("a request goes to the next member when one is not there, and stays", function()
    local leader, others = cluster:leader()
    local at = etcd.driver { endpoints = { others[1].url, leader.url } }
    put(at, "/turn", "x")
    others[1]:kill()
    assert.are.equal("x", value_of(at, "/turn"))
    local answer = at:ask("status")
    assert.are.same({ "done", leader.url }, { answer.outcome, answer.url }, answer.words)
    others[1]:start()
    assert.are.equal(leader.url, at:ask("status").url)
    at:stop()
  end)

  it("without a leader it is told at once", function()
    cluster:leader()
    put(driver, "/turn", "x")
    cluster.members[2]:kill()
    cluster.members[3]:kill()
    local answer
    proc.wait_for("no leader", 15, function()
      answer = driver:ask("range", { key = "/turn", timeout = 1000 })
      return answer.reason == "no leader"
    end)
    assert.are.equal("away", answer.outcome)
    local began = proc.mono_ms()
    answer = driver:txn(nil, { { "put", "/turn", "y" } })
    assert.are.equal("away", answer.outcome, answer.words) -- nobody can have taken it
    assert.is_true(proc.mono_ms() - began < 500)
    cluster:start_missing()
    cluster:leader()
    assert.are.equal("x", value_of(driver, "/turn"))
  end)

  it("after the leader was stopped with a transaction under way a barrier ends the doubt for good", function()
    for round = 1, tonumber(os.getenv("ETCD_ROUNDS") or 1) do
      local leader, others = cluster:leader()
      local urls = { others[1].url, others[2].url }
      local at = etcd.driver { endpoints = urls }
      local key = "/doubt/" .. round
      local revision = put(at, key, "old")
      leader:freeze()
      local answer = at:txn({ { "mod", key, "=", revision } }, { { "put", key, "new" } }, nil, 300)
      assert.are.same({ "unknown", "timeout" }, { answer.outcome, answer.reason })
      local id = at:command("barrier", { key = key, mod_revision = revision, value = "barrier", timeout = 500 })
      if round % 2 == 1 then
        proc.wait_for("a failed try", 5, function() return #at:all(id, "failed") > 0 end)
        leader:thaw()
      end
      local result = at:wait(id, nil, 20)
      while result.news == "failed" do
        result = at:wait(id, nil, 20)
      end
      leader:thaw()
      local known = result.news == "won" and "barrier" or "new"
      assert.are.equal(known, result.value)
      cluster:leader()
      proc.watch(0.5, function() end) -- for as long nothing else may land
      local value, pair = value_of(at, key)
      assert.are.same({ known, result.mod_revision }, { value, pair.mod_revision })
      at:stop()
    end
  end)

  it("a lease lives on, and a feed finds another member, while the one they are at is stopped", function()
    local leader, others = cluster:leader()
    local at = etcd.driver { endpoints = { others[1].url, others[2].url } }
    local elsewhere = etcd.driver { endpoints = { leader.url } }
    local id = at:command("lease", { ttl = 3 })
    local lease = at:wait(id, "granted").lease
    assert.are.equal("done", at:txn(nil, { { "put", "/held", "x", lease } }).outcome)
    local feed = at:command("feed", { key = "/held", timeout = 500 })
    at:wait(feed, "open")
    local last = at:wait(id, "renewed").sent_ms
    others[1]:freeze()
    local revision = put(elsewhere, "/held/2", "y")
    at:command("expect", { id = feed, revision = revision })
    assert.are.equal("broken", at:wait(feed).news)
    assert.are.equal("/held/2", at:wait(feed, "events").events[1].key)
    while at:wait(id, "renewed").sent_ms - last < 3500 do
      assert.are.equal(0, #at:all(id, "gone"))
    end
    assert.is_true(#at:all(id, "failed") > 0)
    others[1]:thaw()
    local before
    for _, renewal in ipairs(at:all(id, "renewed")) do
      assert.is_true(not before or renewal.sent_ms - before < 2500)
      before = renewal.sent_ms
    end
    assert.are.equal("x", value_of(at, "/held"))
    at:stop()
    elsewhere:stop()
  end)

  it("a feed of a member that has lost the others goes elsewhere #long", function()
    local leader, others = cluster:leader()
    local at = etcd.driver { endpoints = { leader.url, others[1].url, others[2].url } }
    local feed = at:command("feed", { key = "/cut", timeout = 1000 })
    at:wait(feed, "open")
    others[1]:freeze()
    others[2]:freeze()
    at:wait(feed, "broken", 15)
    others[1]:thaw()
    others[2]:thaw()
    at:wait(feed, "open", 15)
    at:stop()
  end)

  it("a lease outlives an election, its leader stopped #long", function()
    local leader, others = cluster:leader()
    local at = etcd.driver { endpoints = { leader.url, others[1].url, others[2].url } }
    local id = at:command("lease", { ttl = 5 })
    local lease = at:wait(id, "granted").lease
    assert.are.equal("done", at:txn(nil, { { "put", "/elected", "x", lease } }).outcome)
    local last = at:wait(id, "renewed").sent_ms
    leader:freeze()
    while at:wait(id, "renewed").sent_ms - last < 8000 do
      assert.are.equal(0, #at:all(id, "gone"))
    end
    assert.are.equal("x", value_of(at, "/elected"))
    leader:thaw()
    at:stop()
  end)
end)

-- Base64 of "/p/" and "/p0": what begins with "/p/".
local PERMITTED = { permType = "READWRITE", key = "L3Av", range_end = "L3Aw" }

-- A user root, and one pm who may read and write below /p/.
local function add_users(member)
  for _, name in ipairs { "root", "pm" } do
    member:must("/v3/auth/user/add", { name = name, password = name .. "'s \"word\"" })
    member:must("/v3/auth/role/add", { name = name })
    member:must("/v3/auth/user/grant", { user = name, role = name })
  end
  member:must("/v3/auth/role/grant", { name = "pm", perm = PERMITTED })
end

describe("etcd, with users:", function()
  local cluster, member

  setup(function()
    cluster = etcd.start(1)
    member = cluster.members[1]
  end)
  teardown(release_all)

  it("authenticates when it must, and once more when its token is refused", function()
    local driver = etcd.driver { endpoints = cluster:urls(), user = "pm", password = "pm's \"word\"" }
    put(driver, "/p/0", "nobody need authenticate yet")
    add_users(member)
    member:must("/v3/auth/enable", {})
    local feed = driver:command("feed", { key = "/p/", timeout = 2000 })
    assert.are.equal("broken", driver:wait(feed).news)
    driver:wait(feed, "open")
    put(driver, "/p/1", "x")
    driver:wait(feed, "events")
    for _, operations in ipairs {
      { nil, { { "put", "/q/1", "x" } } }, { { { "version", "/q/1", "=", 0 } }, { { "put", "/p/2", "x" } } },
    } do
      local answer = driver:txn(operations[1], operations[2])
      assert.are.same({ "refused", "permission" }, { answer.outcome, answer.reason }, answer.words)
    end
    assert.are.equal("permission", driver:ask("range", { key = "/p", prefix = true }).reason)
    local other = driver:command("feed", { key = "/q/", timeout = 2000 })
    assert.is_truthy(driver:wait(other, "broken").words:find("permission denied"))
    driver:command("cancel", { id = other })

    local root = member:must("/v3/auth/authenticate", { name = "root", password = "root's \"word\"" })
    cluster.token_line = "Authorization: " .. root.token .. "\r\n"
    member:must("/v3/auth/disable", {}) -- forgets all tokens
    cluster.token_line = nil
    member:must("/v3/auth/enable", {})
    put(driver, "/p/1", "y")
    assert.are.equal("y", value_of(driver, "/p/1"))
    driver:stop()

    for name, password in pairs { pm = "wrong", nobody = "pm" } do
      driver = etcd.driver { endpoints = cluster:urls(), user = name, password = password }
      local answer = driver:ask("range", { key = "/p/", prefix = true })
      assert.are.same({ "refused", "login" }, { answer.outcome, answer.reason })
      driver:stop()
    end
    driver = etcd.driver { endpoints = cluster:urls() }
    local answer = driver:ask("range", { key = "/p/", prefix = true })
    assert.are.same({ "refused", "login" }, { answer.outcome, answer.reason })
    driver:stop()
  end)
end)

describe("etcd, full:", function()
  teardown(release_all)

  it("no space: nothing is put and no lease granted, what is there can be read and deleted", function()
    local cluster = etcd.start(1, { args = { "--quota-backend-bytes", "4194304" } })
    local driver = etcd.driver { endpoints = cluster:urls() }
    local id = driver:command("lease", { ttl = 2 })
    driver:wait(id, "granted")
    local puts, answer = 0
    repeat
      puts = puts + 1
      answer = driver:txn(nil, { { "put", "/fill/" .. puts, ("x"):rep(1000000) } })
    until answer.outcome ~= "done" or puts == 20
    assert.are.same({ "refused", "no space" }, { answer.outcome, answer.reason })
    answer = driver:ask("grant", { ttl = 5 })
    assert.are.same({ "refused", "no space" }, { answer.outcome, answer.reason })
    assert.is_truthy(driver:ask("status").alarms:find("NOSPACE"))
    driver:wait(id, "renewed")
    assert.are.equal(1, driver:ask("range", { key = "/fill/1", keys_only = true }).count)
    assert.are.equal(puts - 1, driver:txn(nil, { { "delete", "/fill/", true } }).parts[1].deleted)
    local barrier = driver:command("barrier", { key = "/none", mod_revision = 0, value = "b", timeout = 1000 })
    assert.are.equal("no space", driver:wait(barrier, "failed").reason)
    driver:command("cancel", { id = barrier })
    driver:stop()
  end)
end)

describe("etcd, with TLS:", function()
  teardown(release_all)

  it("asks for our certificate: with one it is served, without one not", function()
    local cluster, client = etcd.start_tls()
    local with = etcd.driver { endpoints = cluster:urls(), cafile = client.cafile, certfile = client.certfile,
      keyfile = client.keyfile }
    assert.is_truthy(put(with, "/tls", "x"))
    local feed = with:command("feed", { key = "/tls", revision = 1, timeout = 2000 })
    assert.are.equal("x", with:wait(feed, "events").events[1].value)
    with:stop()
    for what, settings in pairs {
      ["no certificate"] = { cafile = client.cafile },
      ["no authority"] = { certfile = client.certfile, keyfile = client.keyfile },
    } do
      settings.endpoints = cluster:urls()
      local driver = etcd.driver(settings)
      local answer = driver:ask("range", { key = "/tls" })
      assert.is_true(answer.outcome == "unknown" or answer.outcome == "away", what .. ": " .. answer.outcome)
      assert.are_not.equal("", answer.words)
      driver:stop()
    end
    local driver = etcd.driver { endpoints = { (cluster.members[1].url:gsub("https", "http")) } }
    assert.are.equal("unknown", driver:ask("range", { key = "/tls" }).outcome)
    driver:stop()
  end)
end)
