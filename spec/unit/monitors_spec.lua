-- What `plusmoin monitors` prints, and what of it `status` and `watch` show.
local cjson = require "cjson"
local monitors = require "plusmoin.monitors"
local status = require "plusmoin.status"
local watch = require "plusmoin.watch"

local NULL = cjson.null
local SAME = "0f1e2d3c-aaaaaaaa-bbbbbbbb"

local function lines(text)
  local list = {}
  for line in text:gmatch("([^\n]*)\n") do
    list[#list + 1] = line
  end
  return list
end

local function entry(name, more)
  local found = { name = name, host = name .. ".example.com", pid = 5, version = "1", since = 940, answering = 4,
    not_answering = 1, settings = SAME }
  for key, value in pairs(more or {}) do
    found[key] = value
  end
  return found
end

local function at(seconds)
  return os.date("%Y-%m-%d %H:%M:%S", seconds)
end

describe("monitors", function()
  it("are a line each, by name", function()
    local text = monitors.render({ ok = true, name = "b", acts = true, term = 4711, acting = "b", acting_since = 970,
      stuck = NULL, monitors = { entry "c", entry "b", entry("a", { answering = 0, not_answering = 5 }) } }, 1000)
    local found = lines(text)
    assert.equal(5, #found)
    assert.equal("acting", found[1])
    assert.same({ "NAME", "HOST", "ACTS", "SINCE", "ANSWERING", "NOT", "ANSWERING", "SETTINGS" },
      (function() local w = {} for word in found[2]:gmatch("%S+") do w[#w + 1] = word end return w end)())
    assert.truthy(found[3]:find("^a +a%.example%.com +%- +%d+-%d+-%d+ [%d:]+ %(1 min%) +0 +5 +same$"), found[3])
    assert.truthy(found[4]:find("since " .. at(970) .. " (30 s), term 4711", 1, true), found[4])
    assert.truthy(found[4]:find("same$"))
    assert.truthy(found[5]:find("^c "))
  end)

  it("of which another one acts, or none", function()
    local answer = { ok = true, name = "b", acts = false, term = NULL, acting = "a", stuck = NULL,
      monitors = { entry "a", entry "b" } }
    local found = lines(monitors.render(answer, 1000))
    assert.equal("standing by (a acts)", found[1])
    assert.truthy(found[3]:find("^a +a.example.com +yes +"), found[3])
    assert.truthy(found[4]:find("^b +b.example.com +%- +"), found[4])
    answer.acting, answer.stuck = NULL, "no\27leader"
    found = lines(monitors.render(answer, 1000))
    assert.equal("standing by (nobody is known to act)", found[1])
    assert.equal("!!! no trigger starts: etcd takes no commit: no\\x1bleader", found[2])
  end)

  it("say whose settings are not ours", function()
    local function word(ours, theirs)
      local text = monitors.render({ name = "a", acts = true, acting = "a",
        monitors = { entry("a", { settings = ours }), entry("b", { settings = theirs }) } }, 1000)
      return text:match("\nb .- 1 +(%l[^\n]*)\n$") or text:match("\nb [^\n]*(%-)\n$")
    end
    assert.equal("same", word(SAME, SAME))
    assert.equal("differ: nodes", word(SAME, "00000000-aaaaaaaa-bbbbbbbb"))
    assert.equal("differ: rules, triggers", word(SAME, "0f1e2d3c-0-0"))
    assert.equal("differ: another version's", word(SAME, SAME .. "-cccccccc"))
    assert.equal("-", word(SAME, NULL))
    assert.equal("-", word(NULL, SAME))
  end)

  it("are shown whatever their entries hold", function()
    for _, list in ipairs { {}, { 5 }, { NULL }, { {} }, { { name = 5, host = {}, since = "x", answering = "1" } },
      { { name = "\27[2J", settings = 7 } } } do
      local text = monitors.render({ name = "a", acts = false, monitors = list }, 1000)
      assert.is_nil(text:find("\27", 1, true))
    end
    assert.truthy(monitors.render({ monitors = {} }, 1):find("no monitor has its entry in etcd yet\n$"))
    assert.truthy(monitors.render({}, 1):find("no monitor has its entry in etcd yet\n$"))
  end)
end)

describe("status and watch", function()
  local function answer(of_monitors)
    return { ok = true, clusters = {}, clusterless = {}, monitors = of_monitors }
  end

  it("say first whether this monitor acts", function()
    assert.equal("acting\nno nodes\n", status.render(answer { acts = true, acting = "a", stuck = NULL }))
    assert.equal("standing by (a acts)\nno nodes\n", status.render(answer { acts = false, acting = "a" }))
    assert.equal("standing by (a\\nb acts)\nno nodes\n", status.render(answer { acts = false, acting = "a\nb" }))
    assert.equal("standing by (nobody is known to act)\n!!! no trigger starts: etcd takes no commit: why\nno nodes\n",
      status.render(answer { acts = false, acting = NULL, stuck = "why" }))
    local function second(of_monitors)
      return lines(watch.render(cjson.encode(answer(of_monitors)), nil, { now = 1000, width = 80 }))
    end
    assert.equal("acting", second({ acts = true, acting = "a", stuck = NULL })[2])
    assert.truthy(second({ acts = true, acting = "a", stuck = NULL })[1]:find("all is well", 1, true))
    assert.equal("standing by (a acts)", second({ acts = false, acting = "a", stuck = "x" })[2])
    assert.equal("!!! no trigger starts: etcd takes no commit: x", second({ acts = true, stuck = "x" })[3])
    assert.truthy(second({ acts = true, stuck = "x" })[1]:find("not well, see below", 1, true))
  end)

  it("say nothing of it where it is alone", function()
    for _, alone in ipairs { false, NULL, 5 } do
      assert.equal("no nodes\n", status.render(answer(alone or nil)))
      assert.equal("", lines(watch.render(cjson.encode(answer(alone or nil)), nil, { now = 1000, width = 80 }))[2])
    end
  end)
end)
