-- expects: timed out
local pm = require "plusmoin"
return function(event)
  pm.exec { "yes" }
end
