-- The matrix: what can happen to a server (spec/support/faults.lua), to whom, and what plusmoin concludes.
-- Each cell: its events in their bound, and silence before, after, and for everybody else. The cells
-- tagged core run in `make test`, all of them in `make test-long`.
local disk = require "spec.support.disk"
local faults = require "spec.support.faults"
local names = require "spec.support.names"
local network = require "spec.support.network"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local relay = require "spec.support.relay"
local scene = require "spec.support.scene"
local trial = require "spec.support.trial"
local wire = require "spec.support.wire"

local RESULTS = os.getenv("MATRIX") -- a file that gets a line for each cell, of a machine that does nothing else
-- "2/6": each sixth cell, from the second on: a job of `make test-long`
local PART, PARTS = assert((os.getenv("MATRIX_PART") or "1/1"):match("^(%d+)/(%d+)$"))

local function note(row, column, text)
  if RESULTS then
    local file = assert(io.open(RESULTS, "a"))
    file:write(("%s\t%s\t%s\n"):format(row.name, column, text))
    file:close()
  end
end

-- The second of two clusters.
local function second_cluster(row)
  local first, first_slaves = pg.cluster(1)
  local master, slaves = pg.cluster(2, { family = 2 })
  local daemon = plusmoin.start { nodes = { first, first_slaves[1], master, slaves[1], slaves[2] }, clusters = 2,
    config = trial.settings_of(row) }
  return { daemon = daemon, master = master, slaves = slaves, servers = { master, table.unpack(slaves) }, id = 1,
    first = first, first_slave = first_slaves[1] }
end

local COLUMNS = {
  { name = "master", role = "master", targets = function(cell) return { cell.master } end },
  { name = "slave", role = "slave", targets = function(cell) return { cell.slaves[1] } end },
  { name = "both slaves", wide = true, targets = function(cell) return cell.slaves end },
  { name = "master and slave", wide = true, targets = function(cell) return { cell.master, cell.slaves[1] } end },
  { name = "cluster", whole = true, targets = function(cell) return { cell.master } end },
}

-- Whether the column is one of the row's; else, where that says something, why not.
local function belongs(row, column)
  if row.whole and column.role then
    return false, "it strikes them all"
  elseif (row.whole or false) ~= (column.whole or false) then
    return false
  elseif column.role and not faults.fits(row, column.role) then
    return false, row.why
  end
  return row.wide or not column.wide
end

local function beats(cell)
  return tonumber(cell.first:sql("SELECT max(tstamp) FROM heartbeat", "plusmoin")[1][1])
end

local function since_of(cell)
  local found = {}
  local cluster = cell.daemon:ask({ request = "status" }).clusters[1]
  for _, node in ipairs { cluster.master, table.unpack(cluster.slaves) } do
    found[#found + 1] = ("%s:%s %s"):format(node.host, node.port, node.since)
  end
  return table.concat(found, ", ")
end

for _, column in ipairs(COLUMNS) do
  note({ name = "" }, column.name, "") -- the table's order
end

local cells = 0

-- A cell of the table: `play` returns what came of it.
local function cell_of(row, column, tag, play)
  cells = cells + 1
  if cells % PARTS ~= PART % PARTS then
    return
  end
  it(row.name .. ", " .. column .. tag, function()
    local missing = faults.missing(row)
    note(row, column, missing and ("not run (%s)"):format(missing) or "WRONG") -- until it has been right
    if missing then
      return pending(missing)
    end
    note(row, column, play())
  end)
end

describe("matrix:", function()
  after_each(function()
    network.restore()
    disk.restore()
    scene.finish(names.stop_all, wire.stop_all, relay.close_all)
  end)

  for _, row in ipairs(faults.rows) do
    note(row, "", "")
    local tag = row.core and " #core" or " #matrix"
    for _, column in ipairs(COLUMNS) do
      local fits, why = belongs(row, column)
      if why then
        note(row, column.name, "- (" .. why .. ")")
      end
      if fits then
        cell_of(row, column.name, tag, function()
          local cell = trial.one_cluster(row, column.targets)
          local targets = column.targets(cell)
          local took, struck = trial.strike(cell, row, targets)
          trial.mend(cell, row, targets, struck)
          return took
        end)
      end
    end

    if row.wide and row.down then
      cell_of(row, "start, slave", " #matrix", function()
        local master, slaves = pg.cluster(2)
        row.strike(slaves[1], {})
        local daemon = plusmoin.start { nodes = { master, slaves[1], slaves[2] }, config = trial.settings_of(row) }
        daemon:quiet_rounds(2)
        daemon:wait_place(slaves[1], "clusterless")
        row.mend(slaves[1], {})
        daemon:expect_events { { "slave_up", slaves[1], cluster = 0, rule = "U3" }, seconds = 30 }
        daemon:quiet_rounds(2)
        return "clusterless, then slave_up U3"
      end)

      cell_of(row, "start, master", " #matrix", function()
        local master, slaves = pg.cluster(2)
        row.strike(master, {})
        local daemon = plusmoin.start { nodes = { master, slaves[1], slaves[2] }, config = trial.settings_of(row),
          nowait = true }
        daemon:wait_status("all clusterless", function(status) return #status.clusterless == 3 end)
        daemon:quiet(3)
        row.mend(master, {})
        daemon:expect_events { { "cluster_created", master, cluster = 0, rule = "U2" }, seconds = 30 }
        daemon:expect_any_order { { "slave_up", slaves[1], rule = "U3" }, { "slave_up", slaves[2], rule = "U3" } }
        daemon:quiet_rounds(2)
        return "no cluster, then cluster_created U2"
      end)
    end

    if row.wide then
      cell_of(row, "second cluster", " #matrix", function()
        local cell = second_cluster(row)
        local since, beat = since_of(cell), beats(cell)
        local took, struck = trial.strike(cell, row, { cell.master })
        trial.mend(cell, row, { cell.master }, struck)
        assert.equal(since, since_of(cell))
        proc.wait_for("a beat of the first", 5, function() return beats(cell) > beat end)
        return took
      end)
    end
  end
end)
