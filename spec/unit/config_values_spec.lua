-- Hosts, connection keywords, triggers, ranges and keys, one by one.
local cjson = require "cjson"
local config = require "plusmoin.config"
local settings = require "plusmoin.settings"

local package_path = package.path

after_each(function()
  package.path = package_path
end)

local KEYWORDS = {
  sslmode = true, sslrootcert = true, sslkey = true, passfile = true, keepalives = true, keepalives_idle = true,
  gssencmode = true, host = true, service = true, sslpassword = true, ssl_min_protocol_version = true,
  channel_binding = true, tcp_user_timeout = true,
}

-- Loads a table as JSON, with the required keys and a node unless it has its own.
local function load_table(object, exists, obstacle)
  local full = { dbname = "d", user = "u", nodes = { { host = "a" } } }
  for key, value in pairs(object) do
    full[key] = value
  end
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(cjson.encode(full))
  file:close()
  local result = config.load(path, { cwd = "/", libpq_keywords = KEYWORDS, exists = exists,
    obstacle = obstacle })
  os.remove(path)
  return result
end

local function assert_error(result, ...)
  assert.is_nil(result.config)
  local all = table.concat(result.errors, "\n")
  for _, part in ipairs { ... } do
    assert.is_truthy(all:find(part, 1, true), all)
  end
  for _, line in ipairs(result.errors) do
    assert.is_truthy(line:find("^/tmp/[%w_]+:1: ") and (line:find("allowed: ", 1, true)
      or line:find("nearest known key", 1, true)), line)
  end
end

local function assert_warning(result, part)
  assert.same({}, result.errors)
  local all = table.concat(result.warnings, "\n")
  assert.is_truthy(all:find(part, 1, true), all)
end

describe("hosts", function()
  for _, host in ipairs {
    "db1", "DB-1.example.com", "db_1", "10.0.0.1", "::1", "fe80::1%eth0", "2001:db8::1", "::ffff:10.0.0.1",
    "/var/run/postgresql", "ünder.example",
  } do
    it("may be " .. host, function()
      local result = load_table { nodes = { { host = host, port = 5433 } } }
      assert.same({}, result.errors)
      assert.equal(host .. ":5433", result.config.nodes[1].id)
    end)
  end

  for host, part in pairs {
    [""] = "is empty", [" a"] = "blanks", ["a\tb"] = "blanks", ["a\nb"] = "blanks", ["a\0b"] = "NUL",
    ["[::1]"] = "brackets", ["a,b"] = "comma", ["a:5432"] = "holds a port", ["a/b"] = "slash", ["@x"] = "abstract",
    ["1:2:xyz"] = "IPv6", ["/" .. ("x"):rep(100)] = "bytes", [("x"):rep(260)] = "bytes",
  } do
    it(("may not be %q"):format(host:sub(1, 20)), function()
      assert_error(load_table { nodes = { { host = host } } }, part)
    end)
  end
end)

describe("nodes", function()
  it("have their own over the file's", function()
    local result = load_table {
      password = "p", connection = { sslmode = "require", keepalives = true },
      nodes = {
        { host = "a", name = "first", user = "v", password = "q", dbname = "e",
          connection = { sslmode = "disable", keepalives_idle = 5 } },
        { host = "b", password = "" }, { host = "c" },
      },
    }
    assert.same({}, result.errors)
    local first, second, third = table.unpack(result.config.nodes)
    assert.same({ "first", "a:5432", "v", "q", "e" },
      { first.name, first.id, first.user, first.password, first.dbname })
    assert.same({ { "gssencmode", "disable" }, { "keepalives", "1" }, { "keepalives_idle", "5" },
      { "sslmode", "disable" } }, first.connection)
    assert.is_nil(second.password)
    assert.equal("p", third.password)
    assert.same({ "p", "q" }, result.config.secrets)
  end)

  for part, nodes in pairs {
    ["where a list belongs"] = { host = "a" }, ["where a node belongs"] = { "a" }, ["is missing"] = { cjson.null },
  } do
    it("may not be of another shape: " .. part, function()
      if nodes[1] == cjson.null then
        nodes = { { host = cjson.null } }
      end
      assert_error(load_table { nodes = nodes }, part)
    end)
  end
end)

describe("connection", function()
  for key, part in pairs {
    host = "nodes", hostaddr = "the node's key host", port = "key port", user = "the key user",
    password = "the key password", dbname = "the key dbname", connect_timeout = "the key connect_timeout",
    replication = "ordinary", client_encoding = "UTF-8", fallback_application_name = "application_name",
    service = "host, port", target_session_attrs = "slaves alike",
  } do
    it("refuses " .. key, function()
      assert_error(load_table { connection = { [key] = "x" } }, part == "nodes" and "the node's key host" or part)
    end)
  end

  it("makes strings and absolute paths of its values", function()
    local result = load_table { connection = {
      sslrootcert = "ca.pem", passfile = "/etc/pw", keepalives = false, keepalives_idle = 15, sslkey = "engine:key",
      gssencmode = "prefer", sslpassword = "secret",
    } }
    assert.same({}, result.errors)
    assert.same({
      { "gssencmode", "prefer" }, { "keepalives", "0" }, { "keepalives_idle", "15" }, { "passfile", "/etc/pw" },
      { "sslkey", "engine:key" }, { "sslpassword", "secret" }, { "sslrootcert", "/tmp/ca.pem" },
    }, result.config.nodes[1].connection)
    assert.same({ "secret" }, result.config.secrets)
    assert_warning(load_table({ connection = { passfile = "x" } }, function() return false end),
      'no such file: "/tmp/x"')
    assert.same({}, load_table({ connection = { sslrootcert = "system" } }, function() return false end).warnings)
  end)

  it("refuses other values and shapes, without quoting them", function()
    assert_error(load_table { connection = { sslmode = { "x" } } }, "a list is no value")
    assert_error(load_table { connection = "sslmode=require" }, "where libpq keywords belong")
    assert_error(load_table { connection = { sslpassword = "x\0y" } }, "NUL")
    assert_error(load_table { connection = { sslmoed = "x" } }, '"sslmode"')
  end)

  it("refuses values that libpq would refuse without asking a server", function()
    assert_error(load_table { connection = { sslmode = "verfy-full" } }, "connection.sslmode",
      '"verfy-full" is not known (did you mean "verify-full"?)', 'verify-ca')
    assert_error(load_table { connection = { ssl_min_protocol_version = "TLSv9" } }, 'TLSv1.1, TLSv1.2')
    assert_error(load_table { connection = { channel_binding = "sure" } }, 'prefer, require')
    assert_error(load_table { connection = { gssencmode = "maybe" } }, 'disable, prefer')
    assert_error(load_table { connection = { keepalives_idle = "abc" } }, "connection.keepalives_idle", "an integer")
    assert_error(load_table { connection = { tcp_user_timeout = "1x" } }, "an integer")
    assert.same({}, load_table({ connection = { ssl_min_protocol_version = "tlsv1.2", tcp_user_timeout = "500",
      keepalives = true, sslmode = "verify-ca", keepalives_idle = " 10 ", gssencmode = "" } }).errors)
  end)
end)

describe("triggers", function()
  it("come in all their forms", function()
    local result = load_table { triggers = {
      master_up = "/bin/a 'b c'", master_down = { "x", { command = { "y", "" }, timeout = 0.5 } },
      slave_up = { command = "z 1" }, slave_down = cjson.null, trigger_timeout = nil,
    }, trigger_timeout = 7 }
    assert.same({}, result.errors)
    assert.same({
      master_up = { { kind = "command", argv = { "/bin/a", "b c" }, timeout = 7, path = "triggers.master_up" } },
      master_down = {
        { kind = "command", argv = { "x" }, timeout = 7, path = "triggers.master_down[1]" },
        { kind = "command", argv = { "y", "" }, timeout = 0.5, path = "triggers.master_down[2]" },
      },
      slave_up = { { kind = "command", argv = { "z", "1" }, timeout = 7, path = "triggers.slave_up" } },
    }, result.config.triggers)
  end)

  for part, value in pairs {
    ["an empty command"] = "  ", ["never closed"] = 'a "b', ["nothing behind it"] = "a\\", ["NUL"] = "a\0b",
    ["true or false where a trigger belongs"] = true, ["a list inside a list"] = { { "a" } },
    ["master_up: holds neither command nor lua"] = { timeout = 5 },
    ["timeout: 0 is out of range"] = { command = "a", timeout = 0 },
    ["command[2]: a number"] = { command = { "a", 5 } }, ["an empty program name"] = { command = { "", "a" } },
    ['"timeout"'] = { command = "a", timeuot = 5 }, ["where a command belongs"] = { command = 5 },
    ["master_up: holds both command and lua"] = { command = "a", lua = "x.lua" },
    ["master_up.settings: settings without lua"] = { command = "a", settings = { b = 1 } },
  } do
    it("refuse " .. part, function()
      assert_error(load_table { triggers = { master_up = value } }, part)
    end)
  end

  it("warn of what only a shell understands, and of programs that are not there", function()
    for _, line in ipairs { "a | b", "a > /x", "a && b", "a; b", "a $HOME", "a `b`" } do
      assert_warning(load_table { triggers = { slave_up = line } }, "no shell runs this")
    end
    for _, line in ipairs { "sh -c 'a | b > $X'", "a \\; b", 'a "|"', "a $", "a $5" } do
      assert.same({}, load_table({ triggers = { slave_up = line } }).warnings)
    end
    assert_warning(load_table({ triggers = { slave_up = "bin/x y" } }, nil, function(program)
      return program == "bin/x" and "it is\nnot there" or nil, "a cure"
    end), "slave_up: it is\\nnot there; cure: a cure")
  end)
end)

describe("ranges", function()
  for _, row in ipairs(settings.below("")) do
    if row.min then
      it("of " .. row.name, function()
        for _, value in ipairs { row.max + 1, row.min - 0.001, -1, "60", true, { 60 } } do
          assert_error(load_table { [row.name] = value }, "1: " .. row.name .. ": ")
        end
        assert.same({}, load_table({ [row.name] = row.max }).errors)
        local at_min = load_table { [row.name] = row.min }
        assert.equal(row.min_open and 1 or 0, #at_min.errors)
        assert.same({}, load_table({ [row.name] = cjson.null }).errors)
      end)
    end
  end
end)

describe("keys", function()
  it("that stand in the wrong place are told their place", function()
    assert_error(load_table { port = 1 }, "port: unknown key here; allowed: as a key of an entry of nodes")
    assert_error(load_table { master_up = "x" }, "allowed: as a key of triggers")
    assert_error(load_table { sslmode = "x" }, "allowed: as a key of connection")
    assert_error(load_table { nodes = { { host = "a", heartbeat = 5 } } }, "allowed: as a key of the top level")
    assert_error(load_table { token_file = "x" }, "token_file: unknown key here; allowed: as a key of http")
  end)

  it("are no key paths", function()
    assert_error(load_table { ["nodes[].host"] = "x" }, '["nodes[].host"]: unknown key')
    assert_error(load_table { ["triggers.master_up"] = "x" }, '["triggers.master_up"]: unknown key')
    assert_error(load_table { ["a\nb"] = "x" }, '["a\\nb"]: unknown key')
    assert_error(load_table { [""] = "x" }, '[""]: unknown key')
  end)

  it("that are required may not be null or empty", function()
    assert_error(load_table { dbname = cjson.null }, "dbname: is missing")
    assert_error(load_table { user = "" }, "user: is empty")
    assert_error(load_table { user = 5 }, "user: a number where a string belongs")
    assert_error(load_table { is_slave_statement = " " }, "is empty")
  end)

  it("that are a statement are one", function()
    for _, text in ipairs { "SELECT 1; SELECT pg_is_in_recovery()", "SET a = 1 ;SELECT 'a'", "SELECT $$;$$; SELECT 2",
      "SELECT ';'';'; SELECT 2", "SELECT 1 /* /* ; */ ; */; -- ;\nSELECT 2", 'SELECT ";" FROM a;b' } do
      assert_error(load_table { is_slave_statement = text }, "is_slave_statement: holds 2 statements: it is sent as "
        .. "one; allowed: one SQL statement")
    end
    for _, text in ipairs { "SELECT 1", "SELECT 1;", " ; SELECT ';' ; ; -- ; a\n /* ; b */ ;", "SELECT 'it''s; a'",
      "SELECT $a$ ; $b$ ; $a$", "SELECT a$b$ FROM \"a;b\"", "SELECT 'never ; closed", "SELECT /* ; /* ; */ a",
      "SELECT E'\\'; a'" } do
      assert.same({}, load_table { is_slave_statement = text }.errors)
    end
  end)

  it("never show a password", function()
    for _, value in ipairs { 12345678, { "12345678" }, "12345678\0" } do
      local result = load_table { password = value, nodes = { { host = "a", password = value } } }
      assert.equal(2, #result.errors)
      assert.is_nil(table.concat(result.errors):find("12345678", 1, true))
    end
  end)
end)
