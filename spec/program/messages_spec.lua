-- Servers that speak another language: classes come from SQLSTATE, never from words.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- A directory with the German locale, which no package brings ready made.
local function german()
  local dir = proc.new_dir("locale")
  proc.run({ "localedef", "-i", "de_DE", "-f", "UTF-8", dir .. "/de_DE.UTF-8" }) -- warnings are a status of 1
  assert(proc.uv.fs_stat(dir .. "/de_DE.UTF-8/LC_MESSAGES"), "localedef made no locale")
  return dir
end

describe("a server that speaks German", function()
  after_each(scene.finish)

  it("is understood: held, going, down", function()
    local master = pg.master { settings = { lc_messages = "de_DE.UTF-8" }, env = { LOCPATH = german() } }
    local daemon = plusmoin.start { nodes = { master }, config = { heartbeat = 0.5, fresh_connect_interval = 0.3,
      restart_grace = 3 } }
    local function free()
      proc.wait_for("the end of the hold", 20, function()
        local _, held = daemon:log():gsub("held in its place", "")
        local _, ended = daemon:log():gsub("no longer held", "")
        return held == ended
      end, function() return daemon:diagnose() end)
    end
    master:sql("ALTER ROLE plusmoin CONNECTION LIMIT 1")
    daemon:expect_events { { "node_held", master, reason = "full" } }
    daemon:wait_logged("held in its place", "zu viele Verbindungen")
    master:sql("ALTER ROLE plusmoin CONNECTION LIMIT -1")
    free()
    master:sql("ALTER DATABASE plusmoin ALLOW_CONNECTIONS false")
    daemon:expect_events { { "node_held", master, reason = "no_database" } }
    master:sql("ALTER DATABASE plusmoin ALLOW_CONNECTIONS true")
    free()
    master:sql("ALTER ROLE plusmoin NOLOGIN")
    daemon:expect_events { { "node_held", master, reason = "auth" } }
    master:sql("ALTER ROLE plusmoin LOGIN")
    free()
    master:restart("fast") -- within the grace
    daemon:quiet_rounds(3)
    master:sql("ALTER TABLE heartbeat OWNER TO postgres; REVOKE ALL ON heartbeat FROM plusmoin", "plusmoin")
    daemon:expect_events { { "node_held", master, reason = "table" } }
  end)

  -- 57P03 is both; the words that tell are German: it stops if it was at work until now.
  it("is understood: stopping or starting", function()
    local german_words = { settings = { lc_messages = "de_DE.UTF-8" }, env = { LOCPATH = german() } }
    local master = pg.master(german_words)
    local cold = master:standby { settings = { lc_messages = "de_DE.UTF-8", hot_standby = "off" },
      env = german_words.env, nowait = true }
    local daemon = plusmoin.start { nodes = { master, cold }, config = { fresh_connect_interval = 0.3,
      restart_grace = 1 } }
    proc.wait_for("a word of the standby", 10, function()
      local node = daemon:ask({ request = "status" }).clusterless[1]
      return node.reason == "starting" and node.message:find("Datenbanksystem", 1, true)
    end, function() return daemon:diagnose() end)
    local session = proc.spawn({ "psql", "-XAtq", "-h", master.host, "-p", tostring(master.port), "-U", "postgres",
      "-c", "SELECT pg_sleep(600)" }, { output = "/dev/null" })
    proc.wait_for("a session", 10, function()
      return #master:sql("SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'") > 0
    end)
    master:stop("smart", { nowait = true })
    daemon:expect_events { { "master_down", master, rule = "M2", reason = "shutting_down" } }
    daemon:wait_logged("master_down", "fährt herunter")
    session:kill()
    master:stop("fast")
    master:start()
    daemon:expect_events { { "master_up", master, rule = "M4" } }
  end)
end)
