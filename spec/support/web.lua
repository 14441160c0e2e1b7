--- What the window is asked: raw bytes by TCP or a Unix socket, on this process's loop.
local proc = require "spec.support.proc"

local uv = proc.uv
local web = { open = {} }

local Wire = {}
Wire.__index = Wire

--- Connects to "127.0.0.1:PORT" or "/path.sock". `heard`: all that came; `ended`: the other side has closed, or reset.
function web.connect(place)
  local host, port = place:match("^(.*):(%d+)$")
  local self = setmetatable({ handle = host and uv.new_tcp() or uv.new_pipe(false), heard = "", ended = false }, Wire)
  local failure, connected
  local function on_connect(err)
    failure, connected = err, true
  end
  if host then
    self.handle:connect(host, tonumber(port), on_connect)
  else
    self.handle:connect(place, on_connect)
  end
  web.open[self] = true
  proc.wait_for("a connection to " .. place, 10, function() return connected end)
  if failure then
    self:close()
    error(place .. ": " .. failure, 2)
  end
  self.handle:read_start(function(err, data)
    if data then
      self.heard = self.heard .. data
    else
      self.ended, self.reset = true, err
      self.ended_ms = proc.mono_ms()
    end
  end)
  return self
end

function Wire:say(text)
  self.handle:write(text)
  return self
end

-- The first answer in `text`, and how many bytes it has; nil: it is not whole.
local function parse(text, without_body)
  local head, body = text:match("^(.-)\r\n\r\n(.*)$")
  local status = head and tonumber(head:match("^HTTP/1%.%d (%d+)"))
  if not status then
    return nil
  end
  local answer = { status = status, headers = {}, head = head }
  for name, value in head:gmatch("\r\n([^:\r\n]+): *([^\r\n]*)") do
    answer.headers[name:lower()] = value
  end
  local length = without_body and 0 or tonumber(answer.headers["content-length"] or 0)
  answer.body = body:sub(1, length)
  return #body >= length and answer, #head + 4 + length
end

--- Takes the next answer: status, headers (by lower case), body (that has a Content-Length), head.
-- `without_body`: of HEAD.
function Wire:answer(seconds, without_body)
  local answer, bytes
  proc.wait_for("an answer", seconds or 10, function()
    answer, bytes = parse(self.heard, without_body)
    return answer or self.ended
  end, function() return ("heard %q"):format(self.heard:sub(1, 500)) end)
  if not answer then
    error(("closed without an answer; heard %q"):format(self.heard:sub(1, 500)), 2)
  end
  self.heard = self.heard:sub(bytes + 1)
  return answer
end

--- Waits for its end, and returns what came before.
function Wire:wait_end(seconds)
  proc.wait_for("the end of a connection", seconds or 10, function() return self.ended end,
    function() return ("heard %q"):format(self.heard:sub(1, 500)) end)
  return self.heard
end

function Wire:close()
  web.open[self] = nil
  if not self.handle:is_closing() then
    proc.close(self.handle)
  end
end

--- The text of a request of `path`; options: method, host, headers (a list of lines).
function web.request(path, options)
  options = options or {}
  local lines = { ("%s %s HTTP/1.1"):format(options.method or "GET", path), "Host: " .. (options.host or "localhost") }
  table.move(options.headers or {}, 1, #(options.headers or {}), 3, lines)
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

--- Asks once, on a connection of its own: the answer. Options as of web.request(), seconds.
function web.get(place, path, options)
  local wire = web.connect(place)
  local ok, answer = pcall(function()
    wire:say(web.request(path, options))
    return wire:answer(options and options.seconds, options and options.method == "HEAD")
  end)
  wire:close()
  return ok and answer or error(answer, 2)
end

--- Says raw bytes on a connection of its own: all that comes until the other side closes.
function web.say(place, text, seconds)
  local wire = web.connect(place):say(text)
  local ok, heard = pcall(wire.wait_end, wire, seconds)
  wire:close()
  return ok and heard or error(heard, 2)
end

--- A free "127.0.0.1:PORT".
function web.place()
  local port = proc.free_port()
  proc.release_port(port)
  return "127.0.0.1:" .. port
end

function web.close_all()
  for wire in pairs(web.open) do
    wire:close()
  end
end

return web
