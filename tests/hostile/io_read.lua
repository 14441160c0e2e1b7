-- expects: io.read: a trigger has no stdin
return function(event)
  io.read("a")
end
