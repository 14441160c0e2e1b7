-- The control socket of a fleet whose status is larger than a socket holds: who is slow, idle, or one of many.
local cjson = require "cjson"
local has = require "spec.support.has"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

local NODES = 1000
local STATUS = '{"request": "status"}\n'

-- A daemon with many nodes, of which none answers.
local function crowded()
  local nodes = {}
  for i = 1, NODES do
    nodes[i] = { host = "/nowhere/" .. i, name = ("a long name "):rep(20) .. i }
  end
  local daemon = plusmoin.new { config = { nodes = nodes, heartbeat = 60, log_level = "error" }, triggers = {
    plusmoin_up = false, plusmoin_heartbeat = false,
  } }
  -- an AddressSanitizer keeps what is freed: little of it, where memory is looked at
  daemon:start { env = { ASAN_OPTIONS = (os.getenv("ASAN_OPTIONS") or "") .. ":quarantine_size_mb=1" } }
  proc.wait_for("its socket", 30, function() return uv.fs_stat(daemon.config.control_socket) end,
    function() return daemon:diagnose() end)
  proc.wait_for("all nodes to be lost or clusterless", 60, function()
    local answer = daemon:ask({ request = "status" }, 30)
    return #answer.clusterless == NODES and answer.clusterless[NODES].reason ~= cjson.null
  end, function() return daemon:diagnose() end)
  return daemon
end

-- A client: `said` when it is connected, then silent until it reads; `text`, `closed`.
local function client(daemon, said)
  local self = { pipe = uv.new_pipe(false), parts = {}, closed = false, connected = false }
  self.pipe:connect(daemon.config.control_socket, function(err)
    assert(not err, err)
    self.connected = true
    if said then
      self.pipe:write(said)
    end
  end)
  return self
end

local function read(self)
  self.pipe:read_start(function(_, data)
    if data then
      self.parts[#self.parts + 1] = data
      self.whole = self.whole or data:sub(-1) == "\n"
    else
      self.closed = true
    end
  end)
end

local function leave(self)
  if not self.pipe:is_closing() then
    proc.close(self.pipe)
  end
end

local function is_connected(clients)
  return function()
    for _, one in ipairs(clients) do
      if not one.connected then
        return false
      end
    end
    return true
  end
end

local function resident_kib(daemon)
  return tonumber(proc.read_file(("/proc/%d/status"):format(daemon.process.pid)):match("VmRSS:%s*(%d+)"))
end

describe("the control socket", function()
  local clients = {}

  after_each(function()
    scene.finish(function()
      for _, one in ipairs(clients) do
        leave(one)
      end
      clients = {}
    end)
  end)

  it("gives all to a client that is silent for a while with more unread than its socket holds", function()
    local daemon = crowded()
    local slow = client(daemon, STATUS)
    clients = { slow }
    proc.wait_for("the connection", 10, function() return slow.connected end)
    proc.watch(3, function() return true end)
    read(slow)
    proc.wait_for("the answer", 20, function() return slow.whole or slow.closed end)
    local answer = cjson.decode(table.concat(slow.parts))
    assert.equal(NODES, #answer.clusterless)
    assert.is_true(#table.concat(slow.parts) > 400000)
    daemon:stop_and_check()
  end)

  it("has room for one more when 64 clients ask nothing #core", function()
    local daemon = plusmoin.new { config = { nodes = { { host = "/nowhere" } } } }
    daemon:start()
    proc.wait_for("its socket", 10, function() return uv.fs_stat(daemon.config.control_socket) end)
    for i = 1, 64 do
      clients[i] = client(daemon)
      read(clients[i])
    end
    proc.wait_for("64 clients", 10, is_connected(clients))
    for _ = 1, 3 do
      local code, out, err = daemon:cli("status")
      assert.equal(0, code, out .. err)
      has(out, "/nowhere")
    end
    local closed = 0
    for _, one in ipairs(clients) do
      closed = closed + (one.closed and 1 or 0)
    end
    assert.is_true(closed >= 1 and closed <= 3, closed .. " are closed")
    assert.is_true(clients[1].closed)
    assert.is_false(clients[64].closed)
    daemon:stop_and_check()
  end)

  it("answers 200 that ask at once, and needs no memory for each", function()
    local daemon = crowded()
    local before, most = resident_kib(daemon), 0
    for i = 1, 200 do
      clients[i] = client(daemon, STATUS)
      read(clients[i])
    end
    proc.wait_for("200 answers", 60, function()
      most = math.max(most, resident_kib(daemon))
      local whole = 0
      for _, one in ipairs(clients) do
        whole = whole + (one.whole and 1 or 0)
        if one.whole then
          leave(one)
        end
      end
      return whole == 200
    end, function()
      local counts = { connected = 0, closed = 0, whole = 0 }
      for _, one in ipairs(clients) do
        for key in pairs(counts) do
          counts[key] = counts[key] + (one[key] and 1 or 0)
        end
      end
      return ("%d connected, %d closed, %d answered\n%s"):format(counts.connected, counts.closed, counts.whole,
        daemon:diagnose())
    end)
    local size = #table.concat(clients[1].parts)
    for _, one in ipairs(clients) do
      assert.is_true(math.abs(#table.concat(one.parts) - size) < size / 10)
    end
    assert.is_true((most - before) * 1024 < 100 * size,
      ("%d KiB before, %d KiB at most, an answer of %d bytes"):format(before, most, size))
    daemon:stop_and_check()
  end)
end)
