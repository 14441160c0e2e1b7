-- What `plusmoin silence` prints, and what of silences `status`, `watch` and `explain` show.
local cjson = require "cjson"
local explain = require "plusmoin.explain"
local silences = require "plusmoin.silences"
local status = require "plusmoin.status"
local watch = require "plusmoin.watch"

local NOW = 1700000000
local WORDS = "silenced by alice until 2023-11-14 23:13:20 UTC (up\\x1b[2J)"

local function at(seconds)
  return os.date("%Y-%m-%d %H:%M:%S", seconds)
end

local function silence(kind, target, more)
  local found = { kind = kind, target = target, name = cjson.null, since = NOW - 60.5, by = "alice",
    reason = "up\27[2J", gone = false }
  found["until"] = NOW + 3600.5
  for key, value in pairs(more or {}) do
    found[key] = value
  end
  return found
end

local ALL = {
  silence("all", "all", { reason = "" }), silence("cluster", "3"), silence("node", "10.0.0.1:5432", { name = "db1" }),
  silence("node", "db2:5432", { gone = true }), silence("node", "db3:5432", { name = "db3:5432" }), 7,
}

local function lines(text)
  local list = {}
  for line in text:gmatch("([^\n]*)\n") do
    list[#list + 1] = line:gsub("  +", "  ")
  end
  return list
end

describe("silences", function()
  it("are a line each", function()
    local text, is_error = silences.render({ ok = true, silences = ALL }, nil, nil, NOW)
    local rest = ("  %s (in 1 h)  alice  %s (1 min)  up\\x1b[2J"):format(at(NOW + 3600), at(NOW - 61))
    assert.is_false(is_error)
    assert.same({
      "TARGET  UNTIL  BY  SINCE  REASON", "all events" .. rest:gsub("up\\x1b%[2J", "-"), "cluster 3" .. rest,
      "node db1 (10.0.0.1:5432)" .. rest, "node db2:5432 (not there now)" .. rest, "node db3:5432" .. rest,
      "node -  -  -  -  -" }, lines(text))
    assert.same({ "no silences\n", false }, { silences.render({ ok = true, silences = {} }, nil, nil, NOW) })
    assert.same({ "plusmoin: no\\n\n", true }, { silences.render({ ok = false, error = "no\n" }, nil, nil, NOW) })
  end)

  it("say what is left, rounded up, in two units at the most", function()
    for seconds, words in pairs { [59] = "59 s", [60] = "1 min", [119.2] = "2 min", [3599.5] = "1 h",
      [5400] = "1 h 30 min", [5399.1] = "1 h 30 min", [86400] = "1 d", [100000] = "1 d 4 h", [-5] = "0 s" } do
      local text = silences.say({ ok = true, silence = { kind = "all", ["until"] = NOW + seconds } }, nil, "all", NOW)
      assert.truthy(text:find(" (in " .. words .. ")", 1, true), text)
    end
  end)

  it("that were set or ended are said in a line", function()
    local text, is_error = silences.say({ ok = true, silence = ALL[2], ended = false }, nil, "3", NOW)
    assert.same({ ("no trigger runs for cluster 3 until %s (in 1 h)\n"):format(at(NOW + 3600)), false },
      { text, is_error })
    assert.same({ "the silence of cluster 3 has ended\n", false },
      { silences.say({ ok = true, silence = ALL[2], ended = true }, nil, "3", NOW) })
    for _, answer in ipairs { 5, {}, { ok = true }, { ok = false } } do
      assert.same({ "plusmoin: -\n", true }, { silences.say(answer, nil, "3", NOW) })
    end
  end)

  it("of what nobody knows name what is nearest", function()
    local function near(word, known)
      return (silences.say({ ok = false, error = "no such node" }, known, word, NOW))
    end
    local fleet = { clusters = { { master = { name = "alpha", host = "10.0.0.1", port = 5432.0 },
      slaves = { { name = "beta", host = "db", port = 5433 } }, lost = { { name = "gamma", host = "h", port = 1 } } } },
      clusterless = { { name = "delta", host = "h", port = 2 } } }
    for word, expected in pairs { alhpa = "alpha", bet = "beta", ["10.0.0.1:5423"] = "10.0.0.1:5432", gama = "gamma",
      Delta = "delta", db = "db:5433" } do
      assert.equal("plusmoin: no such node; the nearest is " .. expected .. "\n", near(word, fleet))
    end
    assert.equal("plusmoin: no such node\n", near("x", { clusters = {}, clusterless = {} }))
    assert.equal("plusmoin: no such node\n", near("x", nil))
  end)

  it("are shouted by status and watch", function()
    local answer = { ok = true, clusters = {}, clusterless = {}, silences = { ALL[1], ALL[2] } }
    local shout = ("!!! SILENCED: no trigger runs for %%s until %s (in 1 h), by alice%%s"):format(at(NOW + 3600))
    local first, second = shout:format("all events", ""), shout:format("cluster 3", ": up\\x1b[2J")
    assert.equal(first .. "\n" .. second .. "\nno nodes\n", status.render(answer, { now = NOW }))
    local drawn = watch.render(cjson.encode(answer), nil, { now = NOW, width = 120 })
    assert.truthy(drawn:find("not well, see below", 1, true), drawn)
    assert.truthy(drawn:find(second, 1, true), drawn)
    answer.silences = {}
    assert.equal("no nodes\n", status.render(answer, { now = NOW }))
    answer.silences = 5
    assert.equal("no nodes\n", status.render(answer, { now = NOW }))
    answer.silences = {}
    for i = 1, 12 do
      answer.silences[i] = ALL[2]
    end
    local found = lines(status.render(answer, { now = NOW }))
    assert.equal(12, #found)
    assert.equal("!!! and 2 more silences: plusmoin silence --list", found[11])
  end)

  it("stand with an event that fell in one", function()
    local event = { name = "slave_down", id = "1-2", time = NOW, cluster_id = 0, node = "db1", message = "gone",
      silenced = WORDS:gsub("\\x1b", "\27"), seen = {} }
    event.triggers = { { trigger = "triggers.slave_down", outcome = event.silenced } }
    assert.equal(("slave_down 1-2 at %s in cluster 0: db1: gone, %s\ntriggers:\n  triggers.slave_down: %s\n"):format(
      at(NOW), WORDS, WORDS), explain.render({ event = event }))
    event.triggers[1].outcome = "failed: boom\nstack traceback:\n\tx.lua:1: \27[2J"
    assert.truthy(explain.render({ event = event }):find("\n  triggers.slave_down: failed: boom\n      stack "
      .. "traceback:\n      x.lua:1: \\x1b[2J\n", 1, true))
    local drawn = watch.render(cjson.encode { ok = true, clusters = {}, clusterless = {} },
      cjson.encode { ok = true, events = { event } }, { now = NOW, width = 200 })
    assert.truthy(drawn:find("slave_down cluster 0 db1, " .. WORDS .. ": gone", 1, true), drawn)
  end)
end)
