-- triggers/email.lua: which mails it hands over, and when; then once from the daemon, to a sendmail that notes them.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local testing = require "plusmoin.testing"

local FILE = "triggers/email.lua"
local TO = { "oncall@example.com" }
local SENT = { code = 0, stdout = "", stderr = "" }

local function subject(call)
  return call.spec.stdin:match("\nSubject: ([^\n]*)\n")
end

local function wait(t, seconds)
  t:run(function() t.pm.sleep(seconds) end, t:event("plusmoin_heartbeat"), seconds + 1)
end

local function raises(fn, ...)
  local ok, why = pcall(fn)
  assert.is_false(ok)
  for _, part in ipairs { ... } do
    assert.is_truthy(tostring(why):find(part, 1, true), ("%q is not in: %s"):format(part, tostring(why)))
  end
end

describe("triggers/email.lua", function()
  after_each(scene.finish)

  it("mails an event, its words first", function()
    local t = testing.new { now = 1795000000 }
    t:expect("exec", nil, SENT)
    local event = t:event("slave_down")
    t:run(t:load(FILE, { to = { "a@example.com", "b@example.com" }, from = "pm@example.com" }), event)
    t:done()
    local spec = t.calls[1].spec
    assert.same({ "/usr/sbin/sendmail", "-i", "-f", "pm@example.com", "--", "a@example.com", "b@example.com" },
      { table.unpack(spec) })
    assert.truthy(spec.stdin:find("^From: pm@example.com\nTo: a@example.com, b@example.com\n"), spec.stdin)
    assert.equal("slave down db2:5432 in cluster 0: Connection refused (S1)", subject(t.calls[1]))
    local line = "\n\n2026-11-18 11:06:40Z  slave down db2:5432 in cluster 0: Connection refused (S1)"
    assert.truthy(spec.stdin:find(line
      .. "  [" .. event.id .. "]\n\nnow:\ncluster 0: master db1:5432, slaves none, lost db2:5432\n", 1, true),
      spec.stdin)
  end)

  it("folds a storm into one mail, which goes out when there may be one again", function()
    local t = testing.new()
    t:allow("exec", nil, SENT)
    local email = t:load(FILE, { to = TO, burst = 2, window = 60, prefix = "[db] " })
    for i = 1, 20 do
      t:run(email, t:event(i == 9 and "master_down" or "slave_down"))
    end
    assert.equal(2, #t.calls)
    t:run(email, t:event("plusmoin_heartbeat"))
    assert.equal(2, #t.calls)
    wait(t, 61)
    t:run(email, t:event("plusmoin_heartbeat"))
    assert.equal(3, #t.calls)
    assert.equal("[db] 18 events: master down db1:5432, slave down db2:5432, slave down db2:5",
      subject(t.calls[3]))
    local _, lines = t.calls[3].spec.stdin:gsub("\n2[^\n]+Z  slave down", "")
    assert.equal(17, lines)
    t:run(email, t:event("plusmoin_heartbeat")) -- nothing is left
    assert.equal(3, #t.calls)
    t:run(email, t:event("slave_up"))
    assert.equal("[db] slave up db2:5432 in cluster 0 (L4)", subject(t.calls[4]))
  end)

  it("keeps what could not be handed over, in its order", function()
    local t = testing.new()
    local email = t:load(FILE, { to = TO })
    t:expect("exec", nil, { code = 75, stdout = "", stderr = "queue is\nfull\n" })
    raises(function() t:run(email, t:event("master_down")) end,
      "email: /usr/sbin/sendmail: exit status 75: queue is full")
    t:expect("exec", nil, nil, "cannot start /usr/sbin/sendmail: No such file or directory")
    raises(function() t:run(email, t:event("slave_down")) end, "email: cannot start /usr/sbin/sendmail: ")
    t:expect("exec", nil, SENT)
    t:run(email, t:event("plusmoin_heartbeat"))
    t:done()
    local body = t.calls[3].spec.stdin
    assert.truthy(body:find("Subject: 2 events: master down db1:5432, slave down db2:5432\n", 1, true), body)
    assert.is_true(body:find("Z  master down", 1, true) < body:find("Z  slave down", 1, true))
  end)

  it("a storm without end costs no more than one mail", function()
    local t = testing.new()
    t:allow("exec", nil, SENT)
    local email = t:load(FILE, { to = TO, burst = 1 })
    for _ = 1, 700 do
      t:run(email, t:event("slave_down"))
    end
    wait(t, 61)
    t:run(email, t:event("plusmoin_heartbeat"))
    assert.equal(2, #t.calls)
    assert.truthy(subject(t.calls[2]):find("^699 events: "), subject(t.calls[2]))
    assert.truthy(t.calls[2].spec.stdin:find("\n... and 199 more\n", 1, true))
  end)

  it("lets no name write headers, and writes those that are not ASCII as mail wants them", function()
    local t = testing.new()
    t:allow("exec", nil, SENT)
    local email = t:load(FILE, { to = TO })
    local event = t:event("slave_down")
    event.trigger.message = "no\nBcc: everybody@example.com"
    t:run(email, event)
    assert.is_nil(t.calls[1].spec.stdin:find("\nBcc", 1, true))
    event.trigger.message = ("é"):rep(100)
    t:run(email, event)
    local words = t.calls[2].spec.stdin:match("\nSubject: (.-)\nAuto")
    local plain = ""
    for line in (words .. "\n"):gmatch(" ?([^\n]*)\n") do
      assert.is_true(#line <= 75, line)
      plain = plain .. assert(line:match("^=%?utf%-8%?Q%?(.*)%?=$")):gsub("=(%x%x)", function(code)
        return string.char(tonumber(code, 16))
      end)
    end
    assert.equal(70, utf8.len(plain))
    assert.truthy(plain:find("^slave down db2:5432 in cluster 0: [\xC3\xA9]+$"), plain)
  end)

  it("says what is wrong with its settings", function()
    local wrong = {
      { {}, "email: settings.to is missing; allowed: a list of addresses" },
      { { to = {} }, "email: settings.to is a table; allowed: a list of addresses" },
      { { to = { "-oQ/tmp@x" } }, "email: settings.to is a table; allowed: a list of addresses" },
      { { to = TO, from = "a b" }, 'settings.from is "a b"; allowed: an address' },
      { { to = TO, burst = 0 }, "settings.burst is 0; allowed: an integer from 1 to 1000" },
      { { to = TO, sendmail = "sendmail" }, 'settings.sendmail is "sendmail"; allowed: the absolute path' },
      { { to = TO, form = "a" }, 'unknown setting "form"; did you mean "from"?' },
    }
    for _, case in ipairs(wrong) do
      raises(function() testing.new():load(FILE, case[1]) end, case[2])
    end
  end)

  it("mails from the daemon", function()
    local master, slaves = pg.cluster(1)
    local dir = proc.new_dir("mail")
    proc.write_file(dir .. "/sendmail", "#!/bin/sh\n{ echo \"$*\"; cat; } > " .. dir .. "/part\nmv " .. dir .. "/part "
      .. dir .. "/mail\n", tonumber("755", 8))
    local email = { lua = "email.lua", settings = { to = TO, sendmail = dir .. "/sendmail" } }
    local daemon = plusmoin.start { nodes = { master, slaves[1] },
      files = { ["email.lua"] = assert(proc.read_file(FILE)) }, triggers = { slave_down = email } }
    slaves[1]:kill9()
    local mail = proc.wait_for("the mail", 10, function() return proc.read_file(dir .. "/mail") end,
      function() return daemon:diagnose() end)
    assert.truthy(mail:find("^%-i %-%- oncall@example.com\nTo: oncall@example.com\nSubject: slave down "), mail)
    assert.truthy(mail:find("\nnow:\ncluster 0: master " .. master.name .. ", slaves none, lost " .. slaves[1].name, 1,
      true), mail)
  end)
end)
