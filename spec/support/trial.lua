--- A cell of the matrix (spec/program/matrix_spec.lua): a row of spec/support/faults.lua befalls some of the servers
-- that a plusmoin watches; its events come in their bound, and there is silence before, after, and for everybody else.
-- A cell: master, slaves, servers (both), daemon, id (its cluster's), wire (its network, if it has one of its own).
local assert = require "luassert"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local wire = require "spec.support.wire"

local trial = {}

-- The tight query_timeout is for the table of `make matrix`, whose machine does nothing else.
local SETTINGS = { heartbeat = 0.5, retry_interval = 0.2, query_timeout = os.getenv("MATRIX") and 0.3 or 0.6,
  fresh_connect_interval = 0.5, restart_grace = 0.6, max_sync_delay = 4, recover_sync_delay = 2 }
local BOUND_MS = 5000

--- The settings of the plusmoin that a row wants.
function trial.settings_of(row)
  local settings = {}
  for _, from in ipairs { SETTINGS, row.settings or {} } do
    for key, value in pairs(from) do
      settings[key] = value
    end
  end
  return settings
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

--- The row befalls `targets`. Returns how long its events took (words), and the servers that they were of.
function trial.strike(cell, row, targets)
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

--- What befell `targets` ends, and all is as it was, or as the row has it. `struck`: what trial.strike returned.
function trial.mend(cell, row, targets, struck)
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

--- A cell: a master and two slaves, watched, or what the row makes in their place. `targets_of(cell)`: whom the row
-- will befall.
function trial.one_cluster(row, targets_of)
  if row.cell then
    return row.cell(trial.settings_of(row))
  end
  local net = row.wire and wire.start()
  local master, slaves = pg.cluster(2, { wire = net })
  local cell = { wire = net, master = master, slaves = slaves, servers = { master, slaves[1], slaves[2] }, id = 0 }
  if row.prepare then
    row.prepare(targets_of(cell)[1])
  end
  cell.daemon = plusmoin.start { nodes = cell.servers, config = trial.settings_of(row) }
  return cell
end

return trial
