-- expects: timed out | 50 ms
return function(event)
  pcall(function()
    local x <close> = setmetatable({}, { __close = function() while true do end end })
    error("on purpose")
  end)
  while true do end
end
