-- expects: nested | too deep | depth | maximum
local pm = require "plusmoin"
return function(event)
  assert(pm.json.decode(("["):rep(1000000)))
end
