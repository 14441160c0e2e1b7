-- expects: __gc is not for triggers
return function(event)
  setmetatable({}, { __gc = function() while true do end end })
end
