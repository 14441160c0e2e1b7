--- Loads a configuration file: reads it, checks it, and fills in defaults.
--
-- `.lua` files are Lua and return one table, all others are JSON with comments;
-- both have the same keys (contract, "Configuration"). All errors of a file are
-- reported at once.
local checks = require "plusmoin.config.checks"
local connection = require "plusmoin.config.connection"
local derive = require "plusmoin.config.derive"
local disk = require "plusmoin.config.disk"
local files = require "plusmoin.config.files"
local jsonc = require "plusmoin.jsonc"
local luafile = require "plusmoin.config.luafile"
local modules = require "plusmoin.config.modules"
local monitors = require "plusmoin.config.monitors"
local nodes = require "plusmoin.config.nodes"
local report = require "plusmoin.config.report"
local runtime = require "plusmoin.config.runtime"
local settings = require "plusmoin.settings"
local triggers = require "plusmoin.config.triggers"
local window = require "plusmoin.config.window"

local config = {}

-- A configuration of thousands of nodes has one MiB; a file of more than 16 is taken for a mistake.
local MAX_BYTES = 16 * 1024 * 1024

-- Types of settings that hold several values: a file of config/ reads each of them.
local COMPOUND = { nodes = true, connection = true, triggers = true, object = true }

local EARLY = {}
for _, key in ipairs(settings.early) do
  EARLY[key] = true
end

-- Reads a JSON file. Returns its top level (nil where errors leave none), a table of the
-- keys that could be read, and whether those are all keys of the file.
local function read_json(ctx, text)
  local doc, errors = jsonc.decode(text)
  ctx.report = report.new(ctx.path, doc.lines, doc.bad)
  ctx.kinds = doc.kinds
  for _, err in ipairs(errors) do
    ctx.report:syntax(err.line, err.column, err.text)
  end
  if doc.value == nil then
    return nil, doc.strings, false
  elseif not checks.is_object(ctx, "", doc.value) then
    ctx.report:error("", checks.describe(ctx, "", doc.value) .. " where the configuration belongs", "one object, {...}")
    return nil, {}, false
  end
  return doc.value, doc.value, true
end

local function read_lua(ctx, text)
  ctx.lua = true
  local ok, value = luafile.run(ctx.path, text)
  if not ok then
    ctx.report:raw(value)
    return nil, {}, false
  elseif type(value) ~= "table" then
    ctx.report:raw(("%s: returns %s; allowed: one table, as in `return { dbname = ... }`"):format(ctx.path,
      value == nil and "nothing" or "a " .. type(value)))
    return nil, {}, false
  elseif not checks.is_object(ctx, "", value) then
    ctx.report:error("", "returns " .. checks.describe(ctx, "", value), "one table with named keys")
    return nil, {}, false
  end
  return value, value, true
end

local function is_single(row)
  return not COMPOUND[row.type] and not EARLY[settings.key(row)]
end

-- Checks the settings that hold one value. Returns those that are right, and the set of keys that the file has.
local function read_singles(ctx, object)
  local values, given = {}, {}
  for _, row in ipairs(settings.below("")) do
    local key = settings.key(row)
    local value = checks.get(object, key)
    given[key] = value ~= nil
    if value == nil and row.required then
      ctx.report:error(key, "is missing; it has no default", settings.allowed(row))
    elseif value ~= nil and is_single(row) then
      values[key] = checks.value(ctx, key, value, row)
    end
  end
  return values, given
end

-- Builds the normalised configuration, and notes errors in ctx's report.
local function build(ctx, object, found)
  local values, given = read_singles(ctx, object)
  for _, key in ipairs(settings.early) do
    values[key] = found[key]
  end
  derive.defaults(values)
  local global = {
    user = values.user, password = values.password, dbname = values.dbname,
    connection = connection.check(ctx, "connection", checks.get(object, "connection")),
  }
  values.nodes = nodes.check(ctx, checks.get(object, "nodes"), global)
  values.lua = runtime.check(ctx, checks.get(object, "lua"))
  if ctx.env.trigger then
    values.triggers = triggers.only(ctx, ctx.env.trigger, checks.get(object, "triggers"), values.trigger_timeout)
  else
    values.triggers = triggers.check(ctx, checks.get(object, "triggers"), values.trigger_timeout)
  end
  values.http = window.check(ctx, checks.get(object, "http"), found)
  values.monitors = monitors.check(ctx, checks.get(object, "monitors"), given.state_file)
  if values.monitors and values.monitors.away == "act" then
    triggers.act_alone(values.triggers)
  end
  values.secrets = nodes.secrets(values.nodes, global, values.http, values.monitors)
  values.password, values.connection = nil, nil
  if #ctx.report.errors == 0 then
    derive.settle(ctx, values, given)
  end
  return values
end

-- Fills in `result`. It raises an error only where the loader itself has a bug.
local function load_into(result, ctx)
  local text, err = ctx.env.text, nil
  if not text then
    text, err = disk.read(ctx.path, MAX_BYTES, ctx.env.foreign)
  end
  local object, readable, complete = nil, {}, false
  modules.begin(ctx)
  if not text then
    ctx.report:error("", err)
  elseif ctx.path:find("%.lua$") then
    object, readable, complete = read_lua(ctx, text)
  else
    object, readable, complete = read_json(ctx, text)
  end
  if object then
    checks.keys(ctx, "", object, "")
  end
  result.files = files.read(ctx, readable, complete)
  local built = object and build(ctx, object, result.files)
  if #ctx.report.errors == 0 then
    result.config = built
  end
end

local function new_context(path, env)
  return {
    path = path, env = env or {}, dir = disk.directory(path, env and env.cwd),
    report = report.new(path), kinds = {}, unknown = {}, templates = {}, lua = false,
  }
end

--- Returns the names (as `files` below) that an empty configuration at `path` would have.
function config.default_names(path, env)
  return files.read(new_context(path, env), {}, false)
end

--- Loads the configuration at `path`. `env` holds what the caller provides, every
-- field optional:
--   cwd                the working directory, absolute; makes a relative path absolute
--   libpq_keywords     a set of keyword -> true
--   exists(path), readable(path)  -> boolean
--   mode(path)         -> permission bits, or nil where there is no file
--   obstacle(program)  -> why it cannot be started, and the line that mends that; or nil
--   foreign(handle, path)  -> true for a configuration or trigger file that must not be read
--   trigger            a Lua file that is every event's only trigger, see triggers.only()
--   trigger_dir        absolute; trigger files that are not beside the configuration are looked for here
--   text               the file's content, where the caller has read it
--   host               the machine's name
--   names_only         true: the files of Lua triggers are not run
--   reload             true: a file that cannot be read is an error; else it is a warning
--
-- Returns {config =, errors =, warnings =, files =} and never raises:
--   config    nil when there are errors; else the shape that the C side reads:
--             single values by key (times in seconds, paths absolute), `nodes`,
--             `triggers`, `secrets`, `lua` {memory_limit =, patience =}, `http` (nil, or
--             what window.check() returns), `monitors` (nil, or what monitors.check()
--             returns). The tables are new: the caller may change them.
--   errors, warnings  lists of complete lines
--   files     daemon_user, pid_file, status_file, log_file, control_socket: defaults
--             stand for those that could not be read; then `defaulted` is true
-- A Lua configuration and the files of Lua triggers run here; the caller limits their
-- time and memory. package.path is changed.
function config.load(path, env)
  path = tostring(path)
  local result = { errors = {}, warnings = {}, files = nil }
  local ctx = new_context(path, env)
  local ok, err = pcall(load_into, result, ctx)
  if not ok then
    result.config = nil
    ctx.report:raw(("%s: plusmoin's loader failed: %s"):format(path, tostring(err)))
  end
  result.files = result.files or config.default_names(path, env)
  result.errors = ctx.report:texts(ctx.report.errors)
  result.warnings = ctx.report:texts(ctx.report.warnings)
  return result
end

return config
