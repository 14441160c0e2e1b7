-- expects: timed out
local pm = require "plusmoin"
return function(event)
  pm.exec { "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done" }
end
