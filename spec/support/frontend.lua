--- A client of PostgreSQL's protocol 3.0, message by message: what libpq hides or never says.
local proc = require "spec.support.proc"

local frontend = {}

local Frontend = {}
Frontend.__index = Frontend

local function message(kind, body)
  return kind .. string.pack(">I4", #body + 4) .. body
end

--- Messages, to be joined: a name may be "". A parameter is a text.
function frontend.parse(name, sql)
  return message("P", string.pack(">zzI2", name, sql, 0))
end

function frontend.bind(name, params)
  local body = string.pack(">zzI2I2", "", name, 0, #(params or {}))
  for _, param in ipairs(params or {}) do
    body = body .. string.pack(">s4", param)
  end
  return message("B", body .. string.pack(">I2", 0))
end

function frontend.describe(name)
  return message("D", "S" .. name .. "\0")
end

function frontend.execute()
  return message("E", string.pack(">zI4", "", 0))
end

function frontend.close(name)
  return message("C", "S" .. name .. "\0")
end

function frontend.sync()
  return message("S", "")
end

-- The whole messages at the start of `text`: a list of { kind, body }.
local function messages_of(text)
  local list, at = {}, 1
  while #text >= at + 4 do
    local size = string.unpack(">I4", text, at + 1)
    if #text < at + size then
      break
    end
    list[#list + 1] = { text:sub(at, at), text:sub(at + 5, at + size) }
    at = at + 1 + size
  end
  return list
end

-- Waits for the ReadyForQuery behind what was just sent; what came up to it.
local function answer(self)
  local found
  proc.wait_for("ReadyForQuery", 5, function()
    found = messages_of(self.got)
    return #found > 0 and found[#found][1] == "Z"
  end)
  self.got = ""
  return found
end

--- Logs in, without a password, and waits until the server is ready.
function frontend.connect(address, port)
  local self = setmetatable({ got = "", tcp = proc.uv.new_tcp() }, Frontend)
  self.tcp:connect(address, port, function(problem)
    assert(not problem, problem)
    self.tcp:read_start(function(_, data)
      self.got = self.got .. (data or "")
    end)
    self.tcp:write(message("", string.pack(">I4zzzzB", 196608, "user", "plusmoin", "database", "plusmoin", 0)))
  end)
  answer(self)
  return self
end

--- Sends messages at once, and says what came up to ReadyForQuery: their types, an error as its SQLSTATE, a row as
-- its first column in brackets.
function Frontend:ask(...)
  self.tcp:write(table.concat { ... })
  local words = {}
  for i, one in ipairs(answer(self)) do
    words[i] = one[1]
    if one[1] == "E" then
      words[i] = one[2]:match("%zC(%w+)%z")
    elseif one[1] == "D" then
      words[i] = "[" .. string.unpack(">s4", one[2], 3) .. "]"
    end
  end
  return table.concat(words, " ")
end

function Frontend:close()
  self.tcp:close()
end

return frontend
