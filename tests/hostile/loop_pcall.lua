-- expects: timed out
return function(event)
  while true do
    pcall(function()
      while true do pcall(function() while true do end end) end
    end)
  end
end
