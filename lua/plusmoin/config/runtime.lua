--- Checks `lua`: where Lua triggers find modules, and their limits.
local checks = require "plusmoin.config.checks"
local disk = require "plusmoin.config.disk"
local keypath = require "plusmoin.keypath"
local modules = require "plusmoin.config.modules"
local settings = require "plusmoin.settings"

local runtime = {}

local PATH = settings.find("lua.path")

-- Returns the templates of `lua.path`, made absolute.
local function split(ctx, path, text)
  local templates = {}
  for template in text:gmatch("[^;]+") do
    if not template:find("?", 1, true) then
      ctx.report:warning(path, keypath.quote(template) .. " has no ? for the module's name; "
        .. "a directory's modules are found by " .. keypath.quote(template:gsub("/$", "") .. "/?.lua"))
    end
    templates[#templates + 1] = disk.join(ctx.dir, template)
  end
  return templates
end

-- Applies `lua.path`, if it is given and right.
local function apply_path(ctx, value)
  local own, given = keypath.key("lua", "path"), checks.get(value, "path")
  local text = given ~= nil and checks.value(ctx, own, given, PATH)
  if text then
    modules.add(ctx, split(ctx, own, text))
  end
end

--- Checks the object and adds its `path` to package.path. Returns {memory_limit = MiB,
-- patience = seconds}; a default stands for a value that is missing or wrong. Errors are
-- reported.
function runtime.check(ctx, value)
  local path = "lua"
  if value ~= nil and not checks.is_object(ctx, path, value) then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where settings of Lua belong",
      settings.allowed(settings.find("lua")))
    value = nil
  end
  value = value or {}
  checks.keys(ctx, path, value, "lua.")
  apply_path(ctx, value)
  local result = {}
  for _, key in ipairs { "memory_limit", "patience" } do
    local row, given = settings.find("lua." .. key), checks.get(value, key)
    local read = given ~= nil and checks.value(ctx, keypath.key(path, key), given, row)
    result[key] = read or row.default
  end
  return result
end

return runtime
