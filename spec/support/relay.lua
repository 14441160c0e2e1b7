--- A TCP relay on this process's loop that delays what it passes on: a slow network before a real
-- server. It runs while the test waits (`proc.wait_for`, `quiet`, `run` all turn the loop).
local uv = require "luv"
local proc = require "spec.support.proc"

local relay = {}

local function close_both(from, to)
  for _, handle in ipairs { from, to } do
    if not handle:is_closing() then
      handle:close()
    end
  end
end

-- Writes to `to` what `from` says, each piece `delay()` ms after it came, in order; then its end.
local function pass(self, from, to, is_answer)
  local due = 0
  from:read_start(function(_, data)
    if is_answer and data and self.swallow > 0 then
      self.swallow = self.swallow - 1
      return close_both(from, to)
    end
    due = math.max(due, uv.now() + self.delay())
    local timer = uv.new_timer()
    timer:start(math.max(math.floor(due - uv.now()), 0), 0, function()
      timer:close()
      if data and not to:is_closing() then
        to:write(data)
      elseif not data then
        close_both(from, to)
      end
    end)
  end)
end

local function accept(self)
  local client, server = uv.new_tcp(), uv.new_tcp()
  self.listener:accept(client)
  if self.drop > 0 then
    self.drop = self.drop - 1
    server:close()
    client:read_start(function() -- read first, or it would be a reset; what says goodbye is heard as well
      if not client:is_closing() then
        client:close()
      end
    end)
    return
  end
  server:connect("127.0.0.1", self.target.port, function(failed)
    if failed then
      server:close()
      client:close()
      return
    end
    self.connections = self.connections + 1
    client:nodelay(true)
    server:nodelay(true)
    self.pairs[#self.pairs + 1] = { client, server }
    pass(self, client, server)
    pass(self, server, client, true)
  end)
end

--- Relays to `server` (spec.support.pg). `delay()`: ms for each piece, each way. What it returns has
-- host, port and name, as a node of a plusmoin needs them; `target` is the server behind it,
-- `connections` how many were made; `drop` may be set: so many are taken and closed without a word; `swallow`: of so
-- many answers the first piece is taken and not passed on, and the connection closed.
-- `relay.close_all` ends it.
function relay.to(server, delay)
  local self = { target = server, delay = delay, connections = 0, drop = 0, swallow = 0, pairs = {}, host = "127.0.0.1",
    port = proc.free_port() }
  self.name = "127.0.0.1:" .. self.port
  proc.release_port(self.port)
  self.listener = uv.new_tcp()
  assert(self.listener:bind("127.0.0.1", self.port))
  assert(self.listener:listen(64, function() accept(self) end))
  relay.open = relay.open or {}
  table.insert(relay.open, self)
  --- Closes all connections that stand.
  function self.cut()
    for _, pair in ipairs(self.pairs) do
      close_both(pair[1], pair[2])
    end
    self.pairs = {}
  end
  return self
end

--- Ends all relays; their connections end with their servers.
function relay.close_all()
  for _, one in ipairs(relay.open or {}) do
    proc.close(one.listener)
  end
  relay.open = {}
end

return relay
