-- The setting `monitors`, key by key.
local cjson = require "cjson"
local config = require "plusmoin.config"
local loading = require "spec.support.loading"

local URL = "http://127.0.0.1:2379"

before_each(loading.setup)
after_each(loading.teardown)

local function load_monitors(monitors, env, more)
  env = env or {}
  env.cwd, env.host = "/", env.host or "box"
  local keys = { monitors = monitors }
  for key, value in pairs(more or {}) do
    keys[key] = value
  end
  return loading.object(keys, env)
end

local function assert_error(monitors, part, env)
  return loading.assert_key_error(load_monitors(monitors, env), "monitors", part)
end

describe("monitors", function()
  it("are none unless they are given", function()
    assert.is_nil(load_monitors(nil).config.monitors)
    assert.is_nil(load_monitors(cjson.null).config.monitors)
  end)

  it("meet at one member of etcd or several", function()
    local result = load_monitors { etcd = URL }
    assert.same({}, result.errors)
    assert.same({}, result.warnings)
    assert.same({ etcd = { URL }, prefix = "/plusmoin/main/", name = "box", ttl = 5, votes = 0, away = "hold" },
      result.config.monitors)
    assert.same({}, result.config.secrets)
    local etcd = { "https://[fd00::1]:2379", "https://etcd-2.example.com:2379", "https://10.0.0.3:2379" }
    result = load_monitors { etcd = etcd, prefix = "/a b/c/", name = "monitor 1", ttl = 60, user = "pm",
      password = "geheim", cafile = "ca.pem", certfile = "/x/c.pem", keyfile = "/x/c.key" }
    assert.same({}, result.errors)
    assert.same({}, result.warnings)
    assert.same({ etcd = etcd, prefix = "/a b/c/", name = "monitor 1", ttl = 60, user = "pm", password = "geheim",
      cafile = loading.dir .. "/ca.pem", certfile = "/x/c.pem", keyfile = "/x/c.key", votes = 0, away = "hold" },
      result.config.monitors)
    assert.same({ "geheim" }, result.config.secrets)
  end)

  for part, monitors in pairs {
    ["monitors: a string where the settings of monitors belong; allowed: an object with etcd"] = URL,
    ["monitors: holds no etcd; allowed: an object with etcd"] = { ttl = 5 },
    ['monitors.etdc: unknown key; the nearest known key is "etcd"'] = { etcd = URL, etdc = URL },
    ["monitors.etcd: a number where a string belongs"] = { etcd = 2379 },
    ['monitors.etcd[2]: "10.0.0.1:2379" does not begin with http:// or https://; allowed: "http://HOST:PORT"'] =
      { etcd = { URL, "10.0.0.1:2379" } },
    ['monitors.etcd: "unix:///x" does not begin with'] = { etcd = "unix:///x" },
    ['monitors.etcd: "http://a" has no port'] = { etcd = "http://a" },
    ['monitors.etcd: "http://a:0" has a port that is out of range'] = { etcd = "http://a:0" },
    ['monitors.etcd: "http://a:2379/" has something behind the port'] = { etcd = "http://a:2379/" },
    ['monitors.etcd: "http://a:2379/v3" has something behind the port'] = { etcd = "http://a:2379/v3" },
    ['monitors.etcd: "http://a:2379?x" has something behind the port'] = { etcd = "http://a:2379?x" },
    ['monitors.etcd: "http://a b:1" is no host and port'] = { etcd = "http://a b:1" },
    ['monitors.etcd: "http://::1:2379" is no host and port'] = { etcd = "http://::1:2379" },
    ['monitors.etcd[2]: "http://127.0.0.1:2379" is there twice; allowed: each member once'] = { etcd = { URL, URL } },
    ['monitors.prefix: "plusmoin/" does not begin and end with a slash'] = { etcd = URL, prefix = "plusmoin/" },
    ['monitors.prefix: "/plusmoin" does not begin and end with a slash'] = { etcd = URL, prefix = "/plusmoin" },
    ['monitors.prefix: "/" is no prefix: keys of other programs may begin with it, too'] = { etcd = URL, prefix = "/" },
    ["monitors.prefix: holds control characters"] = { etcd = URL, prefix = "/a\n/" },
    ['monitors.name: "a/b" holds a slash'] = { etcd = URL, name = "a/b" },
    ["monitors.name: holds control characters"] = { etcd = URL, name = "a\tb" },
    ["monitors.name: is empty"] = { etcd = URL, name = " " },
    ["has 256 bytes; allowed: a name of at most 255"] = { etcd = URL, name = ("x"):rep(256) },
    ["monitors.ttl: 1 is out of range; allowed: a whole number from 2 to 60"] = { etcd = URL, ttl = 1 },
    ["monitors.ttl: 61 is out of range"] = { etcd = URL, ttl = 61 },
    ["monitors.ttl: 2.5 is not whole"] = { etcd = URL, ttl = 2.5 },
    ["monitors.user: stands without password; allowed: both, or neither"] = { etcd = URL, user = "u" },
    ["monitors.password: stands without user"] = { etcd = URL, password = "p" },
    ["monitors.password: is empty"] = { etcd = URL, user = "u", password = "" },
    ["monitors.certfile: stands without keyfile"] = { etcd = "https://a:1", certfile = "/c" },
    ["monitors.keyfile: stands without certfile"] = { etcd = "https://a:1", keyfile = "/c" },
    ['monitors.cafile: "/etc/" is a directory'] = { etcd = "https://a:1", cafile = "/etc/" },
    ["monitors.votes: a string is no number of votes; allowed: \"majority\", \"any\" or a whole number from 1 to 99"] =
      { etcd = URL, votes = "most" },
    ["monitors.votes: a number is no number of votes"] = { etcd = URL, votes = 0 },
    ["monitors.votes: a number is no number of votes; allowed: "] = { etcd = URL, votes = 100 },
    ["monitors.votes: a number is no number of votes; allowed"] = { etcd = URL, votes = 1.5 },
  } do
    it("are refused: " .. part, function()
      assert_error(monitors, part)
    end)
  end

  for value, votes in pairs { majority = 0, any = -1, [1] = 1, [99] = 99 } do
    it("take losses for that with votes = " .. value, function()
      assert.equal(votes, load_monitors({ etcd = URL, votes = value }).config.monitors.votes)
    end)
  end

  it("are refused with an empty list", function()
    local text = '{"dbname": "d", "user": "u", "monitors": {"etcd": [], "name": "a"}}'
    local result = config.load(loading.write("c.json", text), { cwd = "/" })
    assert.equal(1, #result.errors)
    assert.is_truthy(result.errors[1]:find("1: monitors.etcd: is an empty list; allowed: ", 1, true), result.errors[1])
  end)

  it("let a trigger run once at most", function()
    local result = load_monitors({ etcd = URL }, nil, { triggers = { master_up = {
      { command = "/bin/true", rerun = false }, { command = "/bin/true", rerun = true, alone = "act" },
      "/bin/true" } } })
    assert.same({}, result.errors)
    local once = {}
    for i, action in ipairs(result.config.triggers.master_up) do
      once[i] = tostring(action.once)
    end
    assert.same({ "true", "false", "nil" }, once)
    assert.is_true(result.config.triggers.master_up[2].acts_alone)
    result = load_monitors({ etcd = URL }, nil, { triggers = { master_up = { command = "/bin/true", rerun = "no" } } })
    assert.truthy(result.errors[1]:find("triggers.master_up.rerun", 1, true), result.errors[1])
  end)

  it("say what triggers do while etcd is away that do not say it themselves", function()
    local function acting(away)
      local result, said = load_monitors({ etcd = URL, away = away }, nil, { triggers = { master_up = {
        "/bin/true", { command = "/bin/true", alone = "hold" }, { command = "/bin/true", alone = "act" },
        { command = "/bin/true", rerun = false }, { command = "/bin/true", rerun = false, alone = "act" } } } }), {}
      assert.same({}, result.errors)
      for i, action in ipairs(result.config.triggers.master_up) do
        said[i] = action.acts_alone and "act" or "hold"
      end
      return said
    end
    assert.same({ "hold", "hold", "act", "hold", "act" }, acting(nil))
    assert.same({ "hold", "hold", "act", "hold", "act" }, acting("hold"))
    assert.same({ "act", "hold", "act", "hold", "act" }, acting("act"))
    assert_error({ etcd = URL, away = "wait" }, 'monitors.away: "wait" is not known; allowed: hold, act')
  end)

  it("have no password in a URL, and none in the message about it", function()
    local message = assert_error({ etcd = "http://u:geheim@a:2379" }, "user and password have settings of their own")
    assert.is_nil(message:find("geheim", 1, true))
  end)

  it("have the machine's name, where that is one", function()
    assert.equal("db-1.example.com", load_monitors({ etcd = URL }, { host = "db-1.example.com" }).config.monitors.name)
    assert_error({ etcd = URL }, 'monitors.name: is missing, and the machine\'s host name cannot be used: ""',
      { host = "" })
    loading.assert_warning(load_monitors({ etcd = URL }, { host = "localhost.localdomain" }),
      "two monitors of one name are refused")
    assert.same({}, load_monitors({ etcd = URL, name = "x" }, { host = "" }).errors)
    assert.same({}, load_monitors({ etcd = URL }, { host = "", names_only = true }).errors)
  end)

  it("must be able to read the files", function()
    local monitors = { etcd = "https://a:1", cafile = "/ca", certfile = "/cert", keyfile = "/key" }
    local function env(unreadable, mode)
      return { readable = function(path) return path ~= unreadable end, mode = function() return mode end }
    end
    assert_error(monitors, 'monitors.cafile: "/ca" cannot be read; allowed: a file that daemon_user can read',
      env "/ca")
    assert_error(monitors, 'monitors.certfile: "/cert" cannot be read', env "/cert")
    assert_error(monitors, 'monitors.keyfile: "/key" cannot be read; allowed: a file of daemon_user\'s', env "/key")
    loading.assert_warning(load_monitors(monitors, env(nil, 420)), 'monitors.keyfile: "/key" can be read by everybody')
    assert.same({}, load_monitors(monitors, env(nil, 416)).warnings)
    local names = env "/ca"
    names.names_only = true
    assert.same({}, load_monitors(monitors, names).errors)
  end)

  it("are warned of what is perhaps not meant", function()
    loading.assert_warning(load_monitors { etcd = URL, cafile = "/ca" },
      "monitors.cafile: is not used: no URL of etcd begins with https")
    loading.assert_warning(load_monitors { etcd = { URL, "http://10.0.0.1:2379" }, user = "u", password = "geheim" },
      'monitors.etcd: the password goes to "http://10.0.0.1:2379" as plain text; https hides it')
    for _, url in ipairs { URL, "http://[::1]:1", "http://localhost:2", "https://10.0.0.1:2379" } do
      assert.same({}, load_monitors({ etcd = url, user = "u", password = "geheim" }).warnings)
    end
    loading.assert_warning(load_monitors({ etcd = URL }, nil, { state_file = "/var/lib/x" }),
      "state_file: is read only while etcd holds nothing yet: what monitors know is kept there")
    assert.same({}, load_monitors(nil, nil, { state_file = "/var/lib/x" }).warnings)
  end)
end)
