-- expects: 50 ms | memory
return function(event)
  while true do
    load(function() return " " end)
  end
end
