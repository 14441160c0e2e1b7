--- A network of its own: a router and one host a server, each in a network namespace, joined by veth pairs;
-- the tests and plusmoin stay where they are, one hop from the router. So a packet meets a real route, a real
-- router that drops or refuses it (nft), or a cable that is out. It takes root.
--
-- The namespaces live as long as the process that holds each of them, which dies with the test run.
local proc = require "spec.support.proc"

local uv = proc.uv
local wire = { running = {} }

local Network = {}
Network.__index = Network

local Host = {}
Host.__index = Host

local function as_root(argv)
  return proc.must(argv, { as_root = true })
end

-- argv inside the namespace that `holder` holds.
local function inside(holder, argv)
  return table.move(argv, 1, #argv, 5, { "nsenter", "-t", tostring(holder.pid), "-n" })
end

local function sh(holder, text)
  return as_root(holder and inside(holder, { "sh", "-ec", text }) or { "sh", "-ec", text })
end

local function hold()
  local ours = uv.fs_readlink("/proc/self/ns/net")
  local holder = proc.spawn({ "setpriv", "--pdeathsig", "KILL", "unshare", "-n", "sleep", "infinity" },
    { as_root = true })
  proc.wait_for("a namespace", 10, function()
    local theirs = uv.fs_readlink("/proc/" .. holder.pid .. "/ns/net")
    return theirs and theirs ~= ours
  end, function() return holder:err() end)
  return holder
end

-- Addresses of RFC 2544's block for tests, a /24 for each test process: four a cable.
local function address(self, cable, last)
  return ("198.18.%d.%d"):format(self.block, 4 * cable + last)
end

-- A cable from the router to `holder` (nil: to us), where its other end is called `far`: its name at the router,
-- the address at the other end, and the router's own.
local function lay(self, holder, far)
  local cable = self.cables
  self.cables = cable + 1
  local near, here, there = "r" .. cable, address(self, cable, 1), address(self, cable, 2)
  sh(nil, ("ip link add %s netns %d type veth peer name %s%s"):format(near, self.router.pid, far,
    holder and " netns " .. holder.pid or ""))
  sh(self.router, ("ip addr add %s/30 dev %s; ip link set %s up"):format(here, near, near))
  sh(holder, ("ip addr add %s/30 dev %s; ip link set %s up"):format(there, far, far))
  return near, there, here
end

-- A block of addresses that no other test process has a route to.
local function take_block(self)
  local routes = as_root { "ip", "route" }
  for i = 0, 249 do
    self.block = (uv.os_getpid() + i) % 250 + 1
    if not routes:find(("198.18.%d."):format(self.block), 1, true) then
      return
    end
  end
  error("no free block of addresses")
end

--- A network with a router and no hosts, one at a time. `monitor`: our own address in it.
function wire.start()
  local self = setmetatable({ cables = 0, hosts = {}, router = hold() }, Network)
  self.our_cable = "pm" .. uv.os_getpid()
  wire.running[self] = true
  take_block(self)
  sh(self.router, "echo 1 > /proc/sys/net/ipv4/ip_forward")
  sh(self.router, "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit") -- else it refuses once a second, and is silent between
  local gateway
  self.cable, self.monitor, gateway = lay(self, nil, self.our_cable)
  sh(nil, ("ip route add 198.18.%d.0/24 via %s"):format(self.block, gateway))
  return self
end

--- One more host: its `address`, and `enter(argv)`, which makes argv for proc.spawn as root: argv runs there as the
-- servers' user (`enter_as_root`: as root).
function Network:host()
  local host = setmetatable({ network = self, holder = hold() }, Host)
  table.insert(self.hosts, host)
  local gateway
  host.cable, host.address, gateway = lay(self, host.holder, "eth0")
  sh(host.holder, ("ip link set lo up; ip route add default via %s"):format(gateway))
  return host
end

function Host:enter(argv)
  return inside(self.holder, proc.as_user(argv))
end

function Host:enter_as_root(argv)
  return inside(self.holder, argv)
end

--- What goes from one address to another meets `verdict` (nft: "drop", "reject with tcp reset",
-- "limit rate over 100 kbytes/second drop") at the router.
function Network:cut(from, to, verdict)
  sh(self.router, ([[nft -f - <<END
add table ip cuts
add chain ip cuts path { type filter hook forward priority 0 ; }
add rule ip cuts path ip saddr %s ip daddr %s meta l4proto tcp %s
END]]):format(from, to, verdict))
end

--- Pulls a host's cable out of the router.
function Network:unplug(host)
  self.unplugged = host
  sh(self.router, ("ip link set %s down"):format(host.cable))
end

--- Pulls our own cable out of the router.
function Network:unplug_us()
  self:unplug(self)
end

--- What this machine sends to the network meets `verdict` (nft) in its own firewall; `match`: only what is so.
function Network:shut_in(verdict, match)
  self.shut = ("plusmoin_shut_%d_%d"):format(uv.os_getpid(), self.tracks and 2 or 1)
  sh(nil, ([[nft -f - <<END
add table inet %s
add chain inet %s out { type filter hook output priority 0 ; }
add rule inet %s out ip daddr 198.18.%d.0/24 %s %s
END]]):format(self.shut, self.shut, self.shut, self.block, match or "meta l4proto tcp", verdict))
end

--- Connections are tracked from now on: what begins later may be told from what stands ("ct state new").
function Network:track()
  self:shut_in("accept", "ct state established")
  self.tracks, self.shut = self.shut, nil
end

--- This machine's own routes refuse the way to an address: `kind` is "prohibit" or "blackhole".
function Network:refuse_route(to, kind)
  sh(nil, ("ip route add %s %s"):format(kind, to))
  self.refused = { to = to, kind = kind }
end

-- Also after a test that failed: the routes are the machine's.
local function give_route_back(self)
  if self.refused then
    sh(nil, ("ip route del %s %s"):format(self.refused.kind, self.refused.to))
    self.refused = nil
  end
end

--- All is as it was.
function Network:restore()
  give_route_back(self)
  sh(self.router, "nft flush ruleset")
  if self.shut then
    sh(nil, "nft delete table inet " .. self.shut)
    self.shut = nil
  end
  if self.unplugged then
    sh(self.router, ("ip link set %s up"):format(self.unplugged.cable))
    self.unplugged = nil
  end
end

--- Ends all networks; with the namespaces their cables and routes go.
function wire.stop_all()
  for network in pairs(wire.running) do
    for _, name in pairs { network.shut, network.tracks } do
      sh(nil, "nft delete table inet " .. name)
    end
    give_route_back(network)
    proc.run({ "ip", "link", "del", network.our_cable }, { as_root = true })
    for _, host in ipairs(network.hosts) do
      host.holder:kill("sigkill")
      host.holder:wait()
    end
    network.router:kill("sigkill")
    network.router:wait()
    wire.running[network] = nil
  end
end

return wire
