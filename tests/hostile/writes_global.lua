-- expects: a trigger writes the global oops
return function(event)
  oops = 1
end
