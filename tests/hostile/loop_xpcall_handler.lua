-- expects: 50 ms | timed out
return function(event)
  while true do
    xpcall(error, function() while true do end end)
  end
end
