-- triggers/sh: what people write first, as shell scripts.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local cjson = require "cjson"

local uv = proc.uv

-- A plusmoin whose slave_down runs the script with these arguments, then the recorder.
local function start(script, arguments, env)
  local master, slaves = pg.cluster(1)
  local daemon = plusmoin.new { nodes = { master, slaves[1] },
    files = { [script] = assert(io.open("triggers/sh/" .. script)):read("a") } }
  local argv = { "sh", daemon.dir .. "/" .. script, table.unpack(arguments) }
  daemon.config.triggers.slave_down = { { command = argv }, daemon.config.triggers.slave_down }
  proc.write_file(daemon.config_path, daemon:json())
  daemon:start { env = env }
  daemon:expect_events { { "plusmoin_up" } }
  slaves[1]:kill9()
  local event = daemon:expect_events { { "slave_down", slaves[1] } }
  return event, daemon, slaves[1]
end

describe("triggers/sh/", function()
  local server

  -- Answers every request with this status; what came is in the list it returns.
  local function listen(status)
    local got = {}
    server = uv.new_tcp()
    assert(server:bind("127.0.0.1", 0))
    assert(server:listen(4, function()
      local client = uv.new_tcp()
      server:accept(client)
      client:read_start(function(_, data)
        got[#got + 1] = data
        local head, body = table.concat(got):match("^(.-\r\n\r\n)(.*)$")
        if head and #body >= tonumber(head:match("Content%-Length: (%d+)")) and not client:is_closing() then
          client:write(("HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"):format(status),
            function() client:close() end)
        end
      end)
    end))
    return got
  end

  after_each(function()
    if server then
      server:close()
      server = nil
    end
    scene.finish()
  end)

  it("append writes a line", function()
    local path = proc.new_dir("sh") .. "/events"
    local event, _, slave = start("append", { path })
    local text = proc.read_file(path)
    assert.truthy(text:find("slave_down cluster=0 node=" .. slave.name .. " reason=", 1, true))
    assert.truthy(text:find("id=" .. event.env.PLUSMOIN_EVENT_ID .. "\n", 1, true))
  end)

  it("append fails loudly where it cannot write", function()
    local _, daemon = start("append", { "/no/such/file" })
    daemon:wait_logged("failed with exit status", "/no/such/file")
  end)

  it("mail hands a letter to sendmail", function()
    local dir = proc.new_dir("sh")
    proc.write_file(dir .. "/sendmail", '#!/bin/sh\necho "$@" > "$0.args"; cat > "$0.letter"\n', tonumber("755", 8))
    local _, _, slave = start("mail", { "a@example.com", "b@example.com" }, { PATH = dir .. ":" .. os.getenv("PATH") })
    assert.equal("-t -i\n", proc.read_file(dir .. "/sendmail.args"))
    local letter = proc.read_file(dir .. "/sendmail.letter")
    assert.truthy(letter:find("To: a@example.com, b@example.com\n", 1, true))
    assert.truthy(letter:find("Subject: [plusmoin] slave_down " .. slave.name .. " (cluster 0)\n", 1, true))
    assert.truthy(letter:find("\nreason   %l+\n"))
    assert.equal(0, cjson.decode(letter:match("\n\n(%b{})\n$")).cluster_id)
  end)

  it("mail fails loudly without a sendmail", function()
    local _, daemon = start("mail", { "a@example.com" }, { SENDMAIL = "/no/such/sendmail" })
    daemon:wait_logged("failed with exit status 127", "/no/such/sendmail")
  end)

  it("post sends the JSON", function()
    local got = listen("204 No Content")
    local event, _, slave = start("post", { ("http://127.0.0.1:%d/hook"):format(server:getsockname().port) })
    local text = table.concat(got)
    assert.truthy(text:find("POST /hook ", 1, true))
    assert.truthy(text:find("X-Plusmoin-Event-Id: " .. event.env.PLUSMOIN_EVENT_ID, 1, true))
    assert.truthy(text:find("X-Plusmoin-Node: " .. slave.name .. "\r\n", 1, true))
    assert.equal(event.raw, text:match("\r\n\r\n(.*)$"))
  end)

  it("post fails loudly where it is refused", function()
    listen("503 Service Unavailable")
    local _, daemon = start("post", { ("http://127.0.0.1:%d/"):format(server:getsockname().port) })
    daemon:wait_logged("failed with exit status 22", "503")
  end)
end)
