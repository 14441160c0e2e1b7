-- expects: timed out
return function(event)
  local t = setmetatable({}, { __index = function() while true do end end })
  return t.x
end
