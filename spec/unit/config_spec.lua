-- Good and bad configuration files, JSON and Lua.
local config = require "plusmoin.config"

local package_path = package.path

after_each(function()
  package.path = package_path
end)

local KEYWORDS = { sslmode = true, passfile = true, keepalives_idle = true, host = true, gssencmode = true }

local function load_text(text, suffix)
  local base = os.tmpname()
  local path = base .. (suffix or ".json")
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local result = config.load(path, { cwd = "/", libpq_keywords = KEYWORDS })
  os.remove(path)
  os.remove(base)
  for _, list in ipairs { result.errors, result.warnings } do
    for i, line in ipairs(list) do
      assert.equal(path, line:sub(1, #path))
      list[i] = line:sub(#path + 2)
    end
  end
  return result
end

-- A file with the required keys and one node, and `more` in line 2.
local function with(more)
  return '{"dbname": "d", "user": "u", "nodes": [{"host": "a"}],\n' .. more .. "}"
end

-- What stands in line 2, and a part of the one error it must give.
local BAD = {
  { '"heartbeat": "60"', "2: heartbeat: a number in quotes" },
  { '"heartbeat": true', "2: heartbeat: true is no number" },
  { '"heartbeat": 0', "2: heartbeat: 0 is out of range" },
  { '"heartbeat": 0.04', "out of range" },
  { '"heartbeat": 86401', "out of range" },
  { '"heartbeat": NaN', "NaN" },
  { '"heartbeat": 1e400', "too big" },
  { '"heartbeat": 0x10', "hexadecimal" },
  { '"heartbeat": 060', "leading zeros" },
  { '"heartbeat": 60,', "trailing comma" },
  { '"heartbeat": 60, "heartbeat": 61', "duplicate key" },
  { '"hartbeat": 60', 'nearest known key is "heartbeat"' },
  { '"down_after": 1.5', "down_after: 1.5 is not whole" },
  { '"down_after": 101', "out of range" },
  { '"trigger_parallel": 0', "out of range" },
  { '"log_level": "warn"', "allowed: error, warning, info, debug" },
  { '"log_format": "xml"', "allowed: text, json" },
  { '"http": "x"', "2: http: a string where the window's settings belong" },
  { '"http": {"listen": []}', "2: http.listen: is an empty list" },
  { '"isolation_grace": -1', "isolation_grace: -1 is out of range" },
  { '"isolation_grace": "5"', "a number in quotes" },
  { '"isolation_anchors": "10.0.0.1:53"', "isolation_anchors: a string where a list belongs" },
  { '"isolation_anchors": ["10.0.0.1"]', 'isolation_anchors[1]: "10.0.0.1" has no port' },
  { '"isolation_anchors": ["gate:70000"]', 'isolation_anchors[1]: "gate:70000" has a port that is out of range' },
  { '"isolation_anchors": ["fe80::1:53"]', 'is no host and port' },
  { '"isolation_anchors": [17]', "isolation_anchors[1]" },
  { '"second_opinion": 1', "second_opinion: a number where true or false belongs" },
  { '"second_opinion": "true"', "second_opinion: a string where true or false belongs" },
  { '"hold_on": "full"', "a string where a list belongs" },
  { '"hold_on": ["full", "ful"]', 'hold_on[2]: "ful" is not known (did you mean "full"?)' },
  { '"hold_on": ["same_server"]', 'hold_on[1]: "same_server" is not known' },
  { '"hold_on": ["full", 5]', "hold_on[2]: a number where a word belongs" },
  { '"triggers": {"master_up": {"lua": "none.lua"}}', '2: triggers.master_up.lua: no such file: tried "/tmp/' },
  { '"triggers": {"master_upp": "x"}', '"master_up"' },
  { '"triggers": {"master_up": "a \'b"}', "never closed" },
  { '"triggers": {"master_up": 5}', "a number where a trigger belongs" },
  { '"connection": {"host": "x"}', "2: connection.host: may not be set here" },
  { '"connection": {"sslmod": "x"}', '"sslmode"' },
  { '"dbname2": "\\u0000"', "unknown key" },
  { '"is_slave_statement": "\\u0000"', "NUL" },
  { '"control_socket": "/' .. ("x"):rep(107) .. '"', "at most 107 bytes" },
  { '"heartbeat": 60 /* never closed', "never closed" },
}

local BAD_NODES = {
  { '{"host": ""}', "is empty" },
  { '{"host": "a b"}', "blanks" },
  { '{"host": "[::1]"}', "without them" },
  { '{"port": 1}', "nodes[1].host: is missing" },
  { '{"host": "a", "port": 0}', "nodes[1].port: 0 is out of range" },
  { '{"host": "a", "port": "5432"}', "number in quotes" },
  { '{"host": "a", "port": 65536}', "out of range" },
  { '{"host": "a"}, {"host": "a", "port": 5432}', "nodes[2]: the same host and port (a:5432) as nodes[1]" },
  { '{"host": "a", "ignore_system_id": 1}', "ignore_system_id: a number where true or false belongs" },
}

local WHOLE = {
  { "", "the file is empty" }, { "// only\n", "nothing but comments" }, { "[]", "one object" },
  { "{} x", "behind the end" }, { "{\0}", "NUL byte" }, { "{", "ends too early" },
  { ("["):rep(200), "nested too deep" },
}

local function has(list, part)
  return table.concat(list, "\n"):find(part, 1, true) ~= nil
end

describe("config.load", function()
  for _, case in ipairs(BAD) do
    it("refuses " .. case[1]:sub(1, 60), function()
      local result = load_text(with(case[1]))
      assert.is_nil(result.config)
      assert.is_true(has(result.errors, case[2]), table.concat(result.errors, "\n"))
    end)
  end

  for _, case in ipairs(BAD_NODES) do
    it("refuses the nodes " .. case[1], function()
      local result = load_text('{"dbname": "d", "user": "u", "nodes": [' .. case[1] .. "]}")
      assert.equal(1, #result.errors)
      assert.is_true(has(result.errors, case[2]), table.concat(result.errors, "\n"))
    end)
  end

  for _, case in ipairs(WHOLE) do
    it("refuses the file " .. ("%q"):format(case[1]:sub(1, 20)), function()
      assert.is_true(has(load_text(case[1]).errors, case[2]))
    end)
  end

  it("reports all errors at once", function()
    local result = load_text('{"heartbeat": 0,\n"down_after": 0,\n"nodes": [{"host": 5}]}')
    assert.equal(5, #result.errors)
  end)

  it("takes a byte order mark", function()
    assert.same({}, load_text("\xEF\xBB\xBF" .. with '"heartbeat": 1').errors)
  end)

  it("normalises", function()
    local result = load_text(with([["password": "p", "heartbeat": 0.5, "max_sync_delay": 30, "log_level": null,
      "connection": {"sslmode": "require", "passfile": "pw"},
      "triggers": {"master_up": [null, "a 'b c'", {"command": ["x", ""], "timeout": 5}]}]]))
    assert.same({}, result.errors)
    local made = result.config
    assert.equal(30, made.recover_sync_delay)
    assert.equal(0.5, made.retry_interval)
    assert.equal(0.5, made.restart_grace)
    assert.equal(10, made.query_timeout)
    assert.same({ "p" }, made.secrets)
    assert.equal("a:5432", made.nodes[1].name)
    assert.equal("integer", math.type(made.nodes[1].port))
    assert.same({ { "gssencmode", "disable" }, { "passfile", "/tmp/pw" }, { "sslmode", "require" } },
      made.nodes[1].connection)
    assert.same({
      { kind = "command", argv = { "a", "b c" }, timeout = 60, path = "triggers.master_up[2]" },
      { kind = "command", argv = { "x", "" }, timeout = 5, path = "triggers.master_up[3]" },
    }, made.triggers.master_up)
  end)

  it("warns", function()
    assert.is_true(has(load_text(with '"recover_sync_delay": 121').warnings, "counts as 120"))
    assert.is_true(has(load_text(with '"retry_interval": 61').warnings, "counts as 60"))
    assert.is_true(has(load_text(with '"heartbeat": 200').warnings, "longer than max_sync_delay"))
    assert.is_true(has(load_text(with '"min_sync_delay": 5').warnings, "min_sync_delay"))
    assert.is_true(has(load_text('{"dbname": "d", "user": "u"}').warnings, "no nodes"))
    assert.same({}, load_text(with '"max_sync_delay": 60').warnings)
  end)

  describe("takes a node's own delays:", function()
    local function loaded(fleet, ...)
      return load_text(('{"dbname": "d", "user": "u", "nodes": [{"host": "a"}, {"host": "b", %s}]%s}')
        :format(table.concat({ ... }, ", "), fleet))
    end

    -- the fleet's two, what the node says, what it has then
    for _, case in ipairs {
      { "", '"max_sync_delay": 3600', 3600, 3540 },
      { ', "max_sync_delay": 100, "recover_sync_delay": 90', '"max_sync_delay": 30', 30, 20 },
      { "", '"max_sync_delay": 70', 70, 35 }, -- half of it, not 10
      { ', "max_sync_delay": 50', '"max_sync_delay": 30', 30, 30 }, -- recover_sync_delay is 50, too
      { "", '"max_sync_delay": 300, "recover_sync_delay": 7', 300, 7 },
      { "", '"recover_sync_delay": 7', nil, 7 },
    } do
      it(case[2] .. case[1], function()
        local result = loaded(case[1] .. ', "heartbeat": 5', case[2])
        assert.same({}, result.errors)
        assert.same({}, result.warnings)
        assert.is_nil(result.config.nodes[1].max_sync_delay)
        assert.is_nil(result.config.nodes[1].recover_sync_delay)
        assert.equal(case[3], result.config.nodes[2].max_sync_delay)
        assert.equal(case[4], result.config.nodes[2].recover_sync_delay)
      end)
    end

    it("one that is too great", function()
      local result = loaded("", '"max_sync_delay": 300', '"recover_sync_delay": 301')
      assert.is_true(has(result.warnings, "nodes[2].recover_sync_delay: 301 is more than its max_sync_delay; "
        .. "counts as 300"))
      assert.equal(300, result.config.nodes[2].recover_sync_delay)
      result = loaded("", '"recover_sync_delay": 121')
      assert.is_true(has(result.warnings, "nodes[2].recover_sync_delay: 121 is more"))
      assert.equal(120, result.config.nodes[2].recover_sync_delay)
    end)

    it("one that is too small", function()
      assert.is_true(has(loaded("", '"max_sync_delay": 30').warnings, "nodes[2].max_sync_delay: heartbeat (60) is "
        .. "longer than its max_sync_delay (30)"))
      assert.is_true(has(loaded("", '"max_sync_delay": 0').errors, "nodes[2].max_sync_delay"))
      assert.is_true(has(loaded("", '"recover_sync_delay": -1').errors, "from 0.05 to 86400"))
    end)
  end)

  it("keeps the files of a broken configuration", function()
    local files = load_text('{"pid_file": "/x/y.pid", "heartbeat": }').files
    assert.equal("/x/y.pid", files.pid_file)
    assert.equal("/x/plusmoin.sock", files.control_socket)
    assert.is_true(files.defaulted)
  end)

  it("answers for a file that is not there", function()
    local result = config.load("/nonexistent/plusmoin.json")
    assert.equal(1, #result.errors)
    assert.equal("nobody", result.files.daemon_user)
  end)

  it("runs Lua", function()
    local good = load_text('local t = {} for i = 1, 3 do t[i] = {host = "db" .. i} end '
      .. 'return {dbname = "d", user = "u", nodes = t}', ".lua")
    assert.same({}, good.errors)
    assert.equal(3, #good.config.nodes)
    assert.is_nil((";" .. package.path .. ";"):find(";./?.lua;", 1, true))
    assert.equal("/tmp/?.lua;/tmp/?/init.lua;", package.path:sub(1, 27))
    local bad = load_text('return {dbname = "d", user = "u", nodes = {{host = "a", port = 0}},'
      .. "triggers = {master_up = {{run = print}}}}", ".lua")
    assert.is_true(has(bad.errors, "nodes[1].port: 0 is out of range"))
    assert.is_true(has(bad.errors, "triggers.master_up[1].run: unknown key"))
    assert.is_true(has(load_text("return 5", ".lua").errors, "allowed: one table"))
    assert.is_true(has(load_text("x x", ".lua").errors, "1: "))
    assert.is_true(has(load_text("error(nil)", ".lua").errors, "raised nil"))
  end)
end)
