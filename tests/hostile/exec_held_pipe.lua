-- expects: done
local pm = require "plusmoin"
return function(event)
  pm.exec { "sh", "-c", "sleep 5 & exit 0" }
end
