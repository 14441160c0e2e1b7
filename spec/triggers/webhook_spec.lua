-- triggers/webhook.lua: what it posts, how often, and what it says; then once from the daemon.
local cjson = require "cjson"
local peer = require "spec.support.peer"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local testing = require "plusmoin.testing"

local FILE = "triggers/webhook.lua"
local URL = "https://hooks.example.com/secret"

local function raises(fn, ...)
  local ok, why = pcall(fn)
  assert.is_false(ok)
  for _, part in ipairs { ... } do
    assert.is_truthy(tostring(why):find(part, 1, true), ("%q is not in: %s"):format(part, tostring(why)))
  end
  return tostring(why)
end

describe("triggers/webhook.lua", function()
  after_each(scene.finish)

  it("posts the event, with its id as the idempotency key", function()
    local t = testing.new()
    t:expect("http", { method = "POST", url = URL, headers = { ["Content-Type"] = "application/json" } }, "")
    local event = t:event("slave_down")
    t:run(t:load(FILE, { url = URL }), event)
    t:done()
    local spec = t.calls[1].spec
    local body = cjson.decode(spec.body)
    assert.equal(event.id, spec.headers["Idempotency-Key"])
    assert.same({ "slave_down", "db2:5432", "refused", "db1:5432" },
      { body.name, body.trigger.name, body.trigger.reason, body.master.name })
    assert.truthy(spec.body:find('"slaves":[]', 1, true))
  end)

  it("says one line to chat rooms", function()
    local t = testing.new()
    t:allow("http", nil, "")
    local hook = t:load(FILE, { url = URL, format = "chat" })
    t:run(hook, t:event("slave_down"))
    t:run(hook, t:event("master_up", { master = "db2" }))
    t:run(hook, t:event("plusmoin_up"))
    local said = {}
    for i, call in ipairs(t.calls) do
      said[i] = cjson.decode(call.spec.body).text
    end
    assert.same({ "slave down db2:5432 in cluster 0: Connection refused (S1)", "master up db2:5432 in cluster 0 (M4)",
      "plusmoin up in cluster 0" }, said)
  end)

  it("tries again, later and later, or when it is told to", function()
    local t = testing.new()
    t:expect("http", nil, nil, "timed out")
    t:expect("http", nil, { status = 503, body = "down\n" })
    t:expect("http", nil, { status = 429, headers = { ["Retry-After"] = "7" } })
    t:expect("http", nil, { takes = 60 })
    t:expect("http", nil, { status = 204 })
    t:run(t:load(FILE, { url = URL, timeout = 60 }), t:event("master_down"))
    t:done()
    local at = {}
    for i, call in ipairs(t.calls) do
      at[i] = call.at - t.calls[1].at
    end
    assert.same({ 0.0, 0.5, 1.5, 8.5, 22.5 }, at) -- the fourth took 10 s, and the next came 4 s later
    assert.is_true(t:logged("warning", "https://hooks.example.com: 503 down , again in 1 s"))
    for _, line in ipairs(t.logs) do
      assert.is_nil(line.text:find("secret", 1, true), line.text)
    end
  end)

  it("gives up when its time is over, and at once where trying is no use", function()
    local t = testing.new()
    t:allow("http", nil, nil, "refused")
    local words = raises(function() t:run(t:load(FILE, { url = URL, timeout = 5 }), t:event("master_down")) end,
      "webhook: https://hooks.example.com: refused, after 4 attempts in 5 s")
    assert.is_nil(words:find("secret", 1, true))
    assert.is_true(t.elapsed < 5)
    t = testing.new()
    t:expect("http", nil, { status = 404, body = "no\nsuch hook" })
    raises(function() t:run(t:load(FILE, { url = URL }), t:event("master_down")) end, "404 no such hook")
  end)

  it("takes secret headers from a file, each time", function()
    local path = os.tmpname()
    local t = testing.new()
    local hook = t:load(FILE, { url = URL, header_file = path, headers = { ["X-Team"] = "db" } })
    t:allow("http", nil, "")
    for _, secret in ipairs { "one", "two" } do
      local file = assert(io.open(path, "w"))
      file:write("Authorization: Bearer " .. secret .. " \n\n")
      file:close()
      t:run(hook, t:event("plusmoin_up"))
    end
    assert.same({ "Bearer one", "Bearer two", "db" }, { t.calls[1].spec.headers.Authorization,
      t.calls[2].spec.headers.Authorization, t.calls[1].spec.headers["X-Team"] })
    local file = assert(io.open(path, "w"))
    file:write("A: b\nno header\n")
    file:close()
    raises(function() t:run(hook, t:event("plusmoin_up")) end, path .. ": line 2 is no header; allowed: Name: value")
    os.remove(path)
    raises(function() t:run(hook, t:event("plusmoin_up")) end, path .. ": No such file")
  end)

  it("says what is wrong with its settings", function()
    local wrong = {
      { {}, "webhook: settings.url is missing; allowed: https://... or http://..." },
      { { url = "hooks.example.com" }, 'settings.url is "hooks.example.com"; allowed: ' },
      { { url = URL, format = "xml" }, 'settings.format is "xml"; allowed: "json" or "chat"' },
      { { url = URL, header_file = "x" }, 'settings.header_file is "x"; allowed: the absolute path' },
      { { url = URL, headers = { a = "b\n" } }, "settings.headers is a table; allowed: " },
      { { url = URL, timeuot = 1 }, 'unknown setting "timeuot"; did you mean "timeout"?' },
    }
    for _, case in ipairs(wrong) do
      raises(function() testing.new():load(FILE, case[1]) end, case[2])
    end
  end)

  it("posts from the daemon, and again when it is asked to", function()
    local heard = {}
    local server = peer.serving(function(one)
      local text = ""
      one:read_start(function(_, data)
        text = text .. (data or "")
        local length = tonumber(text:match("\r\nContent%-Length: (%d+)"))
        local body = text:match("\r\n\r\n(.*)$")
        if data and length and body and #body >= length then
          heard[#heard + 1] = text
          one:write(("HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n"):format(#heard == 1 and "503 Busy" or "200 OK"),
            function()
            one:close()
          end)
        end
      end)
    end)
    local master = pg.cluster(0)
    local daemon = plusmoin.start { nodes = { master }, nowait = true,
      files = { ["webhook.lua"] = assert(proc.read_file(FILE)) }, triggers = { plusmoin_up = { lua = "webhook.lua",
        settings = { url = "http://127.0.0.1:" .. server.port .. "/", format = "chat" } } } }
    proc.wait_for("two posts", 10, function() return #heard == 2 end, function() return daemon:diagnose() end)
    assert.equal(heard[1], heard[2])
    assert.truthy(heard[1]:find('{"text":"plusmoin up in cluster 0"}', 1, true))
    proc.wait_for("its end", 10, function() return daemon:logged("done in", "triggers.plusmoin_up") end)
    server:close()
  end)
end)
