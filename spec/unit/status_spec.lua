local cjson = require "cjson"
local status = require "plusmoin.status"

local NODE = { host = "a\27[2J", port = 5432.0, cluster_id = 1, is_slave = true, master_name = "m" }

describe("status", function()
  it("shouts when a cluster has no master", function()
    local answer = { clusters = { { cluster_id = 1, has_master = false, master = cjson.null, slaves = { NODE },
      lost = {} } }, clusterless = {} }
    local text = status.render(answer, { now = 1000 })
    assert.is_truthy(text:find("NO MASTER", 1, true))
    assert.is_truthy(text:find("a\\x1b[2J:5432", 1, true))
    assert.is_nil(text:find("\27", 1, true))
  end)

  it("says first what is not as usual with triggers in Lua, and nothing else of them", function()
    local function render(lua)
      return (status.render({ clusters = {}, clusterless = {}, lua = lua }))
    end
    assert.equal("no nodes\n", render { state = "runs", why = cjson.null, made_again = 0, not_called = {} })
    assert.equal("no nodes\n", render(5))
    assert.equal("!!! triggers.x[1] (a.lua:3) is not called: it has held its script host twice; "
      .. "a reload has it called again\n!!! triggers in Lua are dropped: a\\nb\n"
      .. "the script host was made again (2) from the configuration as it was accepted\nno nodes\n",
      render { state = "drops", why = "a\nb", made_again = 2,
      not_called = { { trigger = "triggers.x[1]", source = "a.lua:3" } } })
    assert.equal("!!! the script host gives no sign: triggers in Lua wait\nno nodes\n",
      render { state = "gives no sign" })
  end)

  it("shouts two masters of one origin", function()
    local function render(split)
      return (status.render({ clusters = {}, clusterless = {}, split_brain = split }))
    end
    assert.equal("no nodes\n", render {})
    assert.equal("no nodes\n", render(5))
    assert.equal("!!! SPLIT BRAIN: b\\n and a are masters of one origin\nno nodes\n", render { { "b\n", "a" }, 7 })
  end)

  it("says first what plusmoin itself lacks", function()
    local function render(lacks)
      return (status.render({ clusters = {}, clusterless = {}, lacks = lacks }, { now = 1000 }))
    end
    assert.equal("no nodes\n", render {})
    assert.equal("no nodes\n", render(5))
    local text = render { { message = 'private key file "/k\27" is not a regular file', since = 900.5, nodes = 3 } }
    assert.truthy(text:find('^!!! plusmoin itself lacks something: private key file "/k\\x1b" is not a regular file '
      .. "%(nodes: 3, not judged by that; since .*%(1 min%)%)\nno nodes\n$"), text)
  end)

  it("shows the further fields", function()
    local node = { host = "h", port = 1, name = "n", state = "lost", lag = 3.25, reason = "refused",
      message = "no\nway", since = 900, is_slave = true }
    local text = status.render({ clusters = {}, clusterless = { node } }, { now = 1000 })
    for _, part in ipairs { "n (h:1)", "3.2 s", "1 min", "refused: no\\nway" } do
      assert.is_truthy(text:find(part, 1, true), part)
    end
  end)

  it("says how a node is: up, failing, held, out of sync, down", function()
    local function node(host, condition, reason, failing)
      return { host = host, port = 1, condition = condition, reason = reason, failing = failing }
    end
    local text = status.render { clusters = { { cluster_id = 3, has_master = true, master = node("a", "well"),
      slaves = { node "b", node("c", "held", "full", "full: no slot"), node("i", "failing", nil, "refused: by it") },
      lost = { node("d", "late", "lag"), node("e", "down", "refused"), node "f", node("j", "unknown") } } },
      clusterless = { node("g", "unknown"), node("h", "well"), node "k" } }
    assert.is_nil(text:find("NO MASTER", 1, true))
    assert.is_truthy(text:find("failing +%- +%- +refused: by it"), text)
    local states = {}
    for line in text:gmatch("[^\n]+") do
      local role, host, state = line:match("^%S+%s+(%S+)%s+(%a):1%s+(%S.-)%s%s")
      states[#states + 1] = role and ("%s %s %s"):format(host, role, state)
    end
    assert.same({ "a master up", "b slave up", "c slave held", "i slave failing", "d lost out of sync", "e lost down",
      "f lost down or out of sync", "j lost unknown", "g clusterless unknown", "h clusterless no cluster",
      "k clusterless unknown" }, states)
  end)

  it("cuts the reasons to the width it is given", function()
    local node = { host = "a", port = 1, reason = "refused", message = ("ü"):rep(200) }
    local text = status.render({ clusters = {}, clusterless = { node } }, { width = 80 })
    assert.equal(80, utf8.len(text:match("([^\n]*)\n$")))
    assert.equal("...\n", text:sub(-4))
  end)

  it("renders any file text", function()
    for _, text in ipairs { "", "{", "[]", "null", '{"clusters": 5}', '{"clusters": [1, null, {"slaves": [null]}]}' } do
      local out = status.render_file(text, { age_seconds = 90 })
      assert.is_truthy(out:find("^OLD: this was written 1 min ago"))
    end
    assert.is_truthy(status.render_file(nil, {}):find("no status file", 1, true))
  end)
end)
