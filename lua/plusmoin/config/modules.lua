--- Sets where `require` looks: beside the configuration, then where `lua.path` says,
-- then beside the trigger files, then in Lua's own places; never in the working
-- directory.
--
-- package.path stays changed after the load, so that triggers can require modules later;
-- each load has a Lua state of its own. What a Lua configuration adds to it stays.
local disk = require "plusmoin.config.disk"

local modules = {}

local LUA_FILES = 2 -- index in package.searchers of the one that finds Lua files; the first looks in package.preload
local MAX_BYTES = 16 * 1024 * 1024
local WORKING_DIRECTORY = { ["./?.lua"] = true, ["./?/init.lua"] = true }

-- The templates of package.path that are not in the set `skip`.
local function current(skip)
  local list = {}
  local path = type(package.path) == "string" and package.path or ""
  for template in path:gmatch("[^;]+") do
    if not skip[template] then
      list[#list + 1] = template
    end
  end
  return list
end

--- Adds a list of templates to package.path, behind those that the load `ctx` has added
-- already and before all others.
function modules.add(ctx, templates)
  local added, new, is_new = ctx.templates, {}, {}
  for _, template in ipairs(templates) do
    if not added[template] then
      new[#new + 1], is_new[template] = template, true
    end
  end
  local list, at = current(is_new), 0
  for index, template in ipairs(list) do
    at = added[template] and index or at
  end
  for index, template in ipairs(new) do
    table.insert(list, at + index, template)
    added[template] = true
  end
  package.path = table.concat(list, ";")
end

--- Adds a directory. One whose name has a ; or ? is left out: they mean something in templates.
function modules.add_directory(ctx, dir)
  if dir ~= "" and not dir:find("[;?]") then
    modules.add(ctx, { disk.join(dir, "?.lua"), disk.join(dir, "?/init.lua") })
  end
end

-- Returns a searcher in place of Lua's own for a daemon that stays root: it refuses files that others can change.
local function guarded(foreign)
  return function(name)
    local path, tried = package.searchpath(name, package.path)
    if not path then
      return tried
    end
    local text, wrong = disk.read(path, MAX_BYTES, foreign)
    if not text then
      error(("module '%s': %s %s"):format(name, path, wrong), 0)
    end
    local chunk, why = load((text:gsub("^#[^\n]*", "")), "@" .. path, "t")
    if not chunk then
      error(("error loading module '%s' from file '%s':\n\t%s"):format(name, path, why), 0)
    end
    return chunk, path
  end
end

--- Begins a load: puts the configuration's directory first and takes the working
-- directory out.
function modules.begin(ctx)
  package.path = table.concat(current(WORKING_DIRECTORY), ";")
  modules.add_directory(ctx, ctx.dir)
  if ctx.env.foreign then
    package.searchers[LUA_FILES] = guarded(ctx.env.foreign)
  end
end

return modules
