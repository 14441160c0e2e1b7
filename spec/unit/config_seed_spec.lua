-- The example configuration of the 2015 daemon's README, verbatim: it must load; and
-- mutations of it and of other good files, which must never break the loader.
local config = require "plusmoin.config"

local package_path = package.path

after_each(function()
  package.path = package_path
end)

local EXAMPLE = [==[
/**
 * Plusmoin configuration. This is a JSON files with comments.
 */
{
  // The name of the database used to store the plusmoin heartbeat table.
  // Must be the same accross all clusters. Required (no default)
  "dbname": "plusmoin",

  // The username to log on to the database server. Must have write access
  // to the plusmoin database. Required (no default)
  "user": "plusmoin",

  // The username to log on to the database server. Must have write access
  // to the plusmoin database. Required (no default)
  "password": "nothing",

  // How often Plusmoin wakes up to perform tests and run triggers, in
  // seconds. Default: 60
  "heartbeat": 60,

  // The maximum acceptable delay between a master and a slave, in seconds.
  // If the delay is longer than this, the slave is assumed to be down.
  // Default: 120
  "max_sync_delay": 120,

  // The maximum acceptable delay to bring a slave back up, in seconds.
  // Having this different from "sync_delay" ensures that nodes that are
  // around the limit won't constantly go up and down. Default: 60
  "recover_sync_delay": 60,

  // List of nodes to manage. Each entry in the list is a dictionary of the
  // form: {"host": "example.com", "port": 5432}. Each entry must be unique.
  // Default: []
  "nodes": [],

  // List of triggers to run, as a dict of trigger name to shell command.
  // Triggers can be ommited or set to None. Defaults to {}
  "triggers": {
    "plusmoin_up": null,
    "plusmoin_heartbeat": null,
    "master_up": null,
    "master_down": null,
    "slave_up": null,
    "slave_down": null
  },

  // Timeout for trigger commands, in seconds. Defaults to 60.
  "trigger_timeout": 60,

  // Log file. Defaults to '/var/log/plusmoin/plusmoin.log'. Ensure that the
  // directory exists and is writeable by the plusmoin daemon user.
  "log_file": "/var/log/plusmoin/plusmoin.log",

  // Log level, one of 'error', 'info' and 'debug'. Defaults to 'error'
  "log_level": "error",

  // User the daemon should run as. Defaults to 'nobody'
  "daemon_user": "nobody",

  // Pid file where the PID is stored. Defaults to
  // '/var/run/plusmoin/plusmoin.pid'. Ensure that the directory exists and is
  // writeable by the plusmoin daemon user.
  "pid_file": "/var/run/plusmoin/plusmoin.pid",

  // File where the running status is stored, as a json objects. Defaults to
  // '/var/run/plusmoin/status.json'. Ensure that the directory exists and is
  // writeable by the plusmoin daemon user.
  "status_file": "/var/run/plusmoin/status.json",

  // Connection timeout for databases, in seconds, Default: 60
  "connect_timeout": 60,

  // SQL statement which should return TRUE if the node on which it is run is
  // a slave. Defaults to "SELECT pg_is_in_recovery()"
  "is_slave_statement": "SELECT pg_is_in_recovery()"
}
]==]

local function load_text(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local result = config.load(path, { cwd = "/" })
  os.remove(path)
  return result
end

describe("the seed's example configuration", function()
  it("loads without error", function()
    local result = load_text(EXAMPLE)
    assert.same({}, result.errors)
    assert.equal(60, result.config.heartbeat)
    assert.equal(120, result.config.max_sync_delay)
    assert.equal("error", result.config.log_level)
    assert.equal("nobody", result.files.daemon_user)
    assert.same({ "nothing" }, result.config.secrets)
    assert.same({}, result.config.triggers)
  end)
end)

local TRIGGER_FILE = [==[
local settings = ...
local list = { settings.to, #settings, "text" }
return { run = function() return list end, timeout = 2.5 }
]==]

-- Good configurations: SCRIPT is the place of the trigger file, whose text is the
-- last sample.
local SAMPLES = {
  EXAMPLE,
  [==[
{
  "dbname": "d", "user": "u", "nodes": [{"host": "a", "port": 5432}],
  "lua": {"path": "lib/?.lua", "memory_limit": 64, "patience": 60}, // Lua's
  "triggers": {
    "master_up": [
      "a 'b c'", {"lua": "SCRIPT", "settings": {"to": ["x", 5, null], "deep": {"a": true}}, "timeout": 3},
      {"command": ["x", ""], "timeout": 5}
    ],
    "slave_down": {"lua": "SCRIPT"}
  }
}
]==],
  [==[
return {
  dbname = "d", user = "u", nodes = { { host = "a", port = 5432 } }, lua = { path = "lib/?.lua" },
  triggers = {
    master_up = { "a 'b c'", function(event) return event end, { lua = "SCRIPT", settings = { to = { "x", 5 } } } },
    slave_down = { lua = "SCRIPT", timeout = 3 },
  },
}
]==],
  TRIGGER_FILE,
}

local BITS = {
  "{", "}", "[", "]", ",", ":", '"', "null", "1e400", "NaN", "0x1", "\0", "\255", "/*", "//", "\\", "-",
  "nil", "(", ")", "end", "...", "--", "=", "'",
}

local function mutate(text)
  for _ = 1, math.random(3) do
    local at = math.random(#text)
    local bit = BITS[math.random(#BITS)]
    text = text:sub(1, at - 1) .. bit .. text:sub(at + math.random(0, 6))
  end
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

describe("mutations of good files", function()
  local script, json, lua

  before_each(function()
    script, json = os.tmpname(), os.tmpname()
    lua = json .. ".lua"
  end)

  after_each(function()
    for _, path in ipairs { script, json, lua } do
      os.remove(path)
    end
  end)

  -- Loads a sample: a configuration with the good trigger file, or a trigger file
  -- in a good configuration.
  local function load_sample(index, text)
    local path = index == 3 and lua or json
    write(script, index == 4 and text or TRIGGER_FILE)
    write(path, index == 4 and SAMPLES[2]:gsub("SCRIPT", script) or text:gsub("SCRIPT", script))
    return config.load(path, { cwd = "/", trigger_dir = "/nonexistent" })
  end

  it("are made of files that load", function()
    for index, text in ipairs(SAMPLES) do
      assert.same({}, load_sample(index, text).errors)
    end
  end)

  it("never raise", function()
    local number = tonumber(os.getenv("SEED")) or os.time()
    print("mutations: SEED=" .. number)
    math.randomseed(number)
    for count = 1, 1000 do
      local index = count % #SAMPLES + 1
      local ok, result = pcall(load_sample, index, mutate(SAMPLES[index]))
      assert.is_true(ok, tostring(result))
      assert.is_true((result.config ~= nil) == (#result.errors == 0))
      for _, line in ipairs(result.errors) do
        assert.is_nil(line:find("loader failed", 1, true), line)
        assert.is_nil(line:find("\n", 1, true), line)
      end
    end
  end)
end)
