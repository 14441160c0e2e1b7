-- What `plusmoin check` and `plusmoin init-sql` make of findings: made-up ones.
local check = require "plusmoin.check"
local cjson = require "cjson"
local init_sql = require "plusmoin.init_sql"
local sqltext = require "plusmoin.sqltext"
local has = require "spec.support.has"

local function facts(changes)
  local t = {
    now = 1000.0, recovery = false, read_only = false, default_read_only = false, unlogged = false,
    user = "u", database = "d", schema = "public",
    can_create = true, table = true, can_select = true, can_insert = true, can_delete = true, identity = true,
    owns = true, publications = 0, published = false, wal_receiver_timeout_ms = 60000, idle_session_timeout_ms = 0,
    publishing = cjson.null, table_bytes = 8192, dead_rows = 10,
    max_connections = 100, reserved = 3, sessions = 5, system_id = "1", started = 1.5,
  }
  for key, value in pairs(changes or {}) do
    t[key] = value
  end
  return cjson.encode(t)
end

local SHAPE = '{"name": "public.heartbeat", "kind": "r", "path_source": "default", "public": true, "columns": ['
  .. '{"name": "cluster_id", "type": "integer", "base": "int4", "category": "N", "generated": false, "identity": "", '
  .. '"takes": true}, {"name": "master", "type": "text", "base": "text", "category": "S", "generated": false, '
  .. '"identity": "", "takes": true}, {"name": "tstamp", "type": "bigint", "base": "int8", "category": "N", '
  .. '"generated": false, "identity": "", "takes": true}]}'

local function node(changes)
  local t = {
    table = SHAPE,
    id = "a:5432", name = "a:5432", host = "a", port = 5432, user = "u", dbname = "d", reached = true, reason = "",
    message = "", is_slave = false, server_version = 150020, rtt = 0.01, asked = 1000.0, facts = facts(),
    own_address = cjson.null,
  }
  for key, value in pairs(changes or {}) do
    t[key] = value
  end
  if t.is_slave == "unknown" then
    t.is_slave = nil
  end
  return t
end

local function config(nodes)
  return {
    heartbeat = 60, max_sync_delay = 120, query_timeout = 10, retry_interval = 1, down_after = 3, nodes = nodes,
  }
end

local function report(...)
  return check.report(cjson.encode(config { ... }))
end

describe("check", function()
  it("tells who could not tell its own isolation from losses", function()
    local function said(changes)
      local given = config { node() }
      for key, value in pairs(changes) do
        given[key] = value
      end
      local text, ok = check.report(cjson.encode(given))
      assert.is_true(ok)
      return text
    end
    has(said { hosts = 1 }, "isolation_anchors: advice: the nodes are on one other machine")
    has(said { hosts = 2 }, "isolation_anchors: advice: the nodes are on two other machines")
    has(said { hosts = 3, anchors = { { text = "gate:53", heard = false } } },
      "isolation_anchors[1]: advice: gate:53 does not answer")
    has(said { hosts = 3, acts_on_master_down = true }, "triggers.monitor_isolated: advice: nothing runs when")
    for _, fine in ipairs { { hosts = 0, acts_on_master_down = true }, { hosts = 3 },
      { hosts = 1, anchors = { { text = "gate:53", heard = true } } },
      { hosts = 3, acts_on_master_down = true, acts_on_isolated = true } } do
      assert.is_nil(said(fine):find("advice", 1, true))
    end
  end)

  it("is content with a master, and adds up the time to detect a loss", function()
    local text, ok = report(node())
    assert.is_true(ok)
    has(text, "All will work.", "within 92 s", "60 + 3 x 10 + 2 x 1", "15.20", "+0.0 s")
    assert.is_nil(text:find("advice", 1, true))
  end)

  it("adds up the time to notice a shut door, each attempt of down_after", function()
    local all = config { node() }
    all.fresh_connect_interval, all.fresh_connect = 30, 30
    has(check.report(cjson.encode(all)), "lets nobody else in is noticed within 62 s (fresh_connect_interval "
      .. "+ query_timeout + 2 x (retry_interval + query_timeout)).")
    all.fresh_connect, all.login_cost_us = 45.5, 7800
    has(check.report(cjson.encode(all)), "within 77.5 s", "for 1 nodes fresh_connect_interval counts as 45.5, for a "
      .. "login costs 7.8 ms of processor time, and fresh ones take a quarter of a core at the most).")
  end)

  it("tells advice from problems", function()
    local advice = {
      [{ now = 1005.0 }] = "its clock is 5.0 s ahead of",
      [{ now = 990.0 }] = "its clock is 10.0 s behind",
      [{ wal_receiver_timeout_ms = 0 }] = "wal_receiver_timeout is 0",
      [{ wal_receiver_timeout_ms = 600000 }] = "wal_receiver_timeout is 600 s",
      [{ idle_session_timeout_ms = 5000 }] = "idle_session_timeout (5 s)",
      [{ sessions = 96 }] = "only 1 of its 100 connections",
      [{ dead_rows = 3000000 }] = "table heartbeat has one row that counts, 3000000 dead ones",
      [{ table_bytes = 1 << 30 }] = "table heartbeat has one row that counts, 10 dead ones, and 1024.0 MiB",
      [{ publications = 1 }] = "there are publications, and none has table heartbeat",
    }
    for changes, words in pairs(advice) do
      local text, ok = report(node { facts = facts(changes) })
      assert.is_true(ok, words)
      has(text, "advice: " .. words)
    end
    local problems = {
      [{ read_only = true }] = "transactions are read-only",
      [{ default_read_only = true }] = "transactions are read-only",
      [{ unlogged = true }] = "unlogged",
      [{ can_delete = false }] = "no right to DELETE on table heartbeat",
      [{ table = false, can_create = false }] = "no right to make it in schema public",
      [{ table = false, schema = cjson.null }] = "no schema of search_path",
      [{ table = false, publishing = "all" }] = "publication \"all\" would have it at once",
      [{ publications = 1, published = true, identity = false, owns = false }] = "without a replica identity",
    }
    for changes, words in pairs(problems) do
      local text, ok = report(node { facts = facts(changes) })
      assert.is_false(ok, words)
      has(text, "PROBLEM: ", words)
    end
  end)

  it("advises who is delayed on purpose, by the node's own delays", function()
    local function said(changes, own)
      local slave = node { is_slave = true, facts = facts(changes), row_master = "a:5432", row_time = 995 }
      slave.max_sync_delay, slave.recover_sync_delay = (own or {})[1], (own or {})[2]
      local text, ok = report(slave)
      assert.is_true(ok)
      return text
    end
    local delayed = { recovery = true, apply_delay_ms = 3600000 }
    has(said(delayed), "advice: recovery_min_apply_delay is 3600 s, and its max_sync_delay 120 s: as a slave it is "
      .. "always out of sync\n    nodes[].max_sync_delay = 3720\n")
    has(said(delayed, { 3600, 3540 }), "recovery_min_apply_delay is 3600 s, and its max_sync_delay 3600 s")
    has(said(delayed, { 3650, 3590 }), "its recover_sync_delay 3590 s: once it is lost it does not come back")
    for _, content in ipairs { said(delayed, { 3720, 3660 }), said { recovery = true, apply_delay_ms = cjson.null },
      said { recovery = true, apply_delay_ms = 5000 }, said { recovery = false, apply_delay_ms = 3600000 },
      said { recovery = true, paused = false }, said { paused = cjson.null } } do
      assert.is_nil(content:find("a:5432: advice", 1, true), content)
    end
    has(said { recovery = true, paused = true }, "advice: its replay is paused: it is out of sync when it is 120 s "
      .. "behind (max_sync_delay)\n    SELECT pg_wal_replay_resume();\n")
    has(said({ recovery = true, paused = true }, { 30, 15 }), "when it is 30 s behind")
    has(said({ recovery = true, wal_receiver_timeout_ms = 60000 }, { 30, 15 }), "a slave is out of sync (30 s) before")
  end)

  it("knows a connection pool by the process that answers", function()
    local text, ok = report(node { backend_pid = 5, facts = facts { backend_pid = 5 } })
    assert.is_true(ok, text)
    text, ok = report(node { backend_pid = -77, facts = facts { backend_pid = 5 } })
    assert.is_false(ok)
    has(text, "PROBLEM: a connection pool lies between", "of the server itself, not of the connection pool before it")
    for _, nonsense in ipairs { "5", "x", 1.5, {}, true, cjson.null } do -- tells nothing
      text = report(node { backend_pid = 5, facts = facts { backend_pid = nonsense } })
      assert.is_nil(text:find("connection pool lies between", 1, true), text)
    end
  end)

  it("knows a connection pool by a session that is older than our connection", function()
    local function said(age, session_age)
      return (report(node { backend_pid = 5, age = age, facts = facts { backend_pid = 5, session_age = session_age } }))
    end
    has(said(0.03, 0.13), "(the session that answers is older than our connection)")
    for _, pair in ipairs { { 0.03, 0.029 }, { 0.03, 0.034 }, { 0.03, cjson.null }, { 0.03, "1" },
      { cjson.null, 1 } } do
      local text = said(pair[1], pair[2])
      assert.is_nil(text:find("connection pool lies between", 1, true), text)
    end
  end)

  it("is at no loss when a server tells nonsense of itself", function()
    for _, nonsense in ipairs { "no JSON", "{}", "[]", "7", ("["):rep(5000), facts { now = "never" },
      facts { max_connections = {} },
      facts { recovery = true, apply_delay_ms = "x" }, facts { started = "x" }, facts { dead_rows = "many" } } do
      local text = report(node { facts = nonsense }, node { id = "b:1", name = "b:1" })
      has(text, "b:1", "A loss that breaks no connection")
    end
    local text, ok = report(node { facts = "no JSON" })
    assert.is_false(ok)
    has(text, "cannot be understood")
  end)

  it("judges a good node whatever the one beside it tells", function()
    local random = 7
    local function pick(n)
      random = random * 1103515245 + 12345 & 0x7fffffff
      return (random >> 8) % n + 1
    end
    local values = { "null", "true", "false", "1e999", "-1e400", "NaN", "0", "-1", "9223372036854775807", '"%s%d%"',
      '"\\u0000"', '"5"', "1.5", "[]", "{}", "[[[]]]", '["x",null,{}]', '[{"name":"x","command":"*"}]', "{{", "" }
    local function spoilt(text)
      local spoil = pick(4)
      return (text:gsub('("[%w_]+"): ?("?[^,:%[%]{}]*"?)', function(key, value)
        return pick(12) <= spoil and key .. ":" .. values[pick(#values)] or key .. ":" .. value
      end))
    end
    for _ = 1, 1500 do
      local odd = node { facts = spoilt(facts()), table = spoilt(SHAPE) }
      local good = node { id = "b:1", name = "b:1", facts = facts { system_id = "good" } }
      local text = check.report(cjson.encode(config { odd, good }), true)
      local result = cjson.decode(text)
      assert.same({ true, true, 0 }, { result.nodes[2].ok, result.nodes[2].can_beat, #result.nodes[2].problems }, text)
      check.report(cjson.encode(config { odd, good }))
    end
  end)

  it("tells what mends a login without a password, and a pooler in a server's place", function()
    local text = report(node { reached = false, is_slave = "unknown", reason = "auth",
      message = "fe_sendauth: no password supplied" })
    has(text, "fe_sendauth: no password supplied", "password, or connection.passfile with a line for it")
    assert.is_nil(text:find("pg_hba.conf", 1, true))
    text = report(node { reached = false, is_slave = "unknown", reason = "auth", message = "FATAL:  28000: %s no",
      user = "u%s", own_address = "fe80::1%lo" })
    has(text, "auth: FATAL:  28000: %s no", 'host    d  "u%s"  fe80::1%lo/128  scram-sha-256')
    local pooler = { reached = false, is_slave = "unknown", reason = "malformed",
      message = "FATAL:  unsupported startup parameter: options" }
    has(report(node(pooler)), "the server itself, not of the connection pool before it")
  end)

  it("does not mistake a slow answer for a wrong clock, nor a slave for a server that cannot write", function()
    assert.is_nil(report(node { rtt = 4.0, facts = facts { now = 1002.5 } }):find("its clock is", 1, true))
    local text, ok = report(node { is_slave = true, row_master = "a:5432", row_time = 1.0,
      facts = facts { read_only = true } })
    assert.is_true(ok)
    has(text, "no node is a master now")
  end)

  it("knows a server by its identity and its start, not by its name", function()
    local other = { id = "b:5432", name = "b:5432", host = "b" }
    assert.is_false(select(2, report(node(), node(other))))
    other.dbname = "e"
    assert.is_true(select(2, report(node(), node(other))))
    other.facts = facts { started = 2.5 }
    assert.is_true(select(2, report(node(), node(other))))
    other.facts = facts { system_id = "2" }
    assert.is_true(select(2, report(node(), node(other))))
    local function started(letter, seconds)
      return node { id = letter .. ":1", name = letter .. ":1", facts = facts { started = seconds } }
    end
    local text = report(started("a", 1.50049), started("b", 1.49951), started("c", 1.5014), started("d", 1.5016))
    has(text, "is the same server as a:1") -- b, and c; d is c
    local _, count = text:gsub("is the same server as", "")
    assert.equal(3, count)
    has(text, "is the same server as c:1")
  end)

  it("advises against two masters of one origin", function()
    local function master(letter, more)
      local one = node { id = letter .. ":1", name = letter .. ":1", facts = facts { started = letter:byte() + 0.5 } }
      for key, value in pairs(more or {}) do
        one[key] = value
      end
      return one
    end
    local text, ok = report(master "a", master "b", master("c", { ignore_system_id = true }),
      master("d", { is_slave = true }), master("e", { facts = facts { system_id = "2" } }))
    assert.is_true(ok)
    has(text, "is a master of the same origin as the master a:1: both take writes (split_brain)", "ignore_system_id")
    local _, count = text:gsub("of the same origin", "")
    assert.equal(1, count)
    text = report(master("a", { facts = facts() }), master("b", { facts = facts() }))
    assert.is_nil(text:find("of the same origin", 1, true)) -- one server under two names
  end)

  it("names what a slave's beat says, and what a server does not tell", function()
    has(report(node { is_slave = true }), "shows no beat yet")
    has(report(node { is_slave = true, row_master = "elsewhere:1" }), '"elsewhere:1", which is no configured node')
    has(report(node { row_master = "a:5432", row_time = 1000.0 }, node { id = "b:1", name = "b:1", is_slave = true,
      facts = facts { started = 9 }, row_master = "a:5432", row_time = 800.0 }), "200 s older than its master's")
    assert.is_false(select(2, report(node { row_error = "no column tstamp" })))
    assert.is_false(select(2, report(node { reason = "timeout", message = "no answer" })))
    local text, ok = report(node { facts = cjson.null, server_version = 90603 })
    assert.is_true(ok)
    has(text, "PostgreSQL 10 or later", "9.6.3")
  end)

  it("prints names and messages of others so that they stay one line", function()
    local text = report(node {
      reached = false, is_slave = "unknown", reason = "auth", message = "a\27[31m\nb", name = "x\ny",
    })
    assert.is_nil(text:find("\27", 1, true))
    assert.is_nil(text:find("x\ny", 1, true))
  end)

  it("writes lists as lists, and null where nothing is known", function()
    local findings = cjson.encode(config { node {
      reached = false, is_slave = "unknown", server_version = 0, reason = "refused", message = "m",
    } })
    local text, ok = check.report(findings, true)
    assert.is_false(ok)
    has(text, '"role": null', '"server_version": null', '"problems": ["refused: m"]')
    has(check.report(cjson.encode(config { node() }), true), '"problems": []')
  end)
end)

describe("sqltext", function()
  it("quotes names, literals and words of pg_hba.conf", function()
    assert.equal('"a""b"', sqltext.name('a"b'))
    assert.equal("'it''s'", sqltext.literal("it's"))
    assert.equal("E'a\\\\b'", sqltext.literal("a\\b"))
    assert.equal('host    "all"  u  10.0.0.1/32  scram-sha-256', sqltext.hba("all", "u", "10.0.0.1"))
    assert.equal("host    d  u  ::1/128  scram-sha-256", sqltext.hba("d", "u", "::1"))
    assert.equal('local   "a b"  u  scram-sha-256', sqltext.hba("a b", "u", false))
  end)
end)

describe("init_sql", function()
  it("goes over to a database, whatever its name is", function()
    assert.equal([[\connect -reuse-previous=on "dbname='a=b\'c""d'"]], sqltext.connect([[a=b'c"d]]))
  end)

  it("has each account once, with all addresses, and a password only where there is one", function()
    local nodes = {
      node { password = "p%d", own_address = "10.0.0.1" }, node { password = "p%d", own_address = "10.0.0.2" },
      node { user = "v", password = cjson.null, host = "/run/postgresql" },
    }
    local text = init_sql.render(cjson.encode(config(nodes)))
    assert.equal(2, select(2, text:gsub("\nALTER ROLE", "")))
    has(text, "PASSWORD 'p%d'", "-- host    d  u  10.0.0.1/32", "-- host    d  u  10.0.0.2/32", 'ALTER ROLE "v" LOGIN;',
      "-- local   d  v")
    has(init_sql.render(cjson.encode(config { node { dbname = "a%d", own_address = "fe80::1%lo" } })),
      'host    "a%d"  u  fe80::1%lo/128  scram-sha-256')
  end)
end)
