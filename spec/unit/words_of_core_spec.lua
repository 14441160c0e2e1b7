-- The words that the core has for reasons, rules and events are the ones README explains.
local function read(path)
  local file = assert(io.open(path))
  local text = file:read("a")
  file:close()
  return text
end

-- The names in one table of src/core/names.c.
local function names(list)
  local body = assert(read("src/core/names.c"):match("const char %*const " .. list .. "%[[%w_]+%] = (%b{})"))
  local found = {}
  for name in body:gmatch('= "([%w_]+)"') do
    found[#found + 1] = name
  end
  assert(#found > 5)
  return found
end

describe("README explains", function()
  local readme = read("README.md")

  for _, list in ipairs { "reason_names", "rule_names", "event_names" } do
    it("each of " .. list, function()
      for _, name in ipairs(names(list)) do
        assert.truthy(readme:find("\n| [^|]*`" .. name .. "`[^|]* |"), name .. " has no row in a table of README")
      end
    end)
  end

  it("each rule in `plusmoin explain`, too", function()
    local rulebook = read("src/core/rulebook.c")
    for _, name in ipairs(names("rule_names")) do
      assert.truthy(rulebook:find("%[RULE_" .. name .. "%] = { RULE_" .. name .. ",[^}]*\"[^\"]+\" }"), name)
    end
  end)
end)
