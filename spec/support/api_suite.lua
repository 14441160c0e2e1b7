--- What triggers may rely on, told once: each case runs in the daemon, with the real API, and
-- under plusmoin.testing. A case: `body`, Lua in a trigger whose results go through JSON
-- (pm, event, args at hand); `real`: makes its args and what is at the other end; `stand`: the
-- same for a world of plusmoin.testing; `check`: of the results, and of the log.
local assert = require "luassert"
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local peer = require "spec.support.peer"
local proc = require "spec.support.proc"

local function all_have(said, parts)
  for i, part in ipairs(parts) do
    has(said[i], part)
  end
  assert.equal(#parts, #said)
end

-- A body that returns the words of the errors of calls.
local function words_of(calls)
  return ([[
    local said = {}
    local function try(...) said[#said + 1] = select(2, pcall(...)) or "no error" end
    %s
    return table.unpack(said)
  ]]):format(calls)
end

-- Says `answer` to each and closes, when the other half is closed or a request is whole.
local function server(answer, whole)
  return peer.serving(function(client)
    local heard = ""
    client:read_start(function(_, data)
      heard = heard .. (data or "")
      if not data and not whole or data and whole and heard:find(whole, 1, true) then
        peer.say_and_close(client, answer)
      end
    end)
  end)
end

local suite = {}

local function case(name, one)
  one.name = name
  suite[#suite + 1] = one
end

case("pm.json", {
  body = [[
    local function decode(text)
      local value, why = pm.json.decode(text)
      if value == nil then
        return why:match("^line %d+, column %d+") or why
      end
      return value == pm.json.null and "null" or math.type(value) or type(value)
    end
    local back = pm.json.decode(pm.json.encode { a = { 1, 2.5, "x\n\"\\/\xff\u{20ac}" }, e = pm.json.array {}, o = {} })
    return pm.json.encode { b = 1, a = 2.0, c = { pm.json.null, false }, d = pm.json.array {}, f = 0.1,
      [ "\n" ] = "\0" },
      back.a[3], #back.a, pm.json.encode(back), decode("1"), decode("1.0"), decode("1e2"), decode("null"),
        decode(" [1 ,2] "),
      decode('"\\ud83d\\ude00\\n"'), decode("[1,]"), decode("{"), decode("nul"), decode("01"), decode('"\\ud83d"'),
      decode("99999999999999999999"), decode("\n\n x"), decode("1 2"), decode('"a\nb"'), decode("{\"a\" 1}"),
        decode('"\\u0000"')
  ]],
  check = function(said)
    assert.equal('{"\\u000a":"\\u0000","a":2.0,"b":1,"c":[null,false],"d":[],"f":0.10000000000000001}', said[1])
    assert.equal("x\n\"\\/\u{FFFD}\u{20ac}", said[2])
    assert.same({ 3, '{"a":[1,2.5,"x\\u000a\\"\\\\/\u{FFFD}\u{20ac}"],"e":[],"o":{}}' }, { said[3], said[4] })
    assert.same({ "integer", "float", "float", "null", "table", "string" }, { table.unpack(said, 5, 10) })
    for i = 11, 21 do
      has(said[i], "line ")
    end
    has(said[17], "line 3")
  end,
})

case("pm.json refuses", {
  body = words_of [[
    try(pm.json.encode, print) try(pm.json.encode, 0 / 0) try(pm.json.encode, { 1, a = 2 }) try(pm.json.encode,
      { [1.5] = 1 })
    local loop = {} loop.loop = loop try(pm.json.encode, loop) try(pm.json.encode, { 1, nil, 3 }) try(pm.json.decode,
      {})
    try(pm.json.array, 1)
  ]],
  check = function(said)
    all_have(said, { "a function cannot be JSON", "cannot be JSON", "mixes a list", "a number as a key",
      "nested deeper",
      "or has holes", "string expected, got table", "table expected, got number" })
  end,
})

case("pm.state", {
  body = [[
    pm.state.a = { n = 1, list = { 1, 2 } }
    local copy = pm.state.a
    copy.n = 5
    local kept = pm.state.a.n
    pm.state.a = copy
    pm.state.b, pm.state.c = "text", pm.json.null
    local names = {}
    for name, value in pairs(pm.state) do
      names[#names + 1] = name .. "=" .. type(value):sub(1, 1)
    end
    pm.state.b = nil
    local function words(...) return select(2, pcall(...)) end
    return kept, pm.state.a.n, names[1], names[2], #names, pm.state.b == nil, pm.state.c == pm.json.null,
      words(function() pm.state.f = print end), words(function() pm.state[1] = 1 end), pm.state[1] == nil,
      words(function() local t = {} t.t = t pm.state.t = t end)
  ]],
  check = function(said)
    assert.same({ 1, 5, "a=t", "b=s", 3, true, true }, { table.unpack(said, 1, 7) })
    has(said[8], "a function is none")
    has(said[9], "names as keys")
    assert.is_true(said[10])
    has(said[11], "nested deeper")
  end,
})

case("time and the log", {
  body = [[
    local began = pm.now()
    pm.sleep(0.0625)
    pm.log.info("%d of %s", 1, "two")
    pm.log.warning("100% of it")
    print("a", 1, nil)
    io.write("written\n")
    local function words(...) return select(2, pcall(...)) end
    return pm.now() - began, math.type(began), words(pm.sleep, -1), words(pm.sleep, 86401), words(pm.sleep, "x"),
      words(pm.log.info, "%d", "x")
  ]],
  check = function(said, logged)
    assert.is_true(said[1] >= 0.0625)
    assert.equal("float", said[2])
    all_have({ table.unpack(said, 3) }, { "seconds from 0 to 86400", "seconds from 0 to 86400", "number expected",
      "number expected, got string" })
    for _, line in ipairs { "1 of two", "100% of it", "a\t1\tnil", "written" } do
      assert(logged(line) or logged((line:gsub("\t", "\\t"))), line)
    end
  end,
})

case("pm.exec", {
  body = [[
    local r = pm.exec { "sh", "-c", "cat; echo err >&2; exit 3", stdin = "in" }
    local killed = pm.exec { "sh", "-c", "kill -9 $$" }
    local slow = pm.exec { "sleep", "60", timeout = 0.1 }
    local none, why = pm.exec { "/no/such/program" }
    return r.code, r.stdout, r.stderr, r.timed_out, r.truncated, r.signal == nil, killed.signal, killed.code == nil,
      slow.timed_out, none == nil, why
  ]],
  stand = function(t)
    t:expect("exec", { "sh", stdin = "in" }, { code = 3, stdout = "in", stderr = "err\n" })
    t:expect("exec", { "sh", "-c", "kill -9 $$" }, { signal = 9 })
    t:expect("exec", { "sleep" }, { takes = 60 })
    t:expect("exec", { "/no/such/program" })
  end,
  check = function(said)
    assert.same({ 3, "in", "err\n", false, false, true, 9, true, true, true }, { table.unpack(said, 1, 10) })
    has(said[11], "cannot start /no/such/program: No such file or directory")
  end,
})

case("os.execute and io.popen", {
  body = [[
    local ok, kind, code = os.execute("echo said; exit 2")
    local pipe = io.popen("printf 'one\\ntwo\\n3'")
    local first, rest = pipe:read("l"), pipe:read("a")
    local good = pipe:close()
    return ok == nil, kind, code, first, rest, good, (os.execute())
  ]],
  stand = function(t)
    t:expect("exec", { "/bin/sh", "-c", "echo said; exit 2" }, { stdout = "said\n", code = 2 })
    t:expect("exec", { "/bin/sh" }, "one\ntwo\n3")
  end,
  check = function(said, logged)
    assert.same({ true, "exit", 2, "one", "two\n3", true, true }, said)
    assert.is_true(logged("said"))
  end,
})

case("pm.http", {
  body = [[
    local answer = pm.http { url = args.url, body = "b", headers = { ["X-A"] = "1" }, timeout = 5 }
    local none, why = pm.http { url = args.nowhere, timeout = 5 }
    local silent, late = pm.http { url = args.silent, timeout = 0.2 }
    return answer.status, answer.headers["x-b"], answer.body, none == nil, why, silent == nil, late
  ]],
  real = function(keep)
    local one = keep(server("HTTP/1.1 201 Created\r\nX-B: 2\r\nContent-Length: 4\r\n\r\nbody", "\r\n\r\nb"))
    return { url = "http://127.0.0.1:" .. one.port .. "/", nowhere = "http://127.0.0.1:" .. proc.free_port() .. "/",
      silent = "http://127.0.0.1:" .. keep(peer.silent()).port .. "/" }
  end,
  stand = function(t)
    t:expect("http", { method = "POST", url = "http://there/", headers = { ["X-A"] = "1" }, body = "b", verify = true },
      { status = 201, headers = { ["X-B"] = "2" }, body = "body" })
    t:expect("http", { url = "http://nowhere/", method = "GET" })
    t:expect("http", { url = "http://silent/" }, { takes = 60 })
    return { url = "http://there/", nowhere = "http://nowhere/", silent = "http://silent/" }
  end,
  check = function(said, _, args)
    assert.same({ 201, "2", "body", true }, { table.unpack(said, 1, 4) })
    has(said[5], args.nowhere .. ": ")
    assert.is_true(said[6])
    has(said[7], args.silent .. ": ")
  end,
})

case("pm.request", {
  body = [[
    local answer = pm.request { to = args.to, data = "q", timeout = 5 }
    local none, why = pm.request { to = args.nowhere }
    return answer, none == nil, why
  ]],
  real = function(keep)
    return { to = "127.0.0.1:" .. keep(server("answer")).port, nowhere = "127.0.0.1:" .. proc.free_port() }
  end,
  stand = function(t)
    t:expect("request", { to = "127.0.0.1:7", data = "q" }, "answer")
    t:expect("request", { to = "127.0.0.1:8", data = "" })
    return { to = "127.0.0.1:7", nowhere = "127.0.0.1:8" }
  end,
  check = function(said, _, args)
    assert.same({ "answer", true }, { said[1], said[2] })
    has(said[3], args.nowhere .. ": connection refused")
  end,
})

case("pm.query", {
  body = [[
    local rows = pm.query(event.master, "SELECT $1::int + 1 AS n, $2::text AS t", { 41, pm.json.null })
    local none, why = pm.query(event.master, "SELECT nowhere", nil, { timeout = 5 })
    local done = pm.query(event.master, "CREATE TEMP TABLE t (i int)")
    return rows.n, rows.command, rows[1].n, math.type(rows[1].n), rows[1].t == nil, none == nil, why, done.n, #done
  ]],
  stand = function(t)
    t:expect("query", { host = "db1", port = 5432, params = { "41" } }, { { n = 42 } })
    t:expect("query", { sql = "SELECT nowhere" }, nil, 'column "nowhere" does not exist (42703)')
    t:expect("query", { sql = function(sql) return sql:find("CREATE") end },
      { n = 0, command = "CREATE TABLE" })
  end,
  check = function(said)
    assert.same({ 1, "SELECT 1", 42, "integer", true, true }, { table.unpack(said, 1, 6) })
    has(said[7], 'column "nowhere" does not exist', "(42703)")
    assert.same({ 0, 0 }, { said[8], said[9] })
  end,
})

case("misuse", {
  body = words_of [[
    try(pm.exec, {}) try(pm.exec, { "a", timeout = 0 }) try(pm.exec, { "a", env = { ["x=y"] = "1" } })
    try(pm.exec, { "a", stdin = 5 }) try(pm.exec, { {} }) try(pm.http, { url = "ftp://x" }) try(pm.http,
      { url = "http://x", a = 1 })
    try(pm.request, { to = "x" }) try(pm.query, event.master) try(pm.query, {}, "x") try(pm.query, event.master, "x",
      { {} })
    try(table.sort, { 2, 1 }, function() pm.sleep(0.01) end)
    try(function() a_global = 1 end) try(os.exit)
  ]],
  check = function(said)
    all_have(said, { "pm.exec: no program", "pm.exec: timeout: seconds above 0", "pm.exec: env: names without '='",
      "pm.exec: stdin: a string expected, got number", "pm.exec: an argument: a string expected, got table",
      "pm.http: url: http://", 'pm.http: unknown key "a"', "pm.request: to",
        "pm.query: sql: a string expected, got nil",
      "pm.query: target.host: a string expected", "pm.query: params[1]: a string expected, got table",
      "waits, and here Lua cannot", "a_global", "os.exit is not for triggers" })
  end,
})

case("events, nodes and clusters", {
  body = [[
    local function fields(t)
      local list = {}
      for key, value in pairs(t) do
        list[#list + 1] = key .. ":" .. (math.type(value) or type(value))
      end
      table.sort(list)
      return table.concat(list, " ")
    end
    local cluster, all = pm.cluster(event.cluster_id), pm.clusters()
    return fields(event), fields(event.master), fields(event.slaves[1]), fields(cluster), #all, pm.cluster(77) == nil,
      cluster.master.name == event.master.name and cluster ~= all[1], event.master.state, event.slaves[1].state,
        event.name,
      pm.json.encode(event.lost) .. pm.json.encode(cluster.lost)
  ]],
  slaves = 1,
  stand = function(t)
    return {}, t:event("plusmoin_up", { master = "db1", slaves = { "db2" } })
  end,
  check = function(said)
    assert.same({
      "cluster_id:integer clusterless:table id:string lost:table master:table name:string slaves:table time:float",
      "cluster_id:integer host:string is_slave:boolean master_name:string name:string port:integer "
        .. "server_version:integer since:float state:string",
      "cluster_id:integer host:string is_slave:boolean lag:float master_name:string name:string port:integer "
        .. "server_version:integer since:float state:string",
      "cluster_id:integer clusterless:table lost:table master:table slaves:table", 1, true, true, "master", "slave",
      "plusmoin_up", "[][]",
    }, said)
  end,
})

--- The servers of a case for the real API: master first.
function suite.servers(one)
  local master, slaves = pg.cluster(one.slaves or 0)
  return { master, table.unpack(slaves) }
end

return suite
