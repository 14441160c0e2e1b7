--- The matrix's rows of a master and a slave by logical replication (spec/support/faults.lua): the slave is a master of
-- its own that subscribes to the beats' table, and tells itself apart by is_slave_statement.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"

local WORKERS = { wal_level = "logical", max_worker_processes = 8, max_logical_replication_workers = 4 }
local TABLE = "SET ROLE plusmoin; CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT)"
local IS_SLAVE = "SELECT EXISTS (SELECT FROM pg_stat_subscription WHERE subname = 'beats')"
local LATE = { max_sync_delay = 1.5, recover_sync_delay = 1.5 }

local function pair(settings)
  local master, slave = pg.master { settings = WORKERS }, pg.master { settings = WORKERS, family = 2 }
  for _, server in ipairs { master, slave } do
    server:sql(TABLE, "plusmoin")
  end
  master:sql("CREATE PUBLICATION beats FOR TABLE heartbeat", "plusmoin")
  slave:sql(("CREATE SUBSCRIPTION beats CONNECTION 'host=%s port=%d user=postgres dbname=plusmoin' PUBLICATION beats")
    :format(master.host, master.port), "plusmoin")
  proc.wait_for("the subscription", 20, function()
    local state = slave:sql("SELECT string_agg(srsubstate::text, '') FROM pg_subscription_rel", "plusmoin")[1][1]
    return state == "r"
  end, function() return slave:log() end)
  settings.is_slave_statement = IS_SLAVE
  return { id = 0, master = master, slaves = { slave }, servers = { master, slave },
    daemon = plusmoin.start { nodes = { master, slave }, config = settings } }
end

local function subscription(act)
  return function(server)
    server:sql("ALTER SUBSCRIPTION beats " .. act, "plusmoin")
  end
end

return {
  { name = "logical replication: nothing happens", whole = true, cell = pair, rounds = 6, strike = function() end },
  { name = "logical replication: kill -9 of all", cell = pair, strike = function(server) server:kill9() end,
    mend = function(server) server:start() end, down = true },
  { name = "logical replication: subscription disabled", only = "slave", why = "a master subscribes to nothing",
    cell = pair, settings = LATE, strike = subscription "DISABLE", mend = subscription "ENABLE", down = "lag",
    rule = "S2" },
}
