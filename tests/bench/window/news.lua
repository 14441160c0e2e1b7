--- How soon the death of a real master is told: in an open /events, by its health, by HAProxy, which asks the agent.
local haproxy = require "spec.support.haproxy"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local web = require "spec.support.web"

local news = {}

local CONFIG = { heartbeat = 60, max_sync_delay = 120, recover_sync_delay = 60 }
local CALM_SECONDS = 1.2 -- a connection that breaks within 1 s of being made is reconnected slowly (rules, "Rounds")

function news.path(node)
  return ("/nodes/%s:%d/primary"):format(node.host, node.port)
end

local function calm()
  proc.watch(CALM_SECONDS, function() end)
end

-- A wire at /events that has begun.
local function open_stream(place)
  local stream = web.connect(place):say(web.request("/events"))
  proc.wait_for("the stream", 10, function() return stream.heard:find(":\n\n", 1, true) end)
  return stream
end

-- Waits until the stream has told of `event`: when, in monotonic ms.
local function told_ms(stream, event)
  proc.wait_for(event, 20, function() return stream.heard:find("\nevent: " .. event .. "\n", 1, true) end,
    function() return stream.heard end)
  return proc.mono_ms()
end

-- A master, a slave and a plusmoin with such a window.
local function start(http)
  local config = { http = http }
  for key, value in pairs(CONFIG) do
    config[key] = value
  end
  local _, master = scene.start { slaves = 1, config = config }
  proc.wait_for("its health", 10, function() return web.get(http.listen, news.path(master)).status == 200 end)
  return master
end

-- kill -9 of all its processes, the first one first, so that nobody is let in meanwhile: when, in monotonic ms.
local function kill(master)
  local pids = proc.pids_in(master.data)
  local struck = proc.mono_ms()
  proc.uv.kill(master.process.pid, "sigkill")
  for _, pid in ipairs(pids) do
    proc.uv.kill(pid, "sigkill")
  end
  return struck
end

-- The master is back, and its stream and its health say so.
local function bring_back(master, stream, place)
  master:kill9() -- and what was made meanwhile, if anything
  stream.heard = ""
  master:start()
  told_ms(stream, "master_up")
  proc.wait_for("its health", 10, function() return web.get(place, news.path(master)).status == 200 end)
  calm()
end

-- Asks each ms, on a connection of its own, until `status` comes: calls `came` then.
local function ask_until(place, path, status, came)
  local wire, timer = web.connect(place), proc.uv.new_timer()
  local waits = false
  timer:start(0, 1, function()
    local answered = wire.heard:match("^HTTP/1.1 (%d+)[^\n]*\r\n.-\r\n\r\n")
    if waits and not answered then
      return
    end
    if answered and tonumber(answered) == status then
      timer:stop()
      came(proc.mono_ms())
      return
    end
    wire.heard, waits = "", true
    wire:say(web.request(path))
  end)
  return function()
    proc.close(timer)
    wire:close()
  end
end

--- kill -9 of the master, `rounds` times: ms until the event in /events; until the 503. Two lists.
function news.deaths(rounds)
  local place = web.place()
  local master = start { listen = place }
  local events, answers = {}, {}
  local stream = open_stream(place)
  calm()
  for i = 1, rounds do
    local refused_ms
    stream.heard = ""
    local close = ask_until(place, news.path(master), 503, function(ms) refused_ms = ms end)
    proc.watch(0.05, function() end)
    local struck = kill(master)
    events[i] = told_ms(stream, "master_down") - struck
    proc.wait_for("503", 10, function() return refused_ms end)
    answers[i] = refused_ms - struck
    close()
    bring_back(master, stream, place)
  end
  scene.finish(web.close_all)
  return events, answers
end

local BACKENDS = [[
backend pg_write
  default-server weight 100 agent-check agent-inter %dms agent-addr 127.0.0.1 agent-port %d
  server db1 %s agent-send "%s primary\n"
backend pg_read
  server db1 %s
]]

--- The same until HAProxy shows the server as DOWN.
function news.haproxy(rounds, inter_ms)
  local place, port = web.place(), proc.free_port()
  proc.release_port(port)
  local master = start { listen = place, agent = "127.0.0.1:" .. port }
  local at = master.host .. ":" .. master.port
  local proxy = haproxy.start({}, { backends = BACKENDS:format(inter_ms, port, at, at, at) })
  local times = {}
  local function is(status)
    return proxy:servers("pg_write").db1.status:find(status)
  end
  proc.wait_for("HAProxy", 10, function() return not is "^DOWN" end)
  local stream = open_stream(place)
  calm()
  for i = 1, rounds do
    local struck = kill(master)
    proc.wait_for("DOWN", 10, function() return is "^DOWN" end, function() return proxy:ask("show stat -1 4 -1") end)
    times[i] = proc.mono_ms() - struck
    bring_back(master, stream, place)
    proc.wait_for("its return", 10, function() return not is "^DOWN" end)
    proc.watch(inter_ms / 1000 * math.random(), function() end) -- at no fixed time of its questions
  end
  haproxy.stop_all()
  scene.finish(web.close_all)
  return times
end

return news
