--- Lets a trigger log a lasting fault once, although it finds the fault again at each run.
local remarks = {}

--- Returns a function(what, text) that logs `text` as an error, unless it is the last text
-- about `what`. With nil or false for text the fault is over. pm.state remembers it, so a
-- reload does not repeat it. `pm` is the module "plusmoin", `trigger` the word before the
-- text, `name` names what the trigger looks after.
function remarks.new(pm, trigger, name)
  return function(what, text)
    local key = name .. ": " .. what
    if text and pm.state[key] ~= text then
      pm.log.error("%s: %s", trigger, text)
    end
    pm.state[key] = text or nil
  end
end

return remarks
