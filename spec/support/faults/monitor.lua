--- The matrix's rows of the monitor itself, and of all at once (spec/support/faults.lua).
local network = require "spec.support.network"
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

return {
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
