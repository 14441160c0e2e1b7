-- The table of the API (lua/plusmoin/api.lua): its rows are whole, and help() finds and shows them.
local api = require "plusmoin.api"

local WIDTH = 80

-- The width of the text's widest line, but for its example, which is code.
local function width_of(text)
  local widest = 0
  for line in text:gsub("\nExample\n.*", "\n"):gmatch("[^\n]+") do
    widest = math.max(widest, #line)
  end
  return widest
end

describe("the table of the API", function()
  it("has whole rows", function()
    local kinds = { ["function"] = true, table = true, value = true, class = true, field = true }
    local seen = {}
    for _, row in ipairs(api.rows) do
      assert.is_nil(seen[row.name], row.name)
      seen[row.name] = true
      assert.is_true(kinds[row.kind], row.name)
      assert.truthy(row.doc:find("^[%a_].*%.$") and not row.doc:find("\n"), row.name .. ": doc is one sentence")
      assert(load(row.example, "=" .. row.name, "t", {}))
      if row.kind == "function" then
        assert.truthy(row.standard or row.params and row.returns, row.name)
      elseif row.kind == "field" or row.kind == "value" then
        assert.is_string(row.type, row.name)
      end
      if row.kind == "field" then
        assert.equal("class", (api.find(row.name:match("^[^.]+")) or {}).kind, row.name)
      end
    end
  end)

  it("has words for each param and each field of a param or a result", function()
    local function check(where, list)
      for _, one in ipairs(list or {}) do
        local name = where .. " " .. one.name
        assert.is_string(one.type, name)
        assert.truthy(one.doc or one.fields or where:find(" returns", 1, true), name)
        check(name, one.fields)
      end
    end
    for _, row in ipairs(api.rows) do
      check(row.name, row.params)
      check(row.name .. " returns", row.returns)
    end
  end)
end)

describe("help", function()
  it("without a name gives an overview that fits a screen", function()
    local text = api.help()
    local _, lines = text:gsub("\n", "")
    assert.is_true(lines <= 24, text)
    assert.is_true(width_of(text) <= WIDTH, text)
    for _, row in ipairs(api.rows) do
      if row.kind ~= "field" then
        assert.truthy((" " .. text:gsub("%s", " ")):find(" " .. row.name .. " ", 1, true), row.name)
      end
    end
  end)

  it("tells all of each row in 80 columns", function()
    for _, row in ipairs(api.rows) do
      local text = assert(api.help(row.name))
      local flat = text:gsub("%s+", " ")
      assert.is_true(width_of(text) <= WIDTH, text)
      assert.truthy(flat:find((row.doc:gsub("`", "")), 1, true), text)
      assert.truthy(flat:find((row.example:gsub("%s+", " ")), 1, true), text)
      assert.equal(row.waits == true, flat:find(" Waits. ", 1, true) ~= nil, text)
      for _, param in ipairs(row.params or {}) do
        for _, field in ipairs(param.fields or { param }) do
          assert.truthy(text:find("\n *" .. (field.list or field.name):match("^[%w.]+")), text)
        end
      end
    end
    assert.truthy(api.help("Event"):find("\n  rival       Node, or nil: ", 1, true))
    assert.equal("pm.query(target, sql, [params], [options])", api.help("pm.query"):match("^[^\n]+"))
  end)

  it("of a name that there is not gives the nearest ones", function()
    for word, near in pairs { ["pm.qeury"] = "pm.query", query = "pm.query", sleep = "pm.sleep",
      ["Node.nmae"] = "Node.name",
      ["PM.HTTP"] = "pm.http", ["log.info"] = "pm.log.info", ["pm.log.warn"] = "pm.log.warning" } do
      local text, names = api.help(word)
      assert.is_nil(text)
      assert.equal(near, names[1], word)
      assert.is_true(#names <= 3)
    end
  end)
end)

describe("name_of", function()
  it("finds the name of what pm has, and of nothing else", function()
    local pm = { query = function() end, log = { info = function() end }, json = { null = {} } }
    assert.equal("pm", api.name_of(pm, pm))
    assert.equal("pm.query", api.name_of(pm, pm.query))
    assert.equal("pm.log.info", api.name_of(pm, pm.log.info))
    assert.equal("pm.json.null", api.name_of(pm, pm.json.null))
    assert.is_nil(api.name_of(pm, print))
    assert.is_nil(api.name_of(pm, nil))
  end)
end)
