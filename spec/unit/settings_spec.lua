-- Every setting stands in both samples; README's table has settings that there are.
local config = require "plusmoin.config"
local settings = require "plusmoin.settings"

local package_path = package.path

after_each(function()
  package.path = package_path
end)

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

describe("the settings", function()
  for path, pattern in pairs { ["conf/plusmoin.json"] = '"%s":', ["conf/plusmoin.lua"] = " %s = " } do
    it("stand all in " .. path, function()
      local text = read(path)
      for _, row in ipairs(settings.rows) do
        local wanted = pattern:format(settings.key(row))
        assert.is_truthy(text:find(wanted, 1, true), row.name)
        assert.is_truthy(text:find(row.doc, 1, true), row.name .. ": its comment")
      end
    end)

    it("load from " .. path, function()
      local result = config.load(path, { cwd = "/" })
      assert.same({}, result.errors)
      assert.same({}, result.warnings)
      assert.equal("info", result.config.log_level)
    end)
  end

  it("are those that README's table tells of", function()
    local known, count = {}, 0
    for _, row in ipairs(settings.rows) do
      known[row.name] = true
    end
    local rows = assert(read("README.md"):match("\n| setting |[^\n]+\n|[-|]+\n(.-)\n\n"))
    for names in (rows .. "\n"):gmatch("| ([^|]+) |[^\n]+\n") do
      for name in names:gmatch("`([^`]+)`") do
        assert.is_true(known[name], name)
        count = count + 1
      end
    end
    assert.is_true(count >= 10)
  end)
end)
