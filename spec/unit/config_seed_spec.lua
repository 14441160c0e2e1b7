-- The example configuration of the 2015 daemon's README, verbatim: it must load.
local config = require "plusmoin.config"

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

  it("never raises on mutations of it", function()
    local number = tonumber(os.getenv("SEED")) or os.time()
    print("mutations: SEED=" .. number)
    math.randomseed(number)
    local bits = {
      "{", "}", "[", "]", ",", ":", '"', "null", "1e400", "NaN", "0x1", "\0", "\255", "/*", "//", "\\", "-",
    }
    for _ = 1, 400 do
      local text = EXAMPLE
      for _ = 1, math.random(3) do
        local at = math.random(#text)
        local bit = bits[math.random(#bits)]
        text = text:sub(1, at - 1) .. bit .. text:sub(at + math.random(0, 6))
      end
      local ok, result = pcall(load_text, text)
      assert.is_true(ok, tostring(result))
      assert.is_true((result.config ~= nil) == (#result.errors == 0))
      for _, line in ipairs(result.errors) do
        assert.is_nil(line:find("loader failed", 1, true), line)
      end
    end
  end)
end)
