-- expects: timed out
return function(event)
  load("while true do end")()
end
