-- expects: collectgarbage
return function(event)
  collectgarbage("stop")
end
