-- The window: what plusmoin shows by HTTP, on real servers.
local crowd = require "spec.support.crowd"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local web = require "spec.support.web"
local json = require "cjson"

local function id_of(server)
  return server.host .. ":" .. server.port
end

-- A master, slaves and a plusmoin with a window; `get(path, options)` asks that.
local function open(options)
  options = options or {}
  local place = web.place()
  local http = { listen = place }
  for key, value in pairs(options.http or {}) do
    http[key] = value
  end
  local config = { heartbeat = 0.3, http = http }
  for key, value in pairs(options.config or {}) do
    config[key] = value
  end
  local daemon, master, slaves = scene.start { config = config, slaves = options.slaves }
  local function get(path, how)
    return web.get(place, path, how)
  end
  proc.wait_for("the first rounds", 10, function() return get("/ready").status == 200 end)
  return daemon, master, slaves, get, place
end

-- The whole body by curl, which reads chunks.
local function fetch(place, path, ...)
  return (proc.must({ "curl", "-sS", "--max-time", "10", "http://" .. place .. path, ... }))
end

local function finish()
  scene.finish(web.close_all, crowd.close_all)
end

describe("the window", function()
  after_each(finish)

  it("shows the status file's bytes, and says when they have not changed #core", function()
    local daemon, _, _, get, place = open()
    daemon:quiet_rounds(2) -- all slaves are there, and the file is written
    local first = get "/status.json"
    assert.equal(200, first.status)
    assert.equal("application/json; charset=utf-8", first.headers["content-type"])
    assert.equal(proc.read_file(daemon.config.status_file), first.body)
    local same = get("/status.json", { headers = { "If-None-Match: " .. first.headers.etag } })
    assert.equal(304, same.status)
    assert.equal("", same.body)
    assert.equal(200, get("/status.json", { headers = { 'If-None-Match: "other"' } }).status)
    local head = get("/status.json", { method = "HEAD" })
    assert.equal(tostring(#first.body), head.headers["content-length"])
    assert.equal(fetch(place, "/status.json"), first.body)
  end)

  it("shows clusters and nodes, with what their triggers did #core", function()
    local daemon, master, slaves, get, place = open()
    local all = json.decode(fetch(place, "/clusters"))
    assert.equal(id_of(master), all.clusters[1].master.name)
    assert.equal(2, #all.clusters[1].slaves)
    assert.same(all.clusters[1], json.decode(get("/clusters/0").body).cluster)
    assert.equal(id_of(master) .. "\n", get("/clusters/0/primary").body)
    assert.equal(404, get("/clusters/7").status)
    assert.equal("there is no such cluster; there are: 0\n", get("/clusters/7").body)
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
    local shown
    proc.wait_for("the trigger's end", 10, function()
      shown = json.decode(get("/nodes/" .. id_of(slaves[1])).body)
      return #shown.events == 1 and #shown.events[1].triggers == 1
    end, function() return json.encode(shown) end)
    assert.equal("lost", shown.node.state)
    assert.equal("slave_down", shown.events[1].event.name)
    assert.equal("triggers.slave_down", shown.events[1].triggers[1].trigger:match("^triggers.slave_down"))
    assert.truthy(shown.events[1].triggers[1].outcome:find("^done in "), shown.events[1].triggers[1].outcome)
    local of_cluster = json.decode(get("/clusters/0").body).events
    assert.same(shown.events[1], of_cluster[#of_cluster])
    local why = json.decode(get("/nodes/" .. id_of(slaves[1]) .. "/explain").body)
    assert.truthy(why.rule == "S1" or why.rule == "L1", why.rule) -- L1: it was looked at again
    assert.equal(404, get("/nodes/db9:5432").status)
    local near = get("/nodes/" .. id_of(slaves[2]) .. "0").body
    assert.truthy(near:find("the nearest are: 127.0.0.1:", 1, true), near)
  end)

  it("answers health, and says why not #core", function()
    local daemon, master, slaves, get = open { slaves = 1 }
    local of_master, of_slave = "/nodes/" .. id_of(master), "/nodes/" .. id_of(slaves[1])
    local function statuses()
      local found = {}
      for i, path in ipairs { of_master .. "/primary", of_master .. "/replica", of_slave .. "/primary",
        of_slave .. "/replica", of_slave .. "/read-only", of_slave .. "/health" } do
        found[i] = get(path).status
        assert.equal(found[i], get(path, { method = "OPTIONS" }).status)
        assert.equal(found[i], get(path, { method = "HEAD" }).status)
      end
      return found
    end
    assert.same({ 200, 503, 503, 200, 200, 200 }, statuses())
    assert.equal(400, get(of_slave .. "/replica?lag=much").status)
    assert.equal(200, get(of_slave .. "/replica?lag=5").status)
    master:kill9()
    daemon:expect_events { { "master_down", master } }
    assert.same({ 503, 503, 503, 200, 200, 200 }, statuses())
    assert.equal(503, get("/clusters/0/primary").status)
    slaves[1]:promote()
    daemon:expect_events { { "master_up", slaves[1] } }
    assert.same({ 503, 503, 200, 503, 200, 200 }, statuses())
    local why = get(of_master .. "/health")
    assert.truthy(why.body:find("^" .. id_of(master):gsub("%p", "%%%0") .. " is lost"), why.body)
    assert.truthy(why.body:find("refused", 1, true), why.body)
    assert.equal(id_of(slaves[1]) .. "\n", get("/clusters/0/primary").body)
  end)

  it("answers 503 when the monitor's loop stands still, and goes on with it", function()
    local daemon, master, _, get = open { config = { query_timeout = 0.2 } }
    local path = "/nodes/" .. id_of(master) .. "/primary"
    assert.equal(200, get("/live").status)
    local held = crowd.freeze(daemon.process.pid, "first")
    local answer
    proc.wait_for("a 503", 15, function()
      answer = get(path)
      return answer.status == 503
    end)
    assert.truthy(answer.body:find("has not turned for", 1, true), answer.body)
    assert.equal(503, get("/live").status)
    assert.equal(200, get("/status.json").status)
    held:finish()
    proc.wait_for("its life", 15, function() return get("/live").status == 200 and get(path).status == 200 end)
  end)

  it("lets read along, and come back where it was #core", function()
    local daemon, _, slaves, get, place = open()
    local wire = web.connect(place):say(web.request("/events"))
    proc.wait_for("the beginning", 10, function() return wire.heard:find("text/event-stream", 1, true) end)
    local now = json.decode(get("/events?since=").body)
    assert.same({}, now.events)
    local poll = web.connect(place):say(web.request("/events?since=" .. now.next))
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
    proc.wait_for("the stream", 10, function() return wire.heard:find("event: slave_down.*event: trigger_ended") end,
      function() return wire.heard end)
    assert.truthy(wire.heard:find("event: slave_down\ndata: {", 1, true), wire.heard)
    assert.truthy(wire.heard:find("event: trigger_started\ndata: {", 1, true), wire.heard)
    local polled = json.decode(poll:answer().body)
    assert.equal("slave_down", polled.events[1].event)
    assert.is_false(polled.missed)
    local again = web.connect(place):say(web.request("/events",
      { headers = { "Last-Event-ID: " .. polled.events[1].id } }))
    proc.wait_for("what came behind", 10, function() return again.heard:find("event: trigger_ended", 1, true) end)
    assert.is_nil(again.heard:find("event: slave_down", 1, true))
    local stranger = web.connect(place):say(web.request("/events", { headers = { "Last-Event-ID: 5.7" } }))
    proc.wait_for("all there is", 10, function() return stranger.heard:find("event: missed\n.*event: slave_down") end,
      function() return stranger.heard end)
    assert.equal(200, get("/events", { method = "HEAD" }).status)
  end)

  it("is opened, moved and shut by a reload; who is connected stays where its address stays", function()
    local daemon, _, _, get, place = open()
    local stays = web.connect(place)
    local function reload(http)
      daemon.config.http = http
      proc.write_file(daemon.config_path, daemon:json())
      local status, out, err = daemon:cli("reload")
      assert.equal(0, status, tostring(out) .. tostring(err))
    end
    local socket = daemon.dir .. "/window.sock"
    reload { listen = { place, socket } }
    assert.equal(200, web.get(socket, "/live").status)
    stays:say(web.request("/live"))
    assert.equal(200, stays:answer().status)
    local port = place:match(":(%d+)$")
    reload { listen = "0.0.0.0:" .. port }
    assert.is_nil(proc.read_file(socket))
    assert.equal(200, get("/live").status)
    reload(nil)
    stays:wait_end()
    assert.has_error(function() get("/live") end)
    reload { listen = place }
    proc.wait_for("it", 10, function() return get("/ready").status == 200 end)
    proc.wait_for("the status", 10, function()
      return get("/status.json").body == proc.read_file(daemon.config.status_file)
    end)
  end)
end)
