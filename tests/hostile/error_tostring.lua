-- expects: could not be made
return function(event)
  error(setmetatable({}, { __tostring = function() while true do end end }))
end
