-- pm.query: SQL from a trigger, against real servers, dead names and silent sockets.
local cjson = require "cjson"
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"
local quiet_peer = require "spec.support.peer"
local say = require("spec.support.said").say
local scene = require "spec.support.scene"

-- Waits until no session of a trigger's is left on the server.
local function no_session_left(server)
  proc.wait_for("the trigger's sessions to end", 20, function()
    return server:sql("SELECT count(*) FROM pg_stat_activity WHERE query ~ 'of_a_trigger'"
      .. " AND pid <> pg_backend_pid()")[1][1] == "0"
  end)
end

describe("pm.query", function()
  after_each(scene.finish)

  it("returns rows with Lua's types #core", function()
    local said = say [[
      local rows = assert(pm.query(event.master, "SELECT 1::int2 a, -2 b, 9007199254740993 c, 1.5::float8 d,"
        .. " 1.25 e, 12345678901234567890 f, true g, false h, NULL i, 'x y' j, '{\"k\": 1}'::json k, 'NaN'::float8 l,"
        .. " 'ü' m, '\\x00ff'::bytea o, 7::oid p, '-Infinity'::float8 q, 2.0::numeric r"))
      local row = rows[1]
      local types = {}
      for key, value in pairs(row) do
        types[key] = math.type(value) or type(value)
      end
      local nan, infinite = row.l ~= row.l, row.q == -math.huge
      row.l, row.q = nil, nil
      local big = tostring(row.c)
      row.c = nil -- JSON would round it
      return rows.n, #rows, rows.command, row, types, nan, infinite, big
    ]]
    assert.same({ 1, 1, "SELECT 1" }, { said[1], said[2], said[3] })
    assert.same({ a = 1, b = -2, d = 1.5, e = 1.25, f = "12345678901234567890", g = true,
      h = false, j = "x y", k = '{"k": 1}', m = "ü", o = "\\x00ff", p = 7, r = 2 }, said[4])
    assert.same({ a = "integer", b = "integer", c = "integer", d = "float", e = "float", f = "string", g = "boolean",
      h = "boolean", j = "string", k = "string", l = "float", m = "string", o = "string", p = "integer", q = "float",
      r = "float" }, said[5])
    assert.is_true(said[6] and said[7])
    assert.equal("9007199254740993", said[8])
  end)

  it("sends parameters as parameters #core", function()
    local evil = "'; DROP TABLE heartbeat; --"
    local said = say([[
      local function one(sql, params)
        local rows, why = pm.query(event.master, sql, params)
        return rows and rows[1].v or rows or why
      end
      return one("SELECT $1 || $2::text v", { args.evil, 5 }), one("SELECT $1::bool v", { true }),
        one("SELECT $1::int + $2::float8 v", { 2.0, 0.1 }), one("SELECT ($1::text IS NULL) v", { pm.json.null }),
        one("SELECT coalesce($1::text, $2, $3, 'none') v", { nil, "second", nil, n = 3 }),
        one("SELECT to_regclass('heartbeat') IS NOT NULL v"), one("SELECT 1 v; SELECT 2 v", {})
    ]], { args = { evil = evil } })
    assert.same({ evil .. "5", true, 2.1, true, "second", true }, { table.unpack(said, 1, 6) })
    has(said[7], "multiple commands", "(42601)")
  end)

  it("takes several statements: the last one's rows; an error says its SQLSTATE", function()
    local said = say [[
      local function ask(sql)
        local rows, why = pm.query(event.master, sql)
        return why or { n = rows.n, command = rows.command, first = rows[1] or false }
      end
      return ask("SELECT 1 a, 2 b; SELECT 3 c UNION SELECT 4 ORDER BY 1"), ask("SELECT 1; CREATE TEMP TABLE t (i int)"),
        ask("INSERT INTO t SELECT generate_series(1, 5)"), ask("SELECT 1; SELECT * FROM nowhere; SELECT 2"),
        ask(""), ask("SELECT 1 AS a WHERE false"), ask("COPY (SELECT 1) TO STDOUT"), ask("SELECT 8 v"),
          ask("SELECT 1/0")
    ]]
    assert.same({ n = 2, command = "SELECT 2", first = { c = 3 } }, said[1])
    assert.same({ n = 0, command = "CREATE TABLE", first = false }, said[2])
    assert.same({ n = 5, command = "INSERT 0 5", first = false }, said[3])
    has(said[4], 'relation "nowhere" does not exist (42P01)')
    assert.same({ n = 0, command = "", first = false }, said[5])
    assert.same({ n = 0, command = "SELECT 0", first = false }, said[6])
    has(said[7], "COPY")
    assert.same({ v = 8 }, said[8].first)
    has(said[9], "division by zero (22012)")
  end)

  it("keeps a run's connection until the run ends, and tells the server each timeout", function()
    local master = pg.master()
    local said = say([[
      local function one(sql, ...)
        local rows, why = pm.query(event.master, sql, ...)
        return rows and rows[1].v or why
      end
      local pid = one("SELECT pg_backend_pid() v /* of_a_trigger */")
      local limit = one("SELECT current_setting('statement_timeout') v", nil, { timeout = 2 })
      local longer = one("SELECT current_setting('statement_timeout') v", {}, { timeout = 3 })
      return pid == one("SELECT pg_backend_pid() v"), limit, longer,
        one("SELECT pg_terminate_backend(pg_backend_pid()) v"), one("SELECT pg_backend_pid() <> $1 v", { pid }),
        one("SELECT current_user::text || current_setting('application_name') v")
    ]], { master = master })
    assert.is_true(said[1])
    assert.same({ "2s", "3s" }, { said[2], said[3] })
    has(said[4], "terminating connection")
    assert.is_true(said[5])
    assert.equal("plusmoinplusmoin", said[6])
    no_session_left(master)
  end)

  it("tells the server a timeout within a transaction, too, and takes no snapshot for it", function()
    local said = say [[
      local function one(sql, seconds, params)
        local rows, why = pm.query(event.master, sql, params, { timeout = seconds })
        return why or rows[1] and rows[1].v or rows.command
      end
      return one("BEGIN", 4), one("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", 2),
        one("SELECT current_setting('transaction_isolation') || current_setting('statement_timeout') v", 2),
        one("COMMIT", 2), one("SELECT current_setting('statement_timeout') v", 4),
        one("SET idle_in_transaction_session_timeout = 77", 4),
        one("SELECT current_setting('idle_in_transaction_session_timeout') v", 1)
    ]]
    assert.same({ "BEGIN", "SET", "serializable2s", "COMMIT", "4s", "SET", "77ms" }, said)
  end)

  it("ends what takes too long, here and on the server #core", function()
    local master = pg.master()
    local said, daemon = say([[
      local began = pm.now()
      local rows, why = pm.query(event.master, "SELECT pg_sleep(60) /* of_a_trigger */", nil, { timeout = 0.3 })
      local took = pm.now() - began
      return rows or false, why, took, pm.query(event.master, "SELECT 1 v")[1].v
    ]], { master = master })
    assert.is_false(said[1])
    assert.is_truthy(said[2]:find("no answer within 0.3 s", 1, true) or said[2]:find("57014", 1, true), said[2])
    assert.is_true(said[3] < 3)
    assert.equal(1, said[4])
    no_session_left(master)
    daemon:stop_and_check()
  end)

  it("of a run that is killed is gone, with its connection #core", function()
    local master = pg.master()
    local _, daemon = say([[
      pm.query(event.master, "SELECT 1 /* of_a_trigger */")
      pm.log.info("said [] cluster=0")
      pm.query(event.master, "SELECT pg_sleep(60) /* of_a_trigger */", nil, { timeout = 4 })
    ]], { master = master, config = { trigger_timeout = 1 } })
    proc.wait_for("the end of the run", 10, function() return daemon:logged("timed out") end,
      function() return daemon:diagnose() end)
    no_session_left(master) -- the server notices when the statement's time is over
  end)

  it("goes where it is told with what it is given, and a configured node has its own", function()
    local master = pg.master()
    master:sql("CREATE ROLE guarded LOGIN PASSWORD 'carrotcake'")
    local hba = master.data .. "/pg_hba.conf"
    proc.write_file(hba, "host all guarded all scram-sha-256\n" .. proc.read_file(hba), tonumber("600", 8))
    master:sql("SELECT pg_reload_conf()")
    local said = say([[
      local function why(...)
        local rows, words = pm.query(...)
        return rows and "rows" or words
      end
      local good = { user = "guarded", password = "carrotcake", dbname = "plusmoin" }
      local at = { host = event.master.host, port = event.master.port }
      return why(at, "SELECT 1"), why({ host = "localhost", port = at.port }, "SELECT 1", nil, good),
        why({ host = "localhost", port = at.port, user = "guarded", dbname = "plusmoin" }, "SELECT 1"),
        why({ host = "localhost", port = at.port, user = "guarded", password = "wrong", dbname = "plusmoin" },
          "SELECT 1"),
        why(at, "SELECT 1", nil, { dbname = "nowhere" }), why(at, "SELECT 1", nil,
          { connection = { sslmode = "require" } }),
        why({ host = "/nowhere", port = at.port, user = "u" }, "SELECT 1"),
        pm.query(at, "SELECT current_setting('application_name') v", nil,
          { connection = { application_name = "me" } })[1].v
    ]], { master = master })
    assert.same({ "rows", "rows" }, { said[1], said[2] })
    has(said[3], "no password supplied")
    has(said[4], "password authentication failed")
    has(said[5], 'database "nowhere" does not exist')
    has(said[6], "SSL")
    has(said[7], "/nowhere/.s.PGSQL.")
    assert.equal("me", said[8])
  end)

  it("has words for a closed port, a dead name, silence and half an answer #core", function()
    local silent, half = quiet_peer.silent(), quiet_peer.saying("R\0\0\0\8\0\0\0\0", true)
    local said = say([[
      local function why(host, port)
        local began = pm.now()
        local rows, words = pm.query({ host = host, port = port, user = "u", dbname = "d" }, "SELECT 1", nil,
          { timeout = 0.5 })
        return { rows = rows or false, words = words, took = pm.now() - began }
      end
      return why("127.0.0.1", args.closed), why("no-such-name.invalid", 5432), why("127.0.0.1", args.silent),
        why("127.0.0.1", args.half)
    ]], { args = { closed = proc.free_port(), silent = silent.port, half = half.port } })
    has(said[1].words, "Connection refused")
    assert.is_true(#said[2].words > 0 and said[2].took < 3)
    has(said[3].words, "no connection within 0.5 s")
    assert.is_true(#said[4].words > 0)
    for _, one in ipairs(said) do
      assert.is_false(one.rows)
    end
    silent:close()
    half:close()
  end)

  it("takes no more than 16 MiB #core", function()
    local said = say [[
      local function ask(sql)
        local rows, why = pm.query(event.master, sql)
        return why or rows.n
      end
      return ask("SELECT repeat('x', 1000000) FROM generate_series(1, 100)"), ask("SELECT 1"),
        ask("SELECT i FROM generate_series(1, 10000000) i"), ask("SELECT repeat('x', 15000000)")
    ]]
    has(said[1], "larger than 16 MiB")
    assert.equal(1, said[2])
    has(said[3], "larger than 16 MiB")
    assert.equal(1, said[4])
  end)

  it("raises on misuse, with words", function()
    local said = say [[
      local function words(...)
        local ok, why = pcall(pm.query, ...)
        return ok and "no error" or why
      end
      local at = event.master
      return words(), words(at), words({ host = "h", port = 0 }, "x"), words({}, "x"), words(at, "a\0b"), words(at,
        "x", "p"),
        words(at, "x", { {} }), words(at, "x", { key = 1 }), words(at, "x", nil, { timeout = -1 }),
        words(at, "x", nil, { time = 1 }), words(at, "x", nil, { connection = { host = "elsewhere" } }),
        words(at, "x", nil, { admin = 1 })
    ]]
    local expected = { "target: a node", "sql: a string expected, got nil", "target.port", "target.host", "NUL",
      "params: a list expected, got string", "params[1]: a string expected, got table", "with the key key",
      "timeout: seconds above 0", 'unknown option "time"; allowed: admin, connection', "connection.host may not be set",
      "admin: true or false" }
    for i, part in ipairs(expected) do
      has(said[i], "pm.query: ", part)
    end
    assert.equal(#expected, #said)
    assert.is_string(cjson.encode(said))
  end)
end)
