--- Cuts in the loopback network, by nft, in the root namespace: a rule concerns one server's port alone.
-- plusmoin talks to a server at 127.0.0.1, its standbys at pg.STREAM_HOST: so one of the two can be cut.
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"

local uv = proc.uv
local TABLE = "plusmoin_" .. uv.os_getpid()

local network = {}
local is_cut = false

local function nft(lines)
  return { "nft", "-f", "-" }, { stdin = table.concat(lines, "\n") .. "\n", as_root = true }
end

--- Packets that match one of `matches` (nft, "%d": the server's port) meet `verdict`; more than one call adds up.
function network.cut(server, matches, verdict)
  local rules = { "add table inet " .. TABLE,
    ("add chain inet %s out { type filter hook output priority 0 ; }"):format(TABLE) }
  for _, match in ipairs(matches) do
    rules[#rules + 1] = ("add rule inet %s out %s %s"):format(TABLE, match:format(server.port), verdict)
  end
  is_cut = true
  proc.must(nft(rules))
end

--- Takes away what was cut.
function network.restore()
  if is_cut then
    is_cut = false
    proc.must({ "nft", "delete", "table", "inet", TABLE }, { as_root = true })
  end
end

network.TO, network.FROM = "tcp dport %d", "tcp sport %d"
network.TO_MONITORED, network.FROM_MONITORED = "ip daddr 127.0.0.1 tcp dport %d", "ip saddr 127.0.0.1 tcp sport %d"
network.TO_STREAMED = "ip daddr " .. pg.STREAM_HOST .. " tcp dport %d"
network.FROM_STREAMED = "ip saddr " .. pg.STREAM_HOST .. " tcp sport %d"

return network
