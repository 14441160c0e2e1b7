--- What can happen to a real server: the rows of the matrix (spec/program/matrix_spec.lua).
--
-- A row: name; strike = function(server, cell), mend = function(server, cell) where it does not
-- end by itself; and what plusmoin must conclude of that server:
--   down = the reason of its master_down (M2) or slave_down (S1), one word or {master =, slave =}, true: any
--   (killed it is refused, or reset where a connect was under way); `rule`, where it is another
--   held = the reason of its node_held, then_down as down after that; neither: silence
--   events(cell, targets), back(cell, targets): what must fire in their place, struck and mended
-- settings that differ; bound_ms: from the strike to the last event (generous; the tight ones are in
-- tests/bench); rounds: how many must be silent after the strike where nothing must fire; only = "master" or
-- "slave" with why, where a column makes no sense; wide: also in the columns of several servers; whole: struck
-- once, no matter whom; replicated: strikes the slaves of a master, too; cuts, mounts, wire, named, faked: what it
-- takes (TAKES; wire: its servers are hosts of a network of their own); cell(settings): a fleet made otherwise;
-- places(cell): who is elsewhere than before in the end, by server; rude = why servers' logs may have something
-- to say of plusmoin's sessions.
local machine = require "spec.support.machine"

local faults = { rows = {} }

local TAKES = { "cuts", "mounts", "wire", "named", "faked" } -- of spec.support.machine

for _, room in ipairs { "dying", "net", "wire", "names", "door", "beats", "disk", "roles", "logical", "monitor" } do
  for _, row in ipairs(require("spec.support.faults." .. room)) do
    table.insert(faults.rows, row)
  end
end

--- Why a row cannot be run here; nil if it can.
function faults.missing(row)
  local takes = {}
  for _, key in ipairs(TAKES) do
    takes[#takes + 1] = row[key] and key or nil
  end
  return machine.lacks(table.unpack(takes))
end

--- Only for rows with `only`: whether the row makes sense for a server of this role.
function faults.fits(row, role)
  return row.only == nil or row.only == role
end

return faults
