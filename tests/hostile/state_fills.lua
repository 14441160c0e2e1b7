-- expects: pm.state holds 1 MiB
local pm = require "plusmoin"
return function(event)
  for i = 1, 100 do pm.state["k" .. i] = ("x"):rep(100000) end
end
