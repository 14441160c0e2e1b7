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

  it("shows the further fields", function()
    local node = { host = "h", port = 1, name = "n", state = "lost", lag = 3.25, reason = "refused",
      message = "no\nway", since = 900, is_slave = true }
    local text = status.render({ clusters = {}, clusterless = { node } }, { now = 1000 })
    for _, part in ipairs { "n (h:1)", "3.2 s", "1 min", "refused: no\\nway" } do
      assert.is_truthy(text:find(part, 1, true), part)
    end
  end)

  it("renders any file text", function()
    for _, text in ipairs { "", "{", "[]", "null", '{"clusters": 5}', '{"clusters": [1, null, {"slaves": [null]}]}' } do
      local out = status.render_file(text, { age_seconds = 90 })
      assert.is_truthy(out:find("^OLD: this was written 1 min ago"))
    end
    assert.is_truthy(status.render_file(nil, {}):find("no status file", 1, true))
  end)
end)
