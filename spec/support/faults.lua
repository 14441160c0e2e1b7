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
-- takes (RIGHTS; wire: its servers are hosts of a network of their own); cell(settings): a fleet made otherwise;
-- places(cell): who is elsewhere than before in the end, by server; rude = why servers' logs may have something
-- to say of plusmoin's sessions.
local disk = require "spec.support.disk"
local faked = require "spec.support.faked"
local names = require "spec.support.names"
local network = require "spec.support.network"
local wire = require "spec.support.wire"

local faults = { rows = {} }

local RIGHTS = {
  cuts = { network.may_cut, "no right to cut a network" }, mounts = { disk.may_mount, "no right to mount" },
  wire = { wire.may_build, "no right to namespaces" }, named = { names.may_serve, "no right to a name server" },
  faked = { faked.may_fake, "libfaketime and sanitizers do not go together" },
}

for _, room in ipairs { "dying", "net", "wire", "names", "door", "beats", "disk", "roles", "logical", "monitor" } do
  for _, row in ipairs(require("spec.support.faults." .. room)) do
    table.insert(faults.rows, row)
  end
end

--- What a row takes and is not there; nil if nothing.
function faults.missing(row)
  for key, right in pairs(RIGHTS) do
    if row[key] and not right[1]() then
      return right[2]
    end
  end
end

--- Only for rows with `only`: whether the row makes sense for a server of this role.
function faults.fits(row, role)
  return row.only == nil or row.only == role
end

return faults
