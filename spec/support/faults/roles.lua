--- The matrix's rows of who follows whom: promotion, demotion, replication that halts (spec/support/faults.lua).
local LATE = { max_sync_delay = 1.5, recover_sync_delay = 1.5 }
local NOBODY = { name = "nobody", port = 1 }

-- Whatever a slave is late by, it is told as its lag.
local function late(row)
  row.only, row.why, row.settings, row.down, row.rule = "slave", "a master follows nobody", LATE, "lag", "S2"
  return row
end

return {
  late { name = "replay paused", strike = function(server) server:pause_replay() end,
    mend = function(server) server:resume_replay() end },
  late { name = "receiver cut off", strike = function(server)
    server:sql("ALTER SYSTEM SET primary_conninfo = ''")
    server:sql("SELECT pg_reload_conf()")
  end, mend = function(server)
    server:sql("ALTER SYSTEM RESET primary_conninfo")
    server:sql("SELECT pg_reload_conf()")
  end },
  { name = "promoted beside its master", only = "slave", why = "it is one", strike = function(server)
    server:promote()
  end, events = function(_, targets)
    return { { "cluster_created", targets[1], cluster = 1, rule = "M6" }, { "split_brain", targets[1], cluster = 1 } }
  end, places = function(cell) return { [cell.slaves[1]] = "master 1" } end },
  { name = "demoted", only = "master", why = "it is none", settings = { restart_grace = 10 },
    strike = function(server)
      server:stop("fast")
      server.upstream = NOBODY
      server:start()
    end, mend = function(server) server:promote() end, down = "demoted", rule = "M3" },
  { name = "re-pointed to the other slave", only = "slave", why = "a master follows nobody",
    strike = function(server, cell) server:repoint(cell.slaves[2]) end },
  { name = "switchover within the grace", only = "master", why = "it is the master's",
    settings = { restart_grace = 10 }, strike = function(server, cell)
      server:stop("fast")
      cell.slaves[1]:promote()
      cell.slaves[2]:repoint(cell.slaves[1])
    end, events = function(cell)
      return { { "master_up", cell.slaves[1], cluster = cell.id, rule = "M4" } }
    end, mend = function(server, cell) server:rewind_as_slave_of(cell.slaves[1]) end, back = function(_, targets)
      return { { "slave_up", targets[1], rule = "L4" }, seconds = 30 }
    end, places = function(cell) return { [cell.slaves[1]] = "master 0", [cell.master] = "slave 0" } end },
}
