-- Second opinions (P6): plusmoin alone has lost the way to the master, and its slaves say whether they still hear it.
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local scene = require "spec.support.scene"
local wire = require "spec.support.wire"

local ANYBODY = "0.0.0.0/0"
local QUICK = { heartbeat = 0.5, query_timeout = 0.3, retry_interval = 0.2, max_sync_delay = 30 }
local ASKS = "pg_last_wal_receive_lsn" -- in each question to a witness

local function over(settings)
  local config = table.move({}, 1, 0, 1, {})
  for key, value in pairs(QUICK) do
    config[key] = value
  end
  for key, value in pairs(settings or {}) do
    config[key] = value
  end
  return config
end

-- A master and `count` slaves, each a host of its own, and a plusmoin that sees them. Options: settings (plusmoin's),
-- servers (theirs), monitors (its role may read pg_stat_wal_receiver), busy.
local function start(count, options)
  options = options or {}
  machine.need("wire")
  local network = wire.start()
  local master, slaves = pg.cluster(count, { wire = network, settings = options.servers, everywhere = true })
  if options.monitors then
    master:sql("GRANT pg_monitor TO plusmoin")
  end
  if options.busy then
    master:keep_busy()
  end
  local daemon = plusmoin.start { nodes = table.move(slaves, 1, #slaves, 2, { master }),
    config = over(options.settings) }
  for _, slave in ipairs(slaves) do
    daemon:wait_place(slave, "slave 0")
  end
  daemon.taken = #daemon:changes()
  return daemon, network, master, slaves
end

local function cut(network, server)
  network:cut(network.monitor, server.host, "drop")
end

-- How often a server was asked what it hears.
local function asked(server)
  return select(2, server:log():gsub(ASKS, ""))
end

local function unreachable(daemon, master)
  return daemon:expect_events { { "master_unreachable", master, cluster = 0, rule = "P6", reason = "hung" } }
end

local function condition(daemon)
  return daemon:ask({ request = "status" }).clusters[1].master.condition
end

describe("a master that plusmoin alone does not hear", function()
  after_each(function() scene.finish(wire.stop_all) end)

  it("keeps its seat while its slaves hear it, told once; its answer ends that", function()
    local daemon, network, master, slaves = start(2, { busy = true })
    cut(network, master)
    local event = unreachable(daemon, master)
    local witnesses = event.env.PLUSMOIN_WITNESSES
    assert.truthy(witnesses == slaves[1].name .. " " .. slaves[2].name or witnesses == slaves[1].name
      or witnesses == slaves[2].name, witnesses)
    assert.is_nil(event.raw:find("witness", 1, true))
    daemon:quiet(3)
    assert.equal("vouched_for", condition(daemon))
    local _, out = daemon:cli("explain", master.name)
    assert.truthy(out:find("its slaves still hear it", 1, true), out)
    assert.truthy(out:find("P6", 1, true), out)
    network:restore()
    daemon:wait_logged("plusmoin hears the master again", "rule=P6")
    daemon:quiet_rounds(2)
    daemon:wait_place(master, "master 0")
    assert.equal("well", condition(daemon))
    cut(network, master) -- another failure is told anew
    unreachable(daemon, master)
  end)

  it("and that writes nothing is down, as ever", function()
    local daemon, network, master = start(2)
    cut(network, master)
    daemon:expect_events { { "master_down", master, rule = "M2", reason = "hung" } }
    network:restore()
    daemon:expect_events { { "master_up", master } }
  end)

  it("and that writes nothing is vouched for by what pg_monitor may read", function()
    local daemon, network, master, slaves = start(1, { monitors = true, servers = { wal_receiver_timeout = "1s" },
      settings = { query_timeout = 2 } })
    cut(network, master)
    assert.equal(slaves[1].name, unreachable(daemon, master).env.PLUSMOIN_WITNESSES)
    daemon:quiet(5)
  end)

  it("is down as soon as nobody hears it any more", function()
    local daemon, network, master = start(2, { busy = true })
    cut(network, master)
    unreachable(daemon, master)
    daemon:quiet(1)
    network:cut(master.host, ANYBODY, "drop")
    daemon:expect_events { { "master_down", master, rule = "M2" } }
    assert.is_true(daemon:logged("no slave vouches for the master any more"))
  end)

  it("nor anybody else is down when it is anyway", function()
    local daemon, network, master = start(2, { busy = true })
    network:unplug(master.at)
    daemon:expect_events { { "master_down", master, rule = "M2" } }
    daemon:quiet(1)
  end)

  it("is down when its only witness dies", function()
    local daemon, network, master, slaves = start(1, { busy = true })
    cut(network, master)
    unreachable(daemon, master)
    slaves[1]:kill9()
    daemon:expect_any_order { { "slave_down", slaves[1], rule = "S1" }, { "master_down", master, rule = "M2" } }
  end)

  it("gives its seat to a slave that is promoted", function()
    local daemon, network, master, slaves = start(2, { busy = true })
    cut(network, master)
    unreachable(daemon, master)
    slaves[1]:promote()
    daemon:expect_events { { "master_up", slaves[1], rule = "M4", cluster = 0 } }
    daemon:wait_place(master, "lost 0")
  end)

  it("is down without a word of its slaves where second_opinion is off", function()
    local daemon, network, master, slaves = start(2, { busy = true, servers = { log_statement = "all" },
      settings = { second_opinion = false } })
    cut(network, master)
    daemon:expect_events { { "master_down", master, rule = "M2", reason = "hung" } }
    assert.equal(0, asked(slaves[1]))
    network:restore()
    daemon:expect_events { { "master_up", master } }
    daemon.config.second_opinion = true
    daemon:reload()
    cut(network, master)
    unreachable(daemon, master)
    daemon.config.second_opinion = false
    daemon:reload()
    daemon:expect_events { { "master_down", master, rule = "M2" } }
  end)
end)

describe("slaves", function()
  after_each(function() scene.finish(wire.stop_all) end)

  it("are asked nothing in steady state, on a frozen master, nor on a crash", function()
    local daemon, _, master, slaves = start(2, { busy = true, servers = { log_statement = "all" } })
    local before = asked(slaves[1])
    assert.is_true(before <= 2, before) -- as the connection was made
    daemon:quiet_rounds(4)
    assert.equal(before, asked(slaves[1]))
    master:freeze()
    daemon:expect_events { { "master_down", master, rule = "M2", reason = "hung" } }
    assert.equal(before, asked(slaves[1]))
    master:thaw()
    daemon:expect_events { { "master_up", master } }
    master:kill9()
    daemon:expect_events { { "master_down", master, rule = "M2", reason = "refused" } }
    assert.equal(before, asked(slaves[1]))
    assert.equal("", slaves[1]:complaints())
  end)
end)
