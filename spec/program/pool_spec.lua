-- A connection pool before a server, whose sessions are other clients' next: plusmoin says that it is there, and
-- leaves nothing in them. Real PgBouncer and pgpool-II.
local cjson = require "cjson"
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local pgbouncer = require "spec.support.pgbouncer"
local pgpool = require "spec.support.pgpool"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- What PgBouncer would refuse it only ignores here; one server session for all.
local IGNORES = "ignore_startup_parameters = extra_float_digits, options\ndefault_pool_size = 1\n"

-- A server, and a pool of one session of it, in transaction mode.
local function start(settings)
  local master = pg.master()
  local bouncer = pgbouncer.start { settings = settings or IGNORES,
    databases = ("[databases]\nplusmoin = host=127.0.0.1 port=%d\n"):format(master.port) }
  return master, bouncer, { host = "127.0.0.1", port = bouncer.port }
end

-- What another client of the pool gets to see.
local function ask(bouncer, sql)
  return proc.must { "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", tostring(bouncer.port), "-U",
    "plusmoin", "-d", "plusmoin", "-c", sql }
end

-- What somebody has set in the pool's session; of itself PgBouncer sets what psql has sent.
local SET = "SELECT name, setting FROM pg_settings WHERE source = 'session' ORDER BY name"

describe("a connection pool before a server", function()
  after_each(function() scene.finish(pgbouncer.stop_all, pgpool.stop_all) end)

  it("is found by `check`, which leaves nothing in it", function()
    local master, bouncer, node = start()
    local before = ask(bouncer, SET)
    local pid = ask(bouncer, "SELECT pg_backend_pid()")
    local daemon = plusmoin.new { nodes = { node }, config = { query_timeout = 2 } }
    local code, out = daemon:cli("check")
    assert.equal(1, code, out)
    has(out, "PROBLEM: a connection pool lies between", "nodes[].host and port of the server itself")
    has(out, "  master  ")
    assert.equal(pid, ask(bouncer, "SELECT pg_backend_pid()")) -- it had that session
    assert.equal("off\n", ask(bouncer, "SHOW default_transaction_read_only"))
    assert.equal(before, ask(bouncer, SET))
    ask(bouncer, "CREATE TABLE written (i int)")
    daemon.config.is_slave_statement = "SELECT set_config('work_mem', '77kB', false) IS NULL"
    proc.write_file(daemon.config_path, daemon:json())
    code, out = daemon:cli("check")
    assert.equal(1, code)
    has(out, "  master  ")
    assert.equal(before, ask(bouncer, SET)) -- nor what the user's statement sets
    daemon = plusmoin.new { nodes = { master }, config = { query_timeout = 2 } }
    code, out = daemon:cli("check")
    assert.equal(0, code, out)
  end)

  it("that takes no settings at all has its cure, too", function()
    local _, _, node = start("default_pool_size = 1\n")
    local code, out = plusmoin.new({ nodes = { node }, config = { query_timeout = 2 } }):cli("check", "--json")
    assert.equal(1, code, out)
    has(cjson.decode(out).nodes[1].problems[1], "unsupported startup parameter")
  end)

  it("is said once in the daemon's log; beats, a reload and fresh connections leave nothing in it", function()
    local _, bouncer, node = start()
    local before = ask(bouncer, SET)
    local daemon = plusmoin.start { nodes = { node }, config = { fresh_connect_interval = 0.3, query_timeout = 2 } }
    daemon:quiet_rounds(3)
    daemon.config.query_timeout = 3
    daemon:reload()
    daemon:quiet_rounds(3)
    daemon:wait_logged(" error ", "a connection pool lies between", tostring(bouncer.port))
    daemon:stop_and_check()
    local _, lines = daemon:log():gsub("a connection pool lies between", "")
    assert.equal(1, lines, daemon:log())
    assert.equal(before, ask(bouncer, SET))
  end)

  it("keeps nothing of pm.query's", function()
    local master, bouncer = start()
    local before = ask(bouncer, SET)
    local daemon = plusmoin.start { nodes = { master }, nowait = true, lua = ([[
local pm = require "plusmoin"
config.triggers.plusmoin_up = function()
  local pool, options = { host = "127.0.0.1", port = %d }, { user = "plusmoin", dbname = "plusmoin" }
  for _, seconds in ipairs { 2, 4, 1 } do
    options.timeout = seconds
    assert(pm.query(pool, "SELECT 1", nil, options))
    assert(pm.query(pool, "SELECT $1::int", { 1 }, options))
  end
  pm.log.info("to the end")
end
]]):format(bouncer.port) }
    daemon:wait_logged("to the end")
    assert.equal(before, ask(bouncer, SET))
  end)

  it("may be pgpool-II", function()
    local master, slaves = pg.cluster(1)
    -- one process of pgpool's: the second time over a session that it has kept
    local pool = pgpool.start({ master, slaves[1] }, { settings = "num_init_children = 1\n" })
    local daemon = plusmoin.new { nodes = { { host = "127.0.0.1", port = pool.port } }, config = { query_timeout = 2 } }
    for _ = 1, 2 do
      local code, out = daemon:cli("check")
      assert.equal(1, code, out)
      has(out, "PROBLEM: a connection pool lies between")
    end
  end)
end)
