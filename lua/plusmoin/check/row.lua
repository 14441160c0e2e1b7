--- Judges the row of the table heartbeat that a node shows: whose beat it is, and how old.
local answers = require "plusmoin.answers"
local keypath = require "plusmoin.keypath"

local given = answers.given
local row = {}

--- Judges a node's row. `by_id` holds all nodes by their ids.
function row.judge(node, by_id, config, problem, advice)
  local name, wrong = given(node.row_master), given(node.row_error) or ""
  local master = name and by_id[name]
  if wrong ~= "" then
    node.can_beat = false
    problem(nil, "table heartbeat cannot be read: %s", wrong)
  elseif not node.is_slave then
    return
  elseif not name then
    advice(nil, "shows no beat yet: plusmoin has not run, or its master's beats do not arrive")
  elseif not master then
    advice(nil, "its last beat names %s, which is no configured node (another monitor's name for its master, or " ..
      "a master that is not in nodes)", keypath.quote(name))
  elseif given(master.row_time) and master.row_time - node.row_time > config.max_sync_delay then
    advice(nil, "the beat that it shows is %.0f s older than its master's: out of sync",
      master.row_time - node.row_time)
  end
end

return row
