-- expects: timed out
return function(event)
  while true do end
end
