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
local wire = require "spec.support.wire"

local RESULTS = os.getenv("MATRIX") -- a file that gets a line for each cell, of a machine that does nothing else
local SETTINGS = { heartbeat = 0.5, retry_interval = 0.2, query_timeout = RESULTS and 0.3 or 0.6,
  fresh_connect_interval = 0.5, restart_grace = 0.6, max_sync_delay = 4, recover_sync_delay = 2 }
local BOUND_MS = 5000
-- "2/6": each sixth cell, from the second on: a job of `make test-long`
local PART, PARTS = assert((os.getenv("MATRIX_PART") or "1/1"):match("^(%d+)/(%d+)$"))

local function settings_of(row)
  local settings = {}
  for _, from in ipairs { SETTINGS, row.settings or {} } do
    for key, value in pairs(from) do
      settings[key] = value
    end
  end
  return settings
end

local function note(row, column, text)
  if RESULTS then
    local file = assert(io.open(RESULTS, "a"))
    file:write(("%s\t%s\t%s\n"):format(row.name, column, text))
    file:close()
  end
end

local function word(reasons, role)
  if type(reasons) == "table" then
    reasons = reasons[role]
  end
  return reasons ~= true and reasons or nil
end

local function role_of(cell, server)
  return server == cell.master and "master" or "slave"
end

-- The events that a strike at `servers` must have.
local function expected(cell, row, servers)
  if row.events then
    return row.events(cell, servers)
  end
  local list = {}
  for _, server in ipairs(servers) do
    local role = role_of(cell, server)
    if row.held then
      list[#list + 1] = { "node_held", server, cluster = cell.id, reason = word(row.held, role) }
    elseif row.down then
      list[#list + 1] = { role .. "_down", server, cluster = cell.id,
        rule = word(row.rule, role) or (role == "master" and "M2" or "S1"), reason = word(row.down, role) }
    end
  end
  return list
end

local function ups(cell, row, servers)
  if row.back then
    return row.back(cell, servers)
  end
  local list = { seconds = 30 }
  for i, server in ipairs(servers) do
    local role = role_of(cell, server)
    list[i] = { role .. "_up", server, cluster = cell.id, rule = role == "master" and "M4" or "L4" }
  end
  return list
end

-- The ms from `since` to the last of the events taken.
local function last_ms(daemon, since)
  return daemon:changes()[daemon.taken].ms - since
end

local function wait_released(daemon, servers)
  for _, server in ipairs(servers) do
    proc.wait_for("the end of the hold", 30, function() return daemon:logged("no longer held", server.name) end,
      function() return daemon:diagnose() end)
  end
end

local function strike(cell, row, targets)
  local daemon = cell.daemon
  local struck = row.replicated and role_of(cell, targets[1]) == "master" and cell.servers or targets
  daemon:quiet_rounds(1)
  local since = proc.mono_ms()
  for _, server in ipairs(targets) do
    row.strike(server, cell)
  end
  local list = expected(cell, row, struck)
  local took = "silence"
  if #list > 0 then
    daemon:expect_any_order(list)
    took = ("%.0f ms"):format(last_ms(daemon, since))
    assert.is_true(last_ms(daemon, since) < (row.bound_ms or BOUND_MS), took)
  end
  if row.then_down then
    daemon:expect_any_order(expected(cell, { down = row.then_down }, struck))
  end
  daemon:quiet(3 * SETTINGS.retry_interval)
  if row.rounds then
    daemon:quiet_rounds(row.rounds)
  end
  return took, struck
end

-- What servers found in their logs of plusmoin's sessions: nothing, unless it was refused or cut off.
local function check_logs(cell, row, struck)
  local to_be_told = {}
  for _, node in ipairs((row.held or row.down or row.then_down) and struck or {}) do
    to_be_told[node] = true
  end
  for _, node in ipairs(row.rude and {} or cell.servers) do
    local server = node.target or node.server or node
    assert.equal("", to_be_told[node] and "" or server:complaints())
  end
end

local function mend(cell, row, targets, struck)
  local daemon = cell.daemon
  for _, server in ipairs(row.mend and targets or {}) do
    row.mend(server, cell)
  end
  if row.down or row.then_down or row.back then
    daemon:expect_any_order(ups(cell, row, struck))
  elseif row.held then
    wait_released(daemon, struck)
  end
  daemon:quiet_rounds(3)
  check_logs(cell, row, struck)
  local elsewhere = row.places and row.places(cell) or {}
  for i, server in ipairs(cell.servers) do
    daemon:wait_place(server, elsewhere[server] or (i == 1 and "master " or "slave ") .. cell.id)
  end
end

-- A cluster of its own, watched.
local function one_cluster(row, column)
  if row.cell then
    return row.cell(settings_of(row))
  end
  local net = row.wire and wire.start()
  local master, slaves = pg.cluster(2, { wire = net })
  local cell = { wire = net, master = master, slaves = slaves, servers = { master, slaves[1], slaves[2] }, id = 0 }
  if row.prepare then
    row.prepare(column.targets(cell)[1])
  end
  cell.daemon = plusmoin.start { nodes = cell.servers, config = settings_of(row) }
  return cell
end

-- The second of two clusters.
local function second_cluster(row)
  local first, first_slaves = pg.cluster(1)
  local master, slaves = pg.cluster(2, { family = 2 })
  local daemon = plusmoin.start { nodes = { first, first_slaves[1], master, slaves[1], slaves[2] }, clusters = 2,
    config = settings_of(row) }
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
          local cell = one_cluster(row, column)
          local targets = column.targets(cell)
          local took, struck = strike(cell, row, targets)
          mend(cell, row, targets, struck)
          return took
        end)
      end
    end

    if row.wide and row.down then
      cell_of(row, "start, slave", " #matrix", function()
        local master, slaves = pg.cluster(2)
        row.strike(slaves[1], {})
        local daemon = plusmoin.start { nodes = { master, slaves[1], slaves[2] }, config = settings_of(row) }
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
        local daemon = plusmoin.start { nodes = { master, slaves[1], slaves[2] }, config = settings_of(row),
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
        local took, struck = strike(cell, row, { cell.master })
        mend(cell, row, { cell.master }, struck)
        assert.equal(since, since_of(cell))
        proc.wait_for("a beat of the first", 5, function() return beats(cell) > beat end)
        return took
      end)
    end
  end
end)
