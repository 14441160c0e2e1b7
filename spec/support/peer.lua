--- Programs at the other end of a socket that do not behave, on this process's loop.
local uv = require "luv"
local proc = require "spec.support.proc"

local peer = { open = {} } -- all that were made

-- A client that has gone is no reason to die.
local broken_pipe = uv.new_signal()
broken_pipe:start("sigpipe")
broken_pipe:unref()

local Peer = {}
Peer.__index = Peer

-- On a free port, or on a Unix socket.
local function listen(on_connection, path)
  local self = setmetatable({ path = path, clients = {} }, Peer)
  if path then
    self.listener = uv.new_pipe(false)
    assert(self.listener:bind(path))
    assert(uv.fs_chmod(path, tonumber("666", 8)))
  else
    self.port = proc.free_port()
    proc.release_port(self.port)
    self.listener = uv.new_tcp()
    assert(self.listener:bind("127.0.0.1", self.port))
  end
  assert(self.listener:listen(64, function()
    local client = path and uv.new_pipe(false) or uv.new_tcp()
    self.listener:accept(client)
    self.clients[#self.clients + 1] = client
    on_connection(client)
  end))
  peer.open[#peer.open + 1] = self
  return self
end

--- Accepts and says nothing.
-- Its `ended`: how many of the others have closed.
function peer.silent()
  local self
  self = listen(function(client)
    client:read_start(function(_, data)
      self.ended = self.ended + (data and 0 or 1)
    end)
  end)
  self.ended = 0
  return self
end

--- Says `text` to `client` and closes the connection.
function peer.say_and_close(client, text)
  client:write(text, function()
    if not client:is_closing() then
      client:close()
    end
  end)
end

--- Says `text` to each as soon as it has said something; with `ends` closes then.
function peer.saying(text, ends)
  return listen(function(client)
    client:read_start(function(_, data)
      if data and ends then
        peer.say_and_close(client, text)
      elseif data then
        client:write(text)
      end
    end)
  end)
end

--- Hands each connection to `serve` (a luv handle, the peer); `path`: on a Unix socket.
function peer.serving(serve, path)
  return listen(serve, path)
end

--- Says a byte at once and one more every `ms`.
function peer.trickling(ms)
  return listen(function(client)
    local timer = uv.new_timer()
    client:read_start(function() end)
    timer:start(0, ms, function()
      if client:is_closing() or not client:write(".", function() end) then
        timer:close()
      end
    end)
  end)
end

--- Says `first` and `count` times `text`, and closes; takes what is said to it.
function peer.flooding(text, count, first)
  return listen(function(client)
    local left = count
    local function more(failed)
      left = left - 1
      if client:is_closing() then
        return
      elseif failed or left < 0 then
        client:close()
      else
        client:write(text, more)
      end
    end
    client:read_start(function() end)
    if first then
      client:write(first, more)
    else
      more()
    end
  end)
end

function Peer:close()
  if self.listener:is_closing() then
    return
  end
  for _, client in ipairs(self.clients) do
    if not client:is_closing() then
      proc.close(client)
    end
  end
  proc.close(self.listener)
end

--- Ends all of them.
function peer.close_all()
  for _, one in ipairs(peer.open) do
    one:close()
  end
  peer.open = {}
end

return peer
