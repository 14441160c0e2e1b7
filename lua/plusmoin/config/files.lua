--- Reads the five keys that the daemon needs even when the rest of the file is bad:
-- daemon_user, pid_file, status_file, log_file, control_socket (contract, "Privileges
-- and files").
local checks = require "plusmoin.config.checks"
local nearest = require "plusmoin.nearest"
local settings = require "plusmoin.settings"

local files = {}

-- sun_path holds 108 bytes with its NUL.
local MAX_SOCKET = 107
local SOCKET_NAME = "plusmoin.sock"

local function beside(path)
  return path:gsub("[^/]*$", "") .. SOCKET_NAME
end

-- Sets the control socket to its default, beside the pid file, where the file gives none, and checks its length.
local function settle_socket(ctx, found)
  local origin = found.control_socket and "" or " (the default, beside pid_file)"
  found.control_socket = found.control_socket or beside(found.pid_file)
  local length = #found.control_socket
  if length > MAX_SOCKET then
    ctx.report:error("control_socket", ("its path has %d bytes%s"):format(length, origin),
      ("at most %d bytes"):format(MAX_SOCKET))
  end
end

local function read_one(ctx, object, key)
  local given = checks.get(object, key)
  if given == nil then
    return nil
  end
  return checks.value(ctx, key, given, settings.find(key))
end

-- Reports two keys that name one path, because plusmoin would write one file over the other.
local function check_distinct(ctx, found, state_file)
  local seen = {}
  if type(state_file) == "string" then
    seen[checks.absolute(ctx, state_file)] = "state_file"
  end
  for _, key in ipairs { "pid_file", "status_file", "log_file", "control_socket" } do
    local other = seen[found[key]]
    if other then
      ctx.report:error(key, "the same file as " .. other, "a file of its own")
    end
    seen[found[key]] = other or key
  end
end

-- Whether an unknown key looks like one of the five: that one then has its default instead of the value meant.
local function was_misspelt(ctx)
  for _, name in ipairs(ctx.unknown) do
    local _, is_near = nearest.find(name, settings.early)
    if is_near then
      return true
    end
  end
  return false
end

--- Reads the five keys from `object`, the top level of a configuration as far as it
-- could be read, and reports errors. `complete` is true when a key that is missing in
-- `object` is missing in the file, too. Returns a table of five strings, paths absolute;
-- `defaulted` is true when the default of a key may stand for a value that was not read.
function files.read(ctx, object, complete)
  local found, guessed = {}, not complete
  for _, key in ipairs(settings.early) do
    local given = checks.get(object, key)
    found[key] = read_one(ctx, object, key)
    if given ~= nil and found[key] == nil then
      guessed = true
    end
    found[key] = found[key] or settings.find(key).default
  end
  settle_socket(ctx, found)
  check_distinct(ctx, found, checks.get(object, "state_file"))
  found.defaulted = (guessed or was_misspelt(ctx)) and true or nil
  return found
end

return files
