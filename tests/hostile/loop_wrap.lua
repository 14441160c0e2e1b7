-- expects: timed out
return function(event)
  coroutine.wrap(function()
    while true do pcall(function() while true do end end) end
  end)()
end
