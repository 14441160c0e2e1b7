-- expects: a trigger writes the global x
return function(event)
  rawset(_G, "x", 1)
end
