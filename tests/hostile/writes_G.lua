-- expects: a trigger writes the global print
return function(event)
  _G.print = nil
end
