-- expects: 50 ms
return function(event)
  table.sort({ 3, 2, 1 }, function() while true do end end)
end
