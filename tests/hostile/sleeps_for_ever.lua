-- expects: timed out
local pm = require "plusmoin"
return function(event)
  while true do pm.sleep(0) end
end
