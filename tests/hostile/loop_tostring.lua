-- expects: 50 ms
return function(event)
  print(setmetatable({}, { __tostring = function() while true do end end }))
end
