-- expects: done | timed out
local pm = require "plusmoin"
return function(event)
  for i = 1, 1000000 do pm.log.debug("line %d", i) end
  for i = 1, 20000 do pm.log.info("line %d", i) end
end
