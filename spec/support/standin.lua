--- Stand-ins for PostgreSQL servers on addresses of 127.0.0.0/8 (tests/standin/README.md): one program that plays
-- them all on one port of this run.
local proc = require "spec.support.proc"

local standin = { running = {} }

local Standin = {}
Standin.__index = Standin

-- The program, where the servers' user can run it.
local function binary()
  local path = proc.shared.standin
  if not path then
    local build = (os.getenv("PLUSMOIN_BIN") or "build/plusmoin"):match("^(.*)/")
    path = proc.new_dir("standin") .. "/standin"
    proc.must({ "cp", build .. "/tests/standin", path }, { as_root = true, cwd = "." })
    proc.shared.standin = path
  end
  return path
end

--- Starts the program without a server. `port`: for all of them. Options: under (argv that it runs under), args.
function standin.start(options)
  local self = setmetatable({ port = proc.free_port(), lines = 0, answers = 0, read = 0 }, Standin)
  proc.release_port(self.port)
  local argv = table.move(options and options.under or {}, 1, 99, 1, {})
  argv[#argv + 1] = binary()
  self.process = proc.spawn(table.move(options and options.args or {}, 1, 99, #argv + 1, argv), { stdin = true })
  standin.running[self] = true
  return self
end

-- Reads on in its output; whether all lines so far have been answered.
local function answered(self)
  local text, from = self.process:out(), self.read + 1
  while text:find("\n", from, true) do
    local line, behind = text:match("([^\n]*)\n()", from)
    self.answers = self.answers + ((line == "ok" or line:find("^error: ")) and 1 or 0)
    from = behind
  end
  self.read = from - 1
  return self.answers >= self.lines
end

--- Plays lines of the script, as one text; returns what they answered, less the "ok". An error is raised.
function Standin:play(...)
  local from, lines = #self.process:out(), { ... }
  self.process.stdin:write(table.concat(lines, "\n") .. "\n")
  self.lines = self.lines + #lines
  proc.wait_for("the stand-in's answer", 20, function() return answered(self) end,
    function() return self.process:out() .. self.process:err() end)
  local text = self.process:out():sub(from + 1)
  local failure = text:match("error: [^\n]*")
  if failure then
    error(failure, 2)
  end
  return (text:gsub("ok\n", ""))
end

-- A server as specs know them, and a node for a configuration.
local function node_of(self, name, address)
  return { name = ("%s:%d"):format(address, self.port), label = name, host = address, port = self.port,
    dbname = "plusmoin" }
end

--- One more server.
function Standin:server(name, address)
  self:play(("server %s %s:%d"):format(name, address, self.port))
  return node_of(self, name, address)
end

-- Nodes NAME1 to NAMEn on addresses that follow `address`.
local function nodes_from(self, name, count, address)
  local a, b, c, d = address:match("(%d+)%.(%d+)%.(%d+)%.(%d+)")
  local first = math.tointeger(((a * 256 + b) * 256 + c) * 256 + d)
  local nodes = {}
  for i = 1, count do
    local at = first + i - 1
    nodes[i] = node_of(self, name .. i, ("%d.%d.%d.%d"):format(at >> 24, at >> 16 & 255, at >> 8 & 255, at & 255))
  end
  return nodes
end

--- Many, NAME1 to NAMEn, on addresses that follow `address`: a list.
function Standin:servers(name, count, address)
  self:play(("servers %s %d %s:%d"):format(name, count, address, self.port))
  return nodes_from(self, name, count, address)
end

--- Likewise `count` clusters of `size`, a master and its slaves each.
function Standin:clusters(name, count, size, address)
  self:play(("clusters %s %d %d %s:%d"):format(name, count, size, address, self.port))
  return nodes_from(self, name, count * size, address)
end

local function counts_of(text)
  local counts = {}
  for key, number in text:gmatch("([%a_]+) (%d+)") do
    counts[key] = tonumber(number)
  end
  return counts
end

--- What it counts of a server: { connections =, sessions =, logins =, statements =, ... }.
function Standin:count(name)
  return counts_of(self:play(name .. " count"))
end

--- The same of all servers whose names fit `who`, together.
function Standin:total(who)
  return counts_of(self:play("total " .. who))
end

--- Ends all; a statement that was none of plusmoin's is an error.
function standin.stop_all()
  local problems = {}
  for self in pairs(standin.running) do
    problems[#problems + 1] = self.process:err():match("no statement of plusmoin's: [^\n]*")
    self.process:kill("sigkill")
    self.process:wait()
    proc.close(self.process.stdin)
    standin.running[self] = nil
  end
  if #problems > 0 then
    error(table.concat(problems, "\n"), 2)
  end
end

return standin
