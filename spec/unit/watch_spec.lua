-- What `plusmoin watch` draws.
local cjson = require "cjson"
local watch = require "plusmoin.watch"

local NOW = 1700000000

local function answer(t)
  t.ok = true
  return cjson.encode(t)
end

local function server(changes)
  local t = { name = "n", host = "h", port = 5432, state = "slave", lag = 0.5, since = NOW - 90 }
  for key, value in pairs(changes or {}) do
    t[key] = value
  end
  return t
end

local function draw(status, events, opts)
  local options = { now = NOW, width = 80 }
  for key, value in pairs(opts or {}) do
    options[key] = value
  end
  return watch.render(status, events, options)
end

describe("watch", function()
  it("keeps every line within the width, whatever the names are", function()
    local long = ("ü"):rep(200)
    local status = answer { clusters = { { cluster_id = 123456, has_master = true, master = server { name = long },
      slaves = { server { name = long .. "\27[2J", reason = "lag", message = long } }, lost = { server() } } },
      clusterless = { server { name = ("x"):rep(300) } } }
    local event = { name = "slave_down", time = NOW, cluster_id = 1, node = long, message = long }
    local events = answer { events = { event } }
    for _, width in ipairs { 80, 120 } do
      local text = draw(status, events, { width = width })
      for line in text:gmatch("[^\n]+") do
        assert.is_true(utf8.len(line) <= width, line)
      end
      assert.is_nil(text:find("\27", 1, true))
    end
  end)

  it("says what is amiss with plusmoin itself", function()
    local clusters = { { cluster_id = 0, master = server { state = "master" }, slaves = {}, lost = {} } }
    local text = draw(answer { clusters = clusters, clusterless = {}, isolated = NOW - 7,
      lacks = { { message = "no descriptors", since = NOW - 3, nodes = 2 } } },
      answer { events = { { name = "monitor_isolated", time = NOW, cluster_id = -1, rule = "P7" } } })
    for _, words in ipairs { "not well, see below", "!!! ISOLATED since", "!!! plusmoin itself lacks something",
      "monitor_isolated by P7" } do
      assert.truthy(text:find(words, 1, true), text)
    end
    assert.is_nil(text:find("all is well", 1, true))
    assert.is_nil(text:find("cluster -1", 1, true))
  end)

  it("says what is well and what is not, in colours when asked", function()
    local master = server { state = "master" }
    local well = answer { clusters = { { cluster_id = 0, master = master, slaves = {}, lost = {} } }, clusterless = {} }
    assert.truthy(draw(well):find("all is well", 1, true))
    assert.truthy(draw(well, nil, { color = true }):find("\27[32m", 1, true))
    local bad = answer { clusters = { { cluster_id = 0, master = cjson.null, slaves = {}, lost = { server() } } },
      clusterless = {} }
    local text = draw(bad, nil, { color = true })
    assert.truthy(text:find("2 not well", 1, true))
    assert.truthy(text:find("NO MASTER", 1, true))
    assert.truthy(text:find("\27[31m", 1, true))
  end)

  it("shows the newest event first, ten at most", function()
    local events = {}
    for i = 1, 15 do
      events[i] = { name = "slave_up", time = NOW + i, cluster_id = i }
    end
    local text = draw(answer { clusters = {}, clusterless = {} }, answer { events = events })
    local shown = {}
    for id in text:gmatch("slave_up cluster (%d+)") do
      shown[#shown + 1] = tonumber(id)
    end
    assert.same({ 15, 14, 13, 12, 11, 10, 9, 8, 7, 6 }, shown)
  end)

  it("stands no answer, and answers that are none", function()
    for _, text in ipairs { "", "{", "[]", '{"ok": false}', '{"ok": true}', '{"ok": true, "clusters": [1, null]}' } do
      local ok, drawn = pcall(draw, text, text)
      assert.is_true(ok, text .. ": " .. tostring(drawn))
    end
    assert.truthy(draw(nil, nil):find("NO ANSWER", 1, true))
  end)
end)
