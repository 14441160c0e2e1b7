-- The five early files, paths, and configurations written in Lua.
local config = require "plusmoin.config"

local made = {}

-- Writes a file into /tmp and returns its path; it is removed after the test.
local function write(name, text)
  local path = os.tmpname()
  made[#made + 1] = path
  if name then
    path = path .. name
    made[#made + 1] = path
  end
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

local function load_text(text, suffix)
  return config.load(write(suffix or ".json", text), { cwd = "/" })
end

local function all(result)
  return table.concat(result.errors, "\n")
end

describe("the files", function()
  local package_path = package.path

  after_each(function()
    for _, path in ipairs(made) do
      os.remove(path)
    end
    made = {}
    package.path = package_path
  end)

  it("have the seed's defaults, which are no guesses", function()
    assert.same({
      daemon_user = "nobody", pid_file = "/var/run/plusmoin/plusmoin.pid",
      status_file = "/var/run/plusmoin/status.json", log_file = "/var/log/plusmoin/plusmoin.log",
      control_socket = "/var/run/plusmoin/plusmoin.sock",
    }, load_text('{"dbname": 5}').files)
  end)

  it("are relative to the configuration, not to the working directory", function()
    local result = load_text '{"dbname": "d", "user": "u", "pid_file": "run/a.pid", "log_file": "./b.log"}'
    assert.equal("/tmp/run/a.pid", result.config.pid_file)
    assert.equal("/tmp/run/plusmoin.sock", result.config.control_socket)
    assert.equal("/tmp/b.log", result.config.log_file)
    local path = write(".json", '{"pid_file": "a.pid"}')
    local up = ("../"):rep(30)
    assert.equal("/x/" .. up .. "tmp/a.pid", config.load(up .. path:sub(2), { cwd = "/x" }).files.pid_file)
  end)

  it("are read from a broken file as far as it goes", function()
    local files = load_text('{"daemon_user": "pg", "status_file": "/s", "heartbeat": 1 "pid_file": "/p"}').files
    assert.same({ "pg", "/s", true }, { files.daemon_user, files.status_file, files.defaulted })
    files = load_text('{"pid_file": "/x/p", "heartbeat": 060,}').files
    assert.same({ "/x/p", "/x/plusmoin.sock" }, { files.pid_file, files.control_socket })
    assert.is_nil(files.defaulted)
  end)

  it("say when one had to be guessed", function()
    for _, text in ipairs { "", "[]", '{"pid_file": 5}', '{"pid_flie": "/x"}', '{"log_file": ""}', "{" } do
      local files = load_text(text).files
      assert.is_true(files.defaulted)
      assert.equal("/var/run/plusmoin/plusmoin.pid", files.pid_file)
    end
    assert.is_true(config.load("/nonexistent/x.json").files.defaulted)
    assert.is_true(load_text("return nil", ".lua").files.defaulted)
  end)

  it("must be files of their own, and a socket's path must fit", function()
    assert.is_truthy(all(load_text '{"pid_file": "/a", "log_file": "/a"}'):find("the same file as pid_file", 1, true))
    local dir = "/" .. ("x"):rep(95)
    assert.is_truthy(all(load_text('{"pid_file": "' .. dir .. '/p"}')):find(
      "its path has 110 bytes (the default, beside pid_file); allowed: at most 107 bytes", 1, true))
    assert.is_truthy(all(load_text '{"log_file": "/var/log/"}'):find("is a directory", 1, true))
  end)

  it("that cannot be read are told in words", function()
    assert.same({ "/nonexistent/x.json: cannot be read: No such file or directory" },
      config.load("/nonexistent/x.json").errors)
    assert.is_truthy(all(config.load("/tmp")):find("/tmp: cannot be read: Is a directory", 1, true))
    assert.is_truthy(all(config.load("/dev/zero")):find("too big", 1, true))
    assert.is_truthy(all(config.load("/dev/null")):find("empty", 1, true))
  end)
end)

describe("a Lua configuration", function()
  local package_path = package.path

  after_each(function()
    for _, path in ipairs(made) do
      os.remove(path)
    end
    made = {}
    package.path = package_path
  end)

  local HEAD = 'return {dbname = "d", user = "u", '

  for text, part in pairs {
    ["x x"] = ":1: syntax error", ["\nlocal a = nil + 1"] = ":2: attempt to perform arithmetic",
    ["error 'no'"] = ":1: no", ["error({})"] = ": raised table instead of a message",
    ["\27Lua"] = "binary chunk", ["return {1}"] = "returns a list; allowed: one table with named keys",
    ["return setmetatable({}, {})"] = "a table with a metatable", ["return"] = "returns nothing",
    [HEAD .. 'nodes = {{host = "a"}, nil, {host = "b"}}}'] = "a list with holes",
    [HEAD .. 'nodes = {host = "a"}}'] = "nodes: a table where a list belongs",
    [HEAD .. 'nodes = {{host = "a", [1] = 2}}}'] = "mixes a list with named keys",
    [HEAD .. "heartbeat = 0/0}"] = "out of range", [HEAD .. "heartbeat = 1/0}"] = "out of range",
    [HEAD .. "[true] = 1}"] = "neither names nor numbers", [HEAD .. "[1] = 1}"] = "mixes a list",
    [HEAD .. 'nodes = {{host = "a"}, {host = "b"}, {host = "c", port = 70000}}}'] = ": nodes[3].port: 70000 is out",
    [HEAD .. "triggers = {master_up = {run = print}}}"] = "triggers.master_up: holds neither command nor lua",
    [HEAD .. "triggers = {master_up = {{print}}}}"] = "triggers.master_up[1]: a list inside a list",
    [HEAD .. "connection = {sslmode = print}}"] = "a function is no value",
    [HEAD .. "is_slave_statement = 5}"] = "where a string belongs",
    ["local function f() return f() + 1 end return f()"] = "stack overflow",
    ["require 'plusmoin_no_such_module'"] = "plusmoin_no_such_module",
  } do
    it("refuses " .. ("%q"):format(text:sub(1, 60)), function()
      local path = write(".lua", text)
      local result = config.load(path, { cwd = "/" })
      assert.is_nil(result.config)
      assert.is_truthy(all(result):find(part, 1, true), all(result))
      for _, line in ipairs(result.errors) do
        assert.equal(path .. ":", line:sub(1, #path + 1))
      end
    end)
  end

  it("may require what lies beside it, begin with #! or a mark, and use empty tables", function()
    local module = write(".lua", 'return {{host = "x"}}')
    local name = module:match("([^/]+)%.lua$")
    local path = write(".lua", "#!/usr/bin/lua\n" .. HEAD .. "nodes = require '" .. name .. "', triggers = {}, "
      .. "connection = {}}")
    local result = config.load(path, { cwd = "/" })
    assert.same({}, result.errors)
    assert.equal("x", result.config.nodes[1].host)
    assert.same({}, load_text("\xEF\xBB\xBF" .. HEAD .. "nodes = {{host = 'a', port = 5432.0}}}", ".lua").errors)
    assert.same({}, load_text(HEAD .. "triggers = {master_up = {}}}", ".lua").errors)
  end)

  it("is named in full in Lua's own errors, however long its name", function()
    local path = write(("x"):rep(100) .. ".lua", "error 'no'")
    assert.same({ path .. ":1: no" }, config.load(path).errors)
  end)
end)
