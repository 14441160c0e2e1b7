--- A real name server (dnsmasq) for the tests, on a loopback address of its own, and programs that ask it
-- alone: in a mount namespace with a resolv.conf of theirs. It takes root.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"

local uv = proc.uv
local names = { running = {}, NOBODY = "127.0.0.3" } -- no server listens there

local Names = {}
Names.__index = Names

-- The file of its names, as it shall be read.
local function write_hosts(self)
  local lines = {}
  for name, addresses in pairs(self.hosts) do
    for _, address in ipairs(addresses) do
      lines[#lines + 1] = address .. " " .. name .. "\n"
    end
  end
  proc.write_file(self.dir .. "/hosts", table.concat(lines))
end

-- How often it has read that file.
local function times_read(self)
  local _, times = self:log():gsub(("read " .. self.dir .. "/hosts"):gsub("%p", "%%%0"), "")
  return times
end

local function wait_read(self, times)
  proc.wait_for("the name server", 10, function()
    if not self.process:running() then
      error("the name server ended: " .. self:log(), 0)
    end
    return times_read(self) >= times
  end, function() return self:log() end)
end

--- Starts one that knows `hosts`: name -> list of addresses. Names below slow.test it asks of a server that
-- never answers.
function names.start(hosts)
  local pid = uv.os_getpid()
  local self = setmetatable({ dir = proc.new_dir("names"), hosts = {} }, Names)
  self.address = ("127.%d.%d.53"):format(1 + pid // 250 % 250, pid % 250)
  self.resolv = self.dir .. "/resolv.conf"
  proc.write_file(self.resolv, ("nameserver %s\noptions timeout:1 attempts:1\n"):format(self.address))
  for name, addresses in pairs(hosts) do
    self.hosts[name] = addresses
  end
  write_hosts(self)
  self.process = proc.spawn({ "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
    "--pid-file=", "--user=root", "--bind-interfaces", "--listen-address=" .. self.address, "--local=/plusmoin.test/",
    "--server=/slow.test/127.0.0.9#9", "--addn-hosts=" .. self.dir .. "/hosts", "--log-facility=-" },
    { as_root = true, output = self.dir .. "/log" })
  names.running[self] = true
  wait_read(self, 1)
  return self
end

function Names:log()
  return proc.read_file(self.dir .. "/log") or ""
end

--- From now on the names in `hosts` have these addresses (an empty list: the name is gone); the others stay.
function Names:set(hosts)
  for name, addresses in pairs(hosts) do
    self.hosts[name] = addresses
  end
  write_hosts(self)
  local before = times_read(self)
  self.process:kill("sighup")
  wait_read(self, before + 1)
end

function Names:freeze()
  self.process:kill("sigstop")
end

function Names:thaw()
  self.process:kill("sigcont")
end

function Names:kill()
  self.process:kill("sigkill")
  self.process:wait()
end

--- argv that runs `argv` as the servers' user, with this name server. For proc.spawn, as root.
function Names:with(argv)
  local wrapped = { "unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"', "sh",
    self.resolv }
  local as_user = proc.as_user(argv)
  return table.move(as_user, 1, #as_user, #wrapped + 1, wrapped)
end

-- A server by a name: what plusmoin.new and expect_events take for a node.
local function called(name, server)
  return { host = name, port = server.port, name = name .. ":" .. server.port, server = server }
end

--- A master and two slaves, all known by names, and a plusmoin that asks a name server of its own for them: the
-- cell of a matrix (daemon, master, slaves, servers, id), whose nodes have the server in `server`; `names` is the
-- name server. Options: config; hosts (name -> addresses, where they are not { 127.0.0.1 }); further (names of
-- further nodes); before (called with the nodes before plusmoin starts).
function names.fleet(options)
  local master, slaves = pg.cluster(2)
  local hosts, nodes = {}, {}
  for i, server in ipairs { master, slaves[1], slaves[2] } do
    nodes[i] = called(("node%d.plusmoin.test"):format(i), server)
    hosts[nodes[i].host] = { "127.0.0.1" }
  end
  for name, addresses in pairs(options.hosts or {}) do
    hosts[name] = addresses
  end
  local server = names.start(hosts)
  local watched = table.move(nodes, 1, 3, 1, {})
  for i, name in ipairs(options.further or {}) do
    watched[3 + i] = called(name, master)
  end
  if options.before then
    options.before(nodes)
  end
  local daemon = plusmoin.new { nodes = watched, config = options.config }
  daemon:start { names = server }
  daemon:expect_events { { "plusmoin_up" }, seconds = 15 }
  daemon:wait_place(nodes[1], "master 0")
  daemon:wait_place(nodes[2], "slave 0")
  daemon:wait_place(nodes[3], "slave 0")
  daemon:quiet_rounds(1)
  return { daemon = daemon, names = server, master = nodes[1], slaves = { nodes[2], nodes[3] }, servers = nodes,
    id = 0 }
end

--- Ends all of them.
function names.stop_all()
  for one in pairs(names.running) do
    if one.process:running() then
      one:kill()
    end
    names.running[one] = nil
  end
end

return names
