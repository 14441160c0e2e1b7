-- A publication that has every table that is made: the beats' table is not made there, since a subscriber that lacks
-- it stops.
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local TABLE = "SET ROLE plusmoin; CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT)"
local LOGICAL = { wal_level = "logical", max_worker_processes = 8, max_logical_replication_workers = 4 }

-- A publisher of `what` and its subscriber, both with a table `t`; a function that waits until a row of it has come.
local function pair(what)
  local publisher, subscriber = pg.master { settings = LOGICAL }, pg.master { settings = LOGICAL, family = 2 }
  for _, server in ipairs { publisher, subscriber } do
    server:sql("CREATE TABLE t (i INT PRIMARY KEY)", "plusmoin")
  end
  publisher:sql("CREATE PUBLICATION everything FOR " .. what, "plusmoin")
  subscriber:sql(("CREATE SUBSCRIPTION everything CONNECTION 'host=%s port=%d user=postgres dbname=plusmoin' "
    .. "PUBLICATION everything"):format(publisher.host, publisher.port), "plusmoin")
  local rows = 0
  return publisher, subscriber, function()
    rows = rows + 1
    publisher:sql(("INSERT INTO t VALUES (%d)"):format(rows), "plusmoin")
    proc.wait_for("row " .. rows, 30, function()
      return #subscriber:sql("SELECT 1 FROM t WHERE i = " .. rows, "plusmoin") > 0
    end, function() return subscriber:log() end)
  end
end

local function has_table(server)
  return server:sql("SELECT to_regclass('heartbeat') IS NOT NULL", "plusmoin")[1][1] == "t"
end

local function wait_why(daemon)
  local node
  daemon:wait_status("the node", function(status) return #status.clusterless + #status.clusters > 0 end, 20)
  proc.wait_for("why", 20, function()
    local status = daemon:ask({ request = "status" })
    node = status.clusterless[1] or status.clusters[1] and status.clusters[1].master or {}
    return node.reason == "table"
  end, function() return daemon:diagnose() end)
  has(node.message, "publication everything", "make it on the subscribers, then here")
end

describe("a publication that has every new table", function()
  after_each(scene.finish)

  it("gets no table of beats: check says it before, the node says why, the subscriber goes on", function()
    local publisher, subscriber, replicate = pair "ALL TABLES"
    local daemon = plusmoin.new { nodes = { publisher } }
    replicate()
    local code, out = daemon:cli("check")
    assert.equal(1, code, out)
    has(out, "PROBLEM", "table heartbeat is missing", 'publication "everything"', "on each subscriber, and then here")
    daemon:start()
    wait_why(daemon)
    assert.is_false(has_table(publisher))
    replicate()
    subscriber:sql(TABLE, "plusmoin")
    subscriber:sql("ALTER SUBSCRIPTION everything REFRESH PUBLICATION", "plusmoin")
    publisher:sql(TABLE, "plusmoin")
    daemon:expect_events { { "cluster_created", publisher, cluster = 0 } }
    daemon:quiet_rounds(2)
    replicate()
    publisher:sql("DROP TABLE heartbeat", "plusmoin")
    wait_why(daemon)
    assert.is_false(has_table(publisher))
    replicate()
  end)

  it("may be of a schema's tables, and one of deleted rows alone counts, one of nothing does not", function()
    local server = pg.master { settings = LOGICAL }
    server:sql("CREATE PUBLICATION everything FOR TABLES IN SCHEMA public WITH (publish = 'delete')", "plusmoin")
    local daemon = plusmoin.start { nodes = { server }, nowait = true }
    wait_why(daemon)
    assert.is_false(has_table(server))
    server:sql("ALTER PUBLICATION everything SET (publish = 'truncate')", "plusmoin")
    daemon:expect_events { { "cluster_created", server, cluster = 0 } }
    assert.is_true(has_table(server))
  end)
end)
