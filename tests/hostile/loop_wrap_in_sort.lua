-- expects: 50 ms
return function(event)
  table.sort({ 2, 1 }, function()
    while true do
      pcall(coroutine.wrap(function() while true do end end))
    end
  end)
end
