-- The table of the API (lua/plusmoin/api.lua): its rows are whole, and help() finds and shows them.
local api = require "plusmoin.api"
local testing = require "plusmoin.testing"

local WIDTH = 80

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("a")
  file:close()
  return text
end

local function sorted(list)
  local copy = table.move(list, 1, #list, 1, {})
  table.sort(copy)
  return copy
end

local function words_of(name)
  for _, row in ipairs(api.words) do
    if row.name == name then
      return sorted(row.values)
    end
  end
end

-- The texts in one table of names in C, in order of the alphabet; the empty one is none.
local function names_in(path, list)
  local body = assert(read(path):match("const char %*const " .. list .. "%[[^%]]*%] = (%b{})"), list)
  local found = {}
  for name in body:gmatch('= "([%w_ ]+)"') do
    found[#found + 1] = name
  end
  return sorted(found)
end

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
      for line in row.example:gmatch("[^\n]+") do
        assert.is_true(#line <= WIDTH - 2, row.name .. ": " .. line)
      end
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

describe("the words of the API", function()
  it("are those that the core has", function()
    assert.same(names_in("src/core/names.c", "event_names"), words_of("EventName"))
    assert.same(names_in("src/core/names.c", "reason_names"), words_of("Reason"))
    assert.same(names_in("src/core/votes.c", "names"), words_of("VoteSays"))
    assert.same(names_in("src/core/place.c", "names"), words_of("NodeState"))
  end)
end)

describe("README", function()
  it("has each function that a trigger has besides Lua's own", function()
    local readme = read("README.md")
    for _, row in ipairs(api.rows) do
      if row.kind == "function" and not row.standard then
        assert.truthy(readme:find("`" .. row.name .. "[ (`]"), row.name)
      end
    end
  end)
end)

describe("plusmoin.testing", function()
  it("makes events, nodes and clusters of fields that the API has", function()
    local t = testing.new()
    local function check(class, value)
      for key in pairs(value) do
        assert.truthy(api.find(class .. "." .. key), class .. "." .. key)
      end
      for _, row in ipairs(api.below(class)) do
        assert.is_true(row.optional or value[api.key(row)] ~= nil, row.name)
      end
    end
    for _, name in ipairs(words_of("EventName")) do
      local event = t:event(name)
      check("Event", event)
      for _, node in ipairs { event.master, event.trigger, event.rival, table.unpack(event.lost) } do
        check("Node", node)
      end
    end
    check("Cluster", t:cluster())
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
    assert.is_nil((api.help(("pm."):rep(100000)))) -- no faster for that
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
