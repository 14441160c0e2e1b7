--- The matrix's rows of the monitor itself, and of all at once (spec/support/faults.lua).
local faked = require "spec.support.faked"
local network = require "spec.support.network"
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"

local STALL_SECONDS = 6 -- three times the stall limit

-- plusmoin stands still, and `meanwhile` happens.
local function stall(cell, meanwhile)
  cell.daemon.process:kill("sigstop")
  meanwhile()
  proc.watch(STALL_SECONDS, function() end)
  cell.daemon.process:kill("sigcont")
  cell.daemon:wait_logged("the monitor was stalled")
end

local function start(server)
  server:start()
end

-- The monitor's clock is set by an hour, there and back; `steady`: the clocks that go on in a sleep, too.
local function set_clock(name, seconds, steady)
  return { name = name, whole = true, faked = true, rounds = 6, cell = function(settings)
    local master, slaves = pg.cluster(2)
    local servers = { master, slaves[1], slaves[2] }
    return { id = 0, master = master, slaves = slaves, servers = servers,
      daemon = faked.start { nodes = servers, config = settings, steady = steady } }
  end, strike = function(_, cell)
    cell.daemon:set_clock(seconds)
  end, mend = function(_, cell)
    cell.daemon:set_clock(steady and 2 * seconds or 0)
  end }
end

return {
  set_clock("the monitor's wall clock set forward by an hour", 3600),
  set_clock("the monitor's wall clock set back by an hour", -3600),
  set_clock("the monitor's machine asleep for an hour", 3600, true),
  { name = "the monitor stopped for 6 s", whole = true, strike = function(_, cell)
    stall(cell, function() end)
  end },
  { name = "the monitor stopped for 6 s, kill -9 of all meanwhile", bound_ms = 5000 + 1000 * STALL_SECONDS,
    strike = function(server, cell) stall(cell, function() server:kill9() end) end, mend = start, down = true },
  { name = "master frozen, a slave killed, the other cut off, at once", whole = true, cuts = true,
    strike = function(_, cell)
      cell.master:freeze()
      cell.slaves[1]:kill9()
      network.cut(cell.slaves[2], { network.TO, network.FROM }, "drop")
    end, mend = function(_, cell)
      cell.master:thaw()
      cell.slaves[1]:start()
      network.restore()
    end, events = function(cell)
      return { { "master_down", cell.master, cluster = 0, rule = "M2", reason = "hung" },
        { "slave_down", cell.slaves[1], cluster = 0, rule = "S1" },
        { "slave_down", cell.slaves[2], cluster = 0, rule = "S1", reason = "hung" } }
    end, back = function(cell)
      return { { "master_up", cell.master, cluster = 0, rule = "M4" },
        { "slave_up", cell.slaves[1], cluster = 0, rule = "L4" },
        { "slave_up", cell.slaves[2], cluster = 0, rule = "L4" }, seconds = 30 }
    end },
}
