-- expects: timed out | 50 ms
return function(event)
  local x <close> = setmetatable({}, { __close = function() while true do end end })
end
