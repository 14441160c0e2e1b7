--- What a trigger says that finds the same thing wrong at each run: once, for as long as it is.
local remarks = {}

--- Returns a function(what, text): logs `text` as an error unless it is what was said of
-- `what` last; text nil or false: all is well again. Remembered in pm.state, so over
-- reloads too. `pm`: require "plusmoin"; `trigger`: the word before the text; `name`: of
-- what the trigger looks after.
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
