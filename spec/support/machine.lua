--- What this machine lets the tests do, asked once a run: a container may have no terminal, no namespaces, no
-- right to cut the network. A test that takes such a thing says so first, and is left out, with the reason, where
-- it is not to be had; tests/tools/run-tests.sh tells them all at the end.
local proc = require "spec.support.proc"

local uv = proc.uv
local machine = {}

-- Whether root, with what rights this machine leaves it, can do what a shell does.
local function root_can(script)
  return function()
    local ok, code = pcall(proc.run, { "sh", "-ec", script }, { as_root = true })
    return proc.is_root and ok and code == 0
  end
end

local CAP_SYS_PTRACE = 19
local CABLE = "pm" .. uv.os_getpid()
local TABLE = "inet plusmoin_may_" .. uv.os_getpid()

-- What a test may take: {probe, the reason why a test is left out}.
local KINDS = {
  root = { function() return proc.is_root end, "needs root" },
  cuts = { root_can(("nft add table %s; nft delete table %s"):format(TABLE, TABLE)),
    "no right to cut the network (nft)" },
  mounts = { root_can [[dir=$(mktemp -d); trap 'rmdir "$dir"' EXIT
    mount -t tmpfs -o size=1m none "$dir"; umount "$dir"]], "no right to mount" },
  wire = { root_can(([[unshare -n sh -ec 'ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward; nft add table ip t'
    ip link add %s type veth peer name %sb; ip link del %s]]):format(CABLE, CABLE, CABLE)),
    "no right to network namespaces" },
  named = { root_can "unshare -m mount --bind /etc/resolv.conf /etc/resolv.conf",
    "no right to a mount namespace, for a name server of its own" },
  pids = { root_can "unshare -p -f --kill-child --mount-proc true", "no right to process namespaces" },
  inspect = { function()
    local rights = proc.read_file("/proc/self/status"):match("CapEff:%s*(%x+)")
    return not proc.is_root or tonumber(rights, 16) >> CAP_SYS_PTRACE & 1 == 1
  end, "no right to look into another user's process (/proc/PID/fd)" },
  terminal = { function() return (proc.run { "script", "-qec", "true", "/dev/null" }) == 0 end,
    "no pseudo-terminal" },
  ipv6 = { function()
    local socket = uv.new_tcp()
    local bound = socket:bind("::1", 0) and socket:getsockname() ~= nil
    proc.close(socket)
    return bound
  end, "no IPv6 (::1)" },
  faked = { function() return os.getenv("PLUSMOIN_BIN") == nil end,
    "a library that is preloaded and the sanitizers do not go together" },
}

--- Why a test that takes these things (keys of KINDS) cannot be run here; nil if it can.
function machine.lacks(...)
  local known = proc.shared.machine or {}
  proc.shared.machine = known
  for _, key in ipairs { ... } do
    local kind = assert(KINDS[key], key)
    if known[key] == nil then
      known[key] = kind[1]() and true or false
    end
    if not known[key] then
      return kind[2]
    end
  end
end

--- Ends the test that calls it as left out where this machine lacks one of these things.
function machine.need(...)
  local why = machine.lacks(...)
  if why then
    require "busted.core"().pending(why)
  end
end

--- busted's `it`, for tests that all need these things.
function machine.it(it, ...)
  local needs = { ... }
  return function(name, test)
    return it(name, function()
      machine.need(table.unpack(needs))
      return test()
    end)
  end
end

return machine
