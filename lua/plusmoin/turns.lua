--- One run at a time: what triggers need whose steps must not mix with those of another
-- cluster's run. All triggers' of this plusmoin, through pm.state.
local turns = {}

local STEP_S = 0.005

--- Waits until it is this run's turn, and returns a function that ends it. A turn of a
-- run that was killed is over `seconds` after it began or was last renewed. The second
-- function returned renews it. `pm`: require "plusmoin"; `name`: of what is taken in
-- turns; `id`: the run's own (event.id).
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
