-- expects: 50 ms
return function(event)
  ("abc"):gsub(".", function() while true do end end)
end
