-- The setting `http`, key by key.
local cjson = require "cjson"
local disk = require "plusmoin.config.disk"
local loading = require "spec.support.loading"

local TOKEN = ("0123456789abcdef"):rep(2) .. "-._~+/=="

before_each(loading.setup)
after_each(loading.teardown)

local files = 0

local function write(text)
  files = files + 1
  return loading.write("token" .. files, text)
end

local function load_http(http, env)
  env = env or {}
  env.cwd = "/"
  return loading.object({ http = http, control_socket = "/run/x/control.sock" }, env)
end

local function assert_error(http, part)
  loading.assert_key_error(load_http(http), "http", part)
end

describe("http", function()
  it("is off unless it is given", function()
    assert.is_nil(load_http(nil).config.http)
    assert.is_nil(load_http(cjson.null).config.http)
  end)

  it("listens at one place or several", function()
    local result = load_http { listen = "127.0.0.1:8008" }
    assert.same({}, result.errors)
    assert.same({}, result.warnings)
    assert.same({ listen = { "127.0.0.1:8008" }, hosts = {}, isolated = "last" }, result.config.http)
    result = load_http { listen = { "[::1]:8008", "/run/x/web.sock", "run/web.sock", "127.9.9.9:1" }, agent = "/a.sock",
      hosts = { "db.example.com", "::1", "10.0.0.1" }, isolated = "503", token_file = cjson.null }
    assert.same({}, result.errors)
    assert.same({}, result.warnings)
    assert.same({ listen = { "[::1]:8008", "/run/x/web.sock", loading.dir .. "/run/web.sock", "127.9.9.9:1" },
      agent = "/a.sock",
      hosts = { "db.example.com", "::1", "10.0.0.1" }, isolated = "503" }, result.config.http)
    assert.same({ listen = {}, hosts = {}, agent = "127.0.0.1:8009", isolated = "last" },
      load_http({ agent = "127.0.0.1:8009" }).config.http)
  end)

  for part, http in pairs {
    ["http: holds neither listen nor agent; allowed: an object with listen"] = { hosts = { "a" } },
    ['http.lisen: unknown key; the nearest known key is "listen"'] = { lisen = "127.0.0.1:1", agent = "127.0.0.1:2" },
    ['http.listen: "127.0.0.1" has no port; allowed: "address:port"'] = { listen = "127.0.0.1" },
    ['http.listen: "::1:80" is no host and port'] = { listen = "::1:80" },
    ['http.listen: "localhost:80" is no address: names are not looked up'] = { listen = "localhost:80" },
    ['http.listen: "256.0.0.1:80" is no address'] = { listen = "256.0.0.1:80" },
    ['http.listen: "127.0.0.1:0" has a port that is out of range'] = { listen = "127.0.0.1:0" },
    ['http.listen: "*:80" has no address; 0.0.0.0 is all of IPv4'] = { listen = "*:80" },
    ['http.listen: ":80" has no address'] = { listen = ":80" },
    ["http.listen: a number where a string belongs"] = { listen = 8008 },
    ['http.listen[2]: "x y" is no host'] = { listen = { "127.0.0.1:1", "x y" } },
    ["of which a socket has at most 107"] = { listen = "/" .. ("x"):rep(107) },
    ['http.listen: "/run/" is a directory'] = { listen = "/run/" },
    ['http.listen: "127.0.0.1:1" is http.listen as well'] = { listen = { "127.0.0.1:1", "127.0.0.1:1" } },
    ['http.listen: "/run/x/control.sock" is control_socket as well'] = { listen = "/run/x/control.sock" },
    ['http.agent: "127.0.0.1:1" is http.listen as well'] = { listen = "127.0.0.1:1", agent = "127.0.0.1:1" },
    ["http.agent: a list where a string belongs"] = { agent = { "127.0.0.1:1" } },
    ["http.hosts: a string where a list belongs"] = { listen = "127.0.0.1:1", hosts = "a" },
    ['http.hosts[2]: "a:80" holds a port'] = { listen = "127.0.0.1:1", hosts = { "a", "a:80" } },
    ['http.hosts[1]: "[::1]" holds brackets'] = { listen = "127.0.0.1:1", hosts = { "[::1]" } },
    ['http.hosts[1]: "a b" is no name'] = { listen = "127.0.0.1:1", hosts = { "a b" } },
    ['http.isolated: "lost" is not known (did you mean "last"?); allowed: last, 503'] =
      { listen = "127.0.0.1:1", isolated = "lost" },
    ["http.isolated: a number where a word belongs"] = { listen = "127.0.0.1:1", isolated = 503 },
    ["http.token_file: a number where a string belongs"] = { listen = "127.0.0.1:1", token_file = 5 },
  } do
    it("is refused: " .. part, function()
      assert_error(http, part)
    end)
  end

  it("that strangers reach has a token, or a warning", function()
    for _, listen in ipairs { "0.0.0.0:80", "[::]:80", "10.0.0.1:80" } do
      loading.assert_warning(load_http { listen = { "127.0.0.1:80", listen } },
        ("http.listen: %q can be reached by other machines, and there is no token_file"):format(listen))
      assert.same({}, load_http({ listen = listen, token_file = write(TOKEN) }).warnings)
    end
  end)
end)

describe("http.token_file", function()
  for name, text in pairs { ["alone"] = TOKEN, ["a line"] = TOKEN .. "\n", ["more lines"] = TOKEN .. "\r\nmore\n" } do
    it("holds the token: " .. name, function()
      local result = load_http { listen = "127.0.0.1:1", token_file = write(text) }
      assert.same({}, result.errors)
      assert.same({}, result.warnings)
      assert.equal(TOKEN, result.config.http.token)
      assert.same({ TOKEN }, result.config.secrets)
    end)
  end

  it("is beside the configuration, as other paths are", function()
    local file = write(TOKEN)
    local result = load_http { listen = "127.0.0.1:1", token_file = file:match("[^/]*$") }
    assert.same({ file, TOKEN }, { result.config.http.token_file, result.config.http.token })
  end)

  it("may have 512 bytes, and no more", function()
    assert.equal(512, #load_http({ listen = "127.0.0.1:1", token_file = write(("x"):rep(512) .. "\r\n") })
      .config.http.token)
    assert_error({ listen = "127.0.0.1:1", token_file = write(("x"):rep(513)) }, "more than 512 bytes")
    assert_error({ listen = "127.0.0.1:1", token_file = write(("x"):rep(100000)) }, "more than 512 bytes")
  end)

  for part, text in pairs {
    ["is empty, or its first line is"] = "", ["first line is"] = "\n" .. TOKEN,
    ["no bearer token can have"] = "with blanks in it", ["no bearer token"] = "a\0b", ["holds what no"] = "=abc",
    ["what no bearer"] = "p\xC3\xA4sswort",
  } do
    it("is refused: " .. part, function()
      local path = write(text)
      assert_error({ listen = "127.0.0.1:1", token_file = path }, part)
      assert.is_nil(load_http({ listen = "127.0.0.1:1", token_file = path }).errors[1]:find("blanks in", 1, true))
    end)
  end

  it("is refused when it cannot be read", function()
    assert_error({ listen = "127.0.0.1:1", token_file = "/nonexistent/token" }, "cannot be read: No such file")
    assert_error({ listen = "127.0.0.1:1", token_file = disk.directory(write "") }, "cannot be read: Is a directory")
  end)

  it("is not read where nobody listens: for the names of files, for one trigger", function()
    for _, env in ipairs { { names_only = true }, { trigger = "/x.lua" } } do
      local errors = load_http({ listen = "127.0.0.1:1", token_file = "/nonexistent/token" }, env).errors
      assert.is_nil(table.concat(errors, "\n"):find("token", 1, true))
    end
  end)

  it("warns of a token that others can read or guess", function()
    local function mode(bits)
      return { mode = function() return bits end }
    end
    local http = { listen = "127.0.0.1:1", token_file = write(TOKEN) }
    loading.assert_warning(load_http(http, mode(420)), "can be read by everybody; its mode should be 0640 or 0600")
    assert.same({}, load_http(http, mode(416)).warnings)
    loading.assert_warning(load_http { listen = "127.0.0.1:1", token_file = write "short" },
      "has 5 bytes and can be guessed")
  end)
end)
