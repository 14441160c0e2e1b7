--- `triggers`: what runs on which event.
--
-- An event's value is a command line, an entry {command =, timeout =}, or a list
-- of these, run in order; null is nothing. Lua triggers come later and are
-- refused in words until then.
local checks = require "plusmoin.config.checks"
local jsonc = require "plusmoin.jsonc"
local keypath = require "plusmoin.keypath"
local settings = require "plusmoin.settings"
local words = require "plusmoin.words"

local triggers = {}

local COMMAND = settings.find("triggers.X.command")
local ALLOWED = settings.allowed(settings.find("triggers.master_up"))
local LATER = "comes with a later version of plusmoin"

-- No shell sees a command; a line that needs one gets a warning.
local function warn_of_shell(ctx, path, line)
  local found = words.shell_syntax(line)
  if found then
    ctx.report:warning(path, ("no shell runs this: %s is passed on as it stands; for a shell write sh -c '...'")
      :format(keypath.quote(found)))
  end
end

-- A program with a path that is not there; relative ones start at / (contract).
local function warn_of_missing(ctx, path, program)
  if not ctx.env.exists or not program:find("/", 1, true) then
    return
  end
  local absolute = program:sub(1, 1) == "/" and program or "/" .. program
  if not ctx.env.exists(absolute) then
    ctx.report:warning(path, "no such program: " .. keypath.quote(absolute))
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
    warn_of_missing(ctx, path, argv[1])
  end
  return argv
end

local function read_entry(ctx, path, value)
  checks.keys(ctx, path, value, "triggers.X.")
  local timeout = checks.get(value, "timeout")
  if timeout ~= nil then
    timeout = checks.value(ctx, keypath.key(path, "timeout"), timeout, settings.find("triggers.X.timeout"))
  end
  local command, own = checks.get(value, "command"), keypath.key(path, "command")
  if command == nil then
    if checks.get(value, "lua") == nil then
      ctx.report:error(own, "is missing", settings.allowed(COMMAND))
    end
    return nil
  end
  return read_command(ctx, own, command), timeout
end

-- One action in the loader's shape; nil for null and after an error.
local function read_action(ctx, path, value, default_timeout)
  local argv, timeout
  if value == jsonc.null then
    return nil
  elseif type(value) == "string" then
    argv = read_command(ctx, path, value)
  elseif type(value) == "function" then
    ctx.report:error(path, "a Lua function as a trigger " .. LATER, ALLOWED)
  elseif checks.is_object(ctx, path, value) then
    argv, timeout = read_entry(ctx, path, value)
  elseif checks.is_list(ctx, path, value) then
    ctx.report:error(path, "a list inside a list",
      'a command line, or {"command": ["program", "argument"]}')
  else
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where a trigger belongs", ALLOWED)
  end
  return argv and { kind = "command", argv = argv, timeout = timeout or default_timeout, path = path }
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

--- Checks the triggers. `default_timeout` (s) is what entries without their own
-- get. Returns a map event name -> list of actions {kind = "command", argv =,
-- timeout =, path =}, for events that have some; what is wrong is reported.
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

return triggers
