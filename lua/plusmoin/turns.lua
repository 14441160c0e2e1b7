--- Lets one run at a time work, for triggers whose steps must not mix with those of a run of
-- another cluster. A turn is an entry in pm.state, which all triggers of this plusmoin share.
local turns = {}

local STEP_S = 0.005

--- Waits until it is this run's turn. Returns a function that ends the turn, and one that
-- renews it. A turn is over `seconds` after it began or was renewed, so that a run that was
-- killed does not block others. `pm` is the module "plusmoin", `name` names what is taken
-- in turns, `id` the run (event.id).
function turns.take(pm, name, id, seconds)
  local key = "turn of " .. name
  local function renew()
    pm.state[key] = { id = id, until_s = pm.now() + seconds }
  end
  local turn = pm.state[key]
  while turn and pm.now() < turn.until_s and turn.until_s - pm.now() <= seconds do
    pm.sleep(STEP_S)
    turn = pm.state[key]
  end
  renew()
  return function()
    local mine = pm.state[key]
    if mine and mine.id == id then
      pm.state[key] = nil
    end
  end, renew
end

return turns
