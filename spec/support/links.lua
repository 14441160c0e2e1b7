--- Links between one client and one server, of TCP, on this process's loop, that can be held each way: what is said
-- while a link is held goes on when it is let go, as TCP does it over a cable that was out. It can lose answers, too.
local proc = require "spec.support.proc"

local uv = proc.uv
local links = { open = {} }

local Link = {}
Link.__index = Link

local function close_pair(link, pair)
  link.pairs[pair] = nil
  for _, handle in ipairs { pair.client, pair.server } do
    if not handle:is_closing() then
      handle:close()
    end
  end
end

-- Passes on what waits for that way.
local function flush(link, pair, way)
  local waiting = pair.waiting[way]
  pair.waiting[way] = {}
  for _, piece in ipairs(waiting) do
    local to = way == "there" and pair.server or pair.client
    if piece == "" then
      return close_pair(link, pair)
    elseif not to:is_closing() then
      to:write(piece)
    end
  end
end

local function pass(link, pair, from, way)
  from:read_start(function(_, data)
    if way == "back" and data and link.swallow > 0 then
      link.swallow = link.swallow - 1
      return close_pair(link, pair)
    end
    table.insert(pair.waiting[way], data or "")
    if not link.held[way] then
      flush(link, pair, way)
    end
  end)
end

local function accept(link)
  local pair = { client = uv.new_tcp(), server = uv.new_tcp(), waiting = { there = {}, back = {} } }
  link.listener:accept(pair.client)
  link.pairs[pair] = true
  pair.server:connect("127.0.0.1", link.target, function(failed)
    if failed then
      return close_pair(link, pair)
    end
    pair.client:nodelay(true)
    pair.server:nodelay(true)
    pass(link, pair, pair.client, "there")
    pass(link, pair, pair.server, "back")
  end)
end

--- To a port of this machine. `swallow` may be set: of so many answers the first piece is lost, and the connection
-- closed.
function links.to(port)
  local link = setmetatable({ target = port, pairs = {}, held = {}, swallow = 0, port = proc.free_port() }, Link)
  proc.release_port(link.port)
  link.url = "http://127.0.0.1:" .. link.port
  link.listener = uv.new_tcp()
  assert(link.listener:bind("127.0.0.1", link.port))
  assert(link.listener:listen(64, function() accept(link) end))
  links.open[link] = true
  return link
end

--- Holds what goes that way: "there" (to the server) or "back".
function Link:hold(way)
  self.held[way] = true
end

--- Lets both ways go.
function Link:let_go()
  self.held = {}
  self.swallow = 0
  for pair in pairs(self.pairs) do
    flush(self, pair, "there")
    if self.pairs[pair] then
      flush(self, pair, "back")
    end
  end
end

function links.close_all()
  for link in pairs(links.open) do
    proc.close(link.listener)
    for pair in pairs(link.pairs) do
      close_pair(link, pair)
    end
    links.open[link] = nil
  end
end

return links
