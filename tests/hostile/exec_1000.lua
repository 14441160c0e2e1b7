-- expects: done | timed out
local pm = require "plusmoin"
return function(event)
  for _ = 1, 1000 do pm.exec { "true" } end
end
