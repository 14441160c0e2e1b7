-- expects: memory
local kept = {}
return function(event)
  while true do kept[#kept + 1] = ("x"):rep(1000) .. #kept end
end
