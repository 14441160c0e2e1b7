-- The words that the core has for reasons, rules and events are the ones that README and the manual pages explain.
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

describe("a table explains", function()
  local RULES, TRIGGERS = "conf/man/plusmoin-rules.7.md", "conf/man/plusmoin-triggers.7.md"

  local PLACES = { reason_names = { RULES }, rule_names = { RULES }, event_names = { TRIGGERS, "README.md" } }

  for list, paths in pairs(PLACES) do
    it("each of " .. list, function()
      for _, path in ipairs(paths) do
        local text = read(path)
        for _, name in ipairs(names(list)) do
          assert.truthy(text:find("\n| [^|]*`" .. name .. "`[^|]* |"), name .. " has no row in a table of " .. path)
        end
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
