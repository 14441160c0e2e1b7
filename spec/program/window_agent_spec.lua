-- The window's agent, asked as HAProxy's agent-check asks: where it answers, what it says of nodes, and what it and the
-- health URLs say while plusmoin is cut off.
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local web = require "spec.support.web"
local wire = require "spec.support.wire"

local function ask(place, line)
  return web.say(place, line .. "\n")
end

-- Goes over to these settings of `http`.
local function reload(daemon, http)
  daemon.config.http = http
  proc.write_file(daemon.config_path, daemon:json())
  local status, out, err = daemon:cli("reload")
  assert.equal(0, status, tostring(out) .. tostring(err))
end

local function wait_answer(place, line, answer)
  local heard
  proc.wait_for(answer, 10, function()
    heard = ask(place, line)
    return heard:find(answer, 1, true)
  end, function() return heard end)
end

describe("the window's agent", function()
  after_each(function() scene.finish(web.close_all, wire.stop_all) end)

  it("says of nodes what they are, by their names and addresses #core", function()
    local master, slaves = pg.cluster(2)
    master.label, slaves[1].label, slaves[2].label = "writer", "a twin", "a twin"
    local place = web.place()
    local daemon = plusmoin.start { nodes = { master, slaves[1], slaves[2] }, config = { http = { agent = place } } }
    wait_answer(place, slaves[2].name .. " replica lag=2", "up ready 100%\n")
    for _, case in ipairs {
      { "writer primary", "up ready 100%\n" }, { master.name .. " primary", "up ready 100%\n" },
      { "writer master", "up ready 100%\n" }, { "writer read-write", "up ready 100%\n" },
      { "writer replica", "up drain\n" }, { "writer read-only lag=0", "up ready 100%\n" },
      { "writer health", "up ready 100%\n" },
      { slaves[1].name .. " primary", "up drain\n" }, { slaves[1].name .. " read-only", "up ready 100%\n" },
      { "a twin replica", "fail #plusmoin watches no node of this name, or several have it\n" },
      { "nobody replica", "fail #plusmoin watches no node of this name, or several have it\n" },
    } do
      assert.equal(case[2], ask(place, case[1]), case[1])
    end
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
    assert.matches("^fail #a twin is lost %(down%) since %d%d%d%d%-.* UTC by S1 %(the slave was down%): refused: ",
      ask(place, slaves[1].name .. " replica"))
  end)

  it("is there, elsewhere and gone by a reload; at a socket file, too #core", function()
    local daemon, master = scene.start { slaves = 0 }
    local question = master.name .. " primary"
    local first, second, socket = web.place(), web.place(), daemon.dir .. "/agent.sock"
    reload(daemon, { agent = first })
    wait_answer(first, question, "up ready 100%\n")
    local waits = web.connect(first):say(master.name)
    reload(daemon, { agent = second, listen = first }) -- the port is the window's own now
    assert.equal("up ready 100%\n", waits:say(" primary\n"):wait_end())
    wait_answer(second, question, "up ready 100%\n")
    assert.equal(200, web.get(first, "/live").status)
    reload(daemon, { agent = first, listen = second }) -- and back
    wait_answer(first, question, "up ready 100%\n")
    assert.equal(200, web.get(second, "/live").status)
    reload(daemon, { agent = socket })
    wait_answer(socket, question, "up ready 100%\n")
    proc.wait_for("nobody there", 5, function() return not pcall(web.connect, second) end) -- by the window's thread
    reload(daemon, nil)
    proc.wait_for("nobody there", 5, function() return not pcall(web.connect, socket) end)
    assert.is_nil(proc.uv.fs_stat(socket))
  end)
end)

describe("a monitor that is cut off", function()
  after_each(function() scene.finish(web.close_all, wire.stop_all) end)

  it("goes on saying what it knew last, or nothing with http.isolated 503", function()
    machine.need("wire")
    local network = wire.start()
    network:track()
    local master, slaves = pg.cluster(2, { wire = network, everywhere = true })
    local listen, agent = web.place(), web.place()
    local daemon = plusmoin.start { nodes = { master, table.unpack(slaves) }, config = {
      http = { listen = listen, agent = agent }, heartbeat = 0.5, query_timeout = 0.6, retry_interval = 0.2,
      max_sync_delay = 30 } }
    slaves[2]:kill9()
    daemon:wait_place(slaves[2], "lost 0")
    daemon.taken = #daemon:changes()
    network:unplug_us()
    daemon:expect_events { { "monitor_isolated" } }
    local function health(server, what)
      return web.get(listen, ("/nodes/%s/%s"):format(server.name, what))
    end
    local said = health(master, "primary")
    assert.equal(200, said.status)
    assert.matches("is master %(isolated%)", said.body)
    assert.equal(200, health(slaves[1], "replica?lag=5").status)
    assert.equal(503, health(slaves[2], "replica").status)
    assert.equal("up ready 100%\n", ask(agent, master.name .. " primary"))
    assert.equal("up drain\n", ask(agent, slaves[1].name .. " primary"))
    assert.matches("^fail #.* is lost", ask(agent, slaves[2].name .. " replica"))
    reload(daemon, { listen = listen, agent = agent, isolated = "503" })
    proc.wait_for("503", 5, function() return health(master, "primary").status == 503 end)
    assert.matches("hears no other host", health(master, "primary").body)
    assert.equal("", ask(agent, master.name .. " primary"))
    assert.equal("", ask(agent, slaves[2].name .. " replica"))
    network:restore()
    daemon:expect_events { { "monitor_reconnected" } }
    proc.wait_for("200", 5, function() return health(master, "primary").status == 200 end)
    wait_answer(agent, master.name .. " primary", "up ready 100%\n")
  end)
end)
