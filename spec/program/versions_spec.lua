-- Servers of each version of PostgreSQL: what plusmoin says of them must not depend on theirs. The rows of the
-- matrix in which versions differ, or might: how a server ends, lets nobody in, is promoted, follows another;
-- and the start, the beats, `check` and `init-sql`. tests/tools/versions.sh runs it on 10 to 18.
local cjson = require "cjson"
local faults = require "spec.support.faults"
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local trial = require "spec.support.trial"

local VERSION = pg.version()

-- Rows of the matrix, by name: whom they befall.
local BOTH, MASTER, SLAVE = { "master", "slave" }, { "master" }, { "slave" }
local ROWS = {
  ["kill -9 of all"] = BOTH,
  ["kill -9 of the postmaster alone"] = BOTH,
  ["kill -9 of a backend of ours"] = BOTH,
  ["SIGSTOP of all"] = BOTH,
  ["SIGSTOP of the postmaster alone"] = MASTER,
  ["fast stop"] = BOTH,
  ["smart stop"] = BOTH,
  ["immediate stop"] = BOTH,
  ["restart within the grace"] = BOTH,
  ["immediate restart within the grace"] = BOTH,
  ["our session terminated"] = BOTH,
  ["crash recovery within the grace"] = MASTER,
  ["crash recovery past the grace"] = SLAVE,
  ["slots full"] = BOTH,
  ["password changed"] = MASTER,
  ["pg_hba refuses"] = SLAVE,
  ["database closed"] = MASTER,
  ["default_transaction_read_only"] = MASTER,
  ["beat table dropped"] = MASTER,
  ["beat table without privilege"] = MASTER,
  ["beat table in a publication for all tables"] = MASTER,
  ["replay paused"] = SLAVE,
  ["promoted beside its master"] = SLAVE,
  ["demoted"] = MASTER,
  ["re-pointed to the other slave"] = SLAVE,
  ["switchover within the grace"] = MASTER,
  ["logical replication: kill -9 of all"] = MASTER,
  ["logical replication: subscription disabled"] = SLAVE,
}

local TARGETS = {
  master = function(cell) return { cell.master } end,
  slave = function(cell) return { cell.slaves[1] } end,
}

-- Where a slave takes a new master by a restart only, that restart has its grace.
local function row_of_this_version(row)
  local own = setmetatable({}, { __index = row })
  if VERSION < 13 and row.name == "re-pointed to the other slave" then
    own.settings = { restart_grace = 10 }
  end
  return own
end

local function beats(server)
  return tonumber(server:sql("SELECT max(tstamp) FROM heartbeat", "plusmoin")[1][1])
end

describe("PostgreSQL " .. VERSION .. " #versions", function()
  after_each(scene.finish)

  it("a master and two slaves are found, their version is told, and beats reach the slaves", function()
    local daemon, master, slaves = scene.start()
    local up = daemon:changes()[1].data
    assert.equal(master.port, up.master.port)
    assert.equal(2, #up.slaves)
    local servers = { master, slaves[1], slaves[2] }
    for i, server in ipairs(servers) do
      daemon:wait_place(server, i == 1 and "master 0" or "slave 0")
      assert.equal(VERSION, tonumber(server:sql("SHOW server_version_num")[1][1]) // 10000)
    end
    local cluster = daemon:ask({ request = "status" }).clusters[1]
    for _, node in ipairs { cluster.master, table.unpack(cluster.slaves) } do
      assert.equal(VERSION, node.server_version // 10000)
    end
    local before = beats(master)
    daemon:quiet_rounds(3)
    for _, server in ipairs(servers) do
      proc.wait_for("a beat at " .. server.name, 5, function() return beats(server) > before end)
      assert.equal("", server:complaints())
    end
  end)

  local left = {}
  for name in pairs(ROWS) do
    left[name] = true
  end
  for _, row in ipairs(faults.rows) do
    for _, role in ipairs(ROWS[row.name] or {}) do
      left[row.name] = nil
      it(row.name .. ", " .. role, function()
        local own = row_of_this_version(row)
        local cell = trial.one_cluster(own, TARGETS[role])
        local targets = TARGETS[role](cell)
        local _, struck = trial.strike(cell, own, targets)
        trial.mend(cell, own, targets, struck)
      end)
    end
  end
  assert(not next(left), ("the matrix has no row %s"):format(next(left)))

  it("a slave is promoted in an empty seat, the other follows, the old master returns as its slave", function()
    local daemon, master, slaves = scene.start { config = { restart_grace = 3 } }
    master:kill9()
    daemon:expect_events { { "master_down", master, cluster = 0, rule = "M2" } }
    slaves[1]:promote()
    local up = daemon:expect_events { { "master_up", slaves[1], cluster = 0, rule = "M4" } }
    assert.equal(slaves[2].port, up.data.slaves[1].port)
    slaves[2]:repoint(slaves[1])
    daemon:quiet_rounds(2)
    master:rewind_as_slave_of(slaves[1])
    local back = daemon:expect_events { { "slave_up", master, cluster = 0, rule = "L4" } }
    assert.equal(slaves[1].name, back.data.trigger.master_name)
    daemon:quiet_rounds(2)
    daemon:wait_place(slaves[1], "master 0")
    daemon:wait_place(slaves[2], "slave 0")
    daemon:wait_place(master, "slave 0")
  end)

  it("a switchover: the old master is a slave of the new one, just as it was stopped", function()
    local daemon, master, slaves = scene.start { config = { restart_grace = 10 } }
    master:stop("fast")
    slaves[1]:promote()
    daemon:expect_events { { "master_up", slaves[1], cluster = 0, rule = "M4" } }
    slaves[2]:repoint(slaves[1])
    master.upstream = slaves[1]
    master:start()
    daemon:expect_events { { "slave_up", master, cluster = 0, rule = "L4" } }
    daemon:quiet_rounds(2)
    for _, server in ipairs { master, slaves[2] } do
      daemon:wait_place(server, "slave 0")
    end
    daemon:wait_place(slaves[1], "master 0")
  end)

  it("`check` tells roles, versions and who may write, and the cures that it prints are cures", function()
    local master, slaves = pg.cluster(1)
    master:sql("CREATE ROLE reader LOGIN; ALTER ROLE reader SET default_transaction_read_only = on")
    local daemon = plusmoin.new { nodes = { master, slaves[1] }, config = { user = "reader", query_timeout = 2 } }
    local code, out = daemon:cli("check")
    assert.equal(1, code, out)
    has(out, "transactions are read-only")
    for sql in out:gmatch("\n    in database plusmoin: ([^\n]+)") do
      master:sql(sql, "plusmoin")
    end
    proc.wait_for("a check that is content", 10, function()
      code, out = daemon:cli("check")
      return code == 0
    end, function() return out end)
    has(out, "All will work.", ("  %d."):format(VERSION))
    local _, json = daemon:cli("check", "--json")
    local result = cjson.decode(json)
    for i, role in ipairs { "master", "slave" } do
      local node = result.nodes[i]
      assert.same({ true, role, true, VERSION },
        { node.reached, node.role, node.can_beat, node.server_version // 10000 })
    end
    daemon:start() -- and it is true
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    proc.wait_for("a beat", 10, function()
      local is_there, beat = pcall(beats, slaves[1])
      return is_there and beat
    end)
    daemon:quiet_rounds(2)
  end)

  it("`init-sql` prepares a fresh server for a login by SCRAM, and `check` says what mends a password", function()
    local master = pg.master { family = 2 }
    master:sql("DROP DATABASE plusmoin")
    master:sql("DROP ROLE plusmoin")
    local daemon = plusmoin.new { nodes = { master }, config = { password = "it's secret", query_timeout = 2 } }
    local code, sql, err = daemon:cli("init-sql")
    assert.equal(0, code, err)
    master:let_in("scram-sha-256")
    for _ = 1, 2 do -- the second time harms nobody
      proc.must({ "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", tostring(master.port), "-U",
        "postgres", "-d", "postgres" }, { stdin = sql })
    end
    local out
    code, out = daemon:cli("check")
    assert.equal(0, code, out)
    master:sql("ALTER ROLE plusmoin PASSWORD 'of before'")
    code, out = daemon:cli("check")
    assert.equal(1, code, out)
    master:sql((out:match("; and the password: ([^\n]+)"):gsub("'%.%.%.'", "'it''s secret'")))
    code, out = daemon:cli("check")
    assert.equal(0, code, out)
    daemon:start()
    daemon:expect_events { { "plusmoin_up", cluster = 0 } }
    daemon:quiet_rounds(2)
  end)
end)
