-- Every setting stands in both samples and in README's table.
local config = require "plusmoin.config"
local settings = require "plusmoin.settings"
local settings_doc = require "plusmoin.settings_doc"

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

  it("stand all in README.md (tests/tools/settings-doc.lua --update README.md)", function()
    assert.equal(settings_doc.markdown(), settings_doc.extract(read("README.md")))
  end)
end)
