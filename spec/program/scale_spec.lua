-- A thousand nodes at once (SCALE_CLUSTERS=500: five thousand, in `make test-long`): a start over the rows of another
-- monitor, and a reload that changes all their logins.
local hang = require "spec.support.hang"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"

-- A sanitizer takes more than the ten seconds that a configuration has to load thousands of nodes.
local SANITIZED = (os.getenv("PLUSMOIN_BIN") or ""):find("san/")
local CLUSTERS, SIZE = tonumber(os.getenv("SCALE_CLUSTERS") or SANITIZED and "50" or "100"), 10
local NODES = CLUSTERS * SIZE
local SECONDS = 60

-- A request that costs the daemon nothing: its answer tells when the loop turned.
local NOTHING = { request = "nothing" }
local EVENTS = { "plusmoin_up", "cluster_created", "master_down", "master_up", "slave_down", "slave_up", "node_held" }
local NOTE = 'local pm = require "plusmoin"\nreturn function(event) pm.log.info("fired %s", event.name) end\n'

-- How often each event's function has run.
local function fired(daemon)
  local counts = {}
  for name in daemon:log():gmatch("fired ([%w_]+)") do
    counts[name] = (counts[name] or 0) + 1
  end
  return counts
end

describe("thousands of nodes", function()
  after_each(function() scene.finish(standin.stop_all) end)

  it("start over another monitor's rows, and are reloaded, without an event or a loop that is held", function()
    local stand, triggers = standin.start(), {}
    local nodes = stand:clusters("c", CLUSTERS, SIZE, "127.24.0.1")
    stand:play "* row other."
    for _, name in ipairs(EVENTS) do
      triggers[name] = { lua = "note.lua" }
    end
    local daemon = plusmoin.start { nodes = nodes, nowait = true, triggers = triggers, files = { ["note.lua"] = NOTE },
      config = { heartbeat = 2, query_timeout = 10, connect_timeout = 20, retry_interval = 1, log_level = "info" } }
    -- what the configuration takes to load is no matter of the loop's
    proc.wait_for("the loop", SECONDS, function() return daemon:status_file() end,
      function() return daemon:diagnose() end)
    local started = hang.lateness(daemon, SECONDS, function()
      return (fired(daemon).plusmoin_up or 0) == CLUSTERS
    end, NOTHING)
    assert.same({ plusmoin_up = CLUSTERS }, fired(daemon))

    daemon.config.password = "another"
    proc.write_file(daemon.config_path, daemon:json())
    daemon.process:kill("sighup")
    local reloaded = hang.lateness(daemon, SECONDS, function() return stand:total("*").logins >= 2 * NODES end, NOTHING)
    proc.wait_for("an end of all old sessions", SECONDS, function() return stand:total("*").sessions == NODES end,
      function() return daemon:diagnose() end)
    assert.same({ plusmoin_up = CLUSTERS }, fired(daemon))
    assert.is_true(math.max(started, reloaded) <= 5 * hang.LATE_MS, ("%.0f ms, %.0f ms"):format(started, reloaded))
  end)
end)
