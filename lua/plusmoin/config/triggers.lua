--- Checks `triggers`: what runs on which event.
--
-- An event's value is a command line, an entry {command =, timeout =} or {lua =,
-- settings =, timeout =}, in a Lua configuration also a function, or a list of
-- these, run in order; null is nothing.
local checks = require "plusmoin.config.checks"
local jsonc = require "plusmoin.jsonc"
local keypath = require "plusmoin.keypath"
local script = require "plusmoin.config.script"
local settings = require "plusmoin.settings"
local words = require "plusmoin.words"

local triggers = {}

local COMMAND = settings.find("triggers.X.command")
local ALLOWED = settings.allowed(settings.find("triggers.master_up"))
local ALLOWED_ENTRY = '{"command": ..., "timeout": s} or {"lua": FILE, "settings": {}, "timeout": s}'

-- Warns of a command line that needs a shell, because none reads it.
local function warn_of_shell(ctx, path, line)
  local found = words.shell_syntax(line)
  if found then
    ctx.report:warning(path, ("no shell runs this: %s is passed on as it stands; for a shell write sh -c '...'")
      :format(keypath.quote(found)))
  end
end

-- Warns of a program that could not be started now; a relative path counts from / (contract). It is no error: the
-- program may exist when the event happens.
local function warn_of_obstacle(ctx, path, program)
  local obstacle, cure = nil, nil
  if ctx.env.obstacle then
    obstacle, cure = ctx.env.obstacle(program)
  end
  if obstacle then
    ctx.report:warning(path, keypath.escape(obstacle) .. (cure and "; cure: " .. keypath.escape(cure) or ""))
  end
end

local function read_line(ctx, path, line)
  if line:find("\0", 1, true) then
    ctx.report:error(path, "holds a NUL byte", "a command line without NUL bytes")
    return nil
  end
  local argv, wrong = words.split(line)
  if not argv then
    ctx.report:error(path, wrong, "a program and its arguments, quoted as in a shell")
    return nil
  end
  warn_of_shell(ctx, path, line)
  return argv
end

local function check_word(ctx, path, word, index)
  if type(word) ~= "string" then
    ctx.report:error(path, checks.describe(ctx, path, word) .. " where a word belongs", "strings")
  elseif word:find("\0", 1, true) then
    ctx.report:error(path, "holds a NUL byte", "strings without NUL bytes")
  elseif index == 1 and word == "" then
    ctx.report:error(path, "an empty program name", "a program")
  else
    return true
  end
  return false
end

local function read_argv(ctx, path, list)
  local argv, fine = {}, true
  for index, word in ipairs(list) do
    fine = check_word(ctx, keypath.index(path, index), word, index) and fine
    argv[index] = word
  end
  if #argv == 0 then
    ctx.report:error(path, "an empty command", settings.allowed(COMMAND))
    return nil
  end
  return fine and argv or nil
end

local function read_command(ctx, path, value)
  local argv
  if type(value) == "string" then
    argv = read_line(ctx, path, value)
  elseif checks.is_list(ctx, path, value) then
    argv = read_argv(ctx, path, value)
  else
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where a command belongs", settings.allowed(COMMAND))
  end
  if argv then
    warn_of_obstacle(ctx, path, argv[1])
  end
  return argv
end

local function command_action(argv, timeout)
  return argv and { kind = "command", argv = argv, timeout = timeout }
end

local function lua_action(ctx, run, timeout)
  return run and { kind = "lua", run = run, timeout = timeout, source = script.source(ctx, run) }
end

local function read_timeout(ctx, path, value)
  if value == nil then
    return nil
  end
  return checks.value(ctx, keypath.key(path, "timeout"), value, settings.find("triggers.X.timeout"))
end

-- Returns true when the trigger must not run again after a monitor died while it ran ("rerun": false); nil: not said.
local function runs_once(ctx, path, value)
  local rerun = checks.get(value, "rerun")
  if rerun == nil then
    return nil
  end
  return checks.value(ctx, keypath.key(path, "rerun"), rerun, settings.find("triggers.X.rerun")) == false
end

-- Returns true when the trigger runs although etcd does not answer ("alone": "act"); nil: not said.
local function acts_alone(ctx, path, value)
  local alone = checks.get(value, "alone")
  if alone == nil then
    return nil
  end
  return checks.value(ctx, keypath.key(path, "alone"), alone, settings.find("triggers.X.alone")) == "act"
end

--- Has the triggers of triggers.check() that do not say it themselves run although etcd does not answer; but not those
-- with "rerun": false, for what runs before it is written down may run twice.
function triggers.act_alone(map)
  for _, actions in pairs(map) do
    for _, action in ipairs(actions) do
      if action.acts_alone == nil then
        action.acts_alone = not action.once
      end
    end
  end
end

local read_action_of

-- Returns an entry's action; its timeout is nil where neither the entry nor its file has one.
local function read_entry(ctx, path, value)
  checks.keys(ctx, path, value, "triggers.X.")
  local once, alone = runs_once(ctx, path, value), acts_alone(ctx, path, value)
  local action = read_action_of(ctx, path, value)
  if action then
    action.once, action.acts_alone = once, alone
  end
  return action
end

function read_action_of(ctx, path, value)
  local timeout = read_timeout(ctx, path, checks.get(value, "timeout"))
  local command, lua, given = checks.get(value, "command"), checks.get(value, "lua"), checks.get(value, "settings")
  if command ~= nil and lua ~= nil then
    ctx.report:error(path, "holds both command and lua", "one of them; a list runs several, in order")
  elseif lua ~= nil then
    local run, own_timeout = script.read(ctx, path, lua, given)
    return lua_action(ctx, run, timeout or own_timeout)
  elseif command == nil then
    ctx.report:error(path, "holds neither command nor lua", ALLOWED_ENTRY)
  elseif given ~= nil then
    ctx.report:error(keypath.key(path, "settings"), "settings without lua: a command gets none", ALLOWED_ENTRY)
  else
    return command_action(read_command(ctx, keypath.key(path, "command"), command), timeout)
  end
  return nil
end

local function read_value(ctx, path, value)
  if type(value) == "string" then
    return command_action(read_command(ctx, path, value))
  elseif type(value) == "function" then
    return lua_action(ctx, value)
  elseif checks.is_object(ctx, path, value) then
    return read_entry(ctx, path, value)
  elseif checks.is_list(ctx, path, value) then
    ctx.report:error(path, "a list inside a list",
      'a command line, or {"command": ["program", "argument"]}')
  else
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where a trigger belongs", ALLOWED)
  end
  return nil
end

-- Returns one action, as triggers.check() describes it; nil for null and after an error.
local function read_action(ctx, path, value, default_timeout)
  local action = value ~= jsonc.null and read_value(ctx, path, value)
  if not action then
    return nil
  end
  action.path, action.timeout = path, action.timeout or default_timeout
  return action
end

local function read_event(ctx, path, value, default_timeout)
  local actions = {}
  if not checks.is_list(ctx, path, value) then
    actions[1] = read_action(ctx, path, value, default_timeout)
    return actions
  end
  for index, entry in ipairs(value) do
    actions[#actions + 1] = read_action(ctx, keypath.index(path, index), entry, default_timeout)
  end
  return actions
end

--- Checks the triggers. Entries without a timeout get `default_timeout` (seconds).
-- Returns a map event name -> list of actions, without events that have none; errors
-- are reported. An action is {kind = "command", argv =, timeout =, path =} or
-- {kind = "lua", run = function, timeout =, path =, source = "/file.lua:12"}.
function triggers.check(ctx, value, default_timeout)
  local path = "triggers"
  if value == nil then
    return {}
  elseif not checks.is_object(ctx, path, value) then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where triggers belong",
      settings.allowed(settings.find("triggers")))
    return {}
  end
  checks.keys(ctx, path, value, "triggers.")
  local map = {}
  for _, row in ipairs(settings.below("triggers.")) do
    local event = settings.key(row)
    local given = checks.get(value, event)
    local actions = given ~= nil and read_event(ctx, keypath.key(path, event), given, default_timeout)
    if actions and #actions > 0 then
      map[event] = actions
    end
  end
  return map
end

local function base_name(path)
  return type(path) == "string" and path:match("[^/]+$") or nil
end

-- Returns the first entry whose Lua file has the same name as `file`, and the entry's path; nil: there is none.
local function find_entry(file, value)
  for _, row in ipairs(settings.below("triggers.")) do
    local event = settings.key(row)
    local given = type(value) == "table" and checks.get(value, event) or nil
    local path = keypath.key("triggers", event)
    if type(given) == "table" and base_name(given.lua) == base_name(file) then
      return given, path
    end
    for index, entry in ipairs(type(given) == "table" and given or {}) do
      if type(entry) == "table" and base_name(entry.lua) == base_name(file) then
        return entry, keypath.index(path, index)
      end
    end
  end
end

--- Returns, for `plusmoin run-trigger FILE`, a map in which the Lua file `file` is each event's
-- only trigger. Its settings and timeout are those of the first entry of `value`, the
-- configuration's triggers, whose file has that name.
function triggers.only(ctx, file, value, default_timeout)
  local entry, path = find_entry(file, value)
  path = path or "run-trigger"
  local run, own_timeout = script.read(ctx, path, file, entry and checks.get(entry, "settings"))
  local timeout = entry and read_timeout(ctx, path, checks.get(entry, "timeout"))
  local action = lua_action(ctx, run, timeout or own_timeout or default_timeout)
  local map = {}
  for _, row in ipairs(settings.below("triggers.")) do
    if action then
      action.path = base_name(file)
      map[settings.key(row)] = { action }
    end
  end
  return map
end

return triggers
