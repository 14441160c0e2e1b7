-- expects: memory
return function(event)
  return string.rep("x", 1 << 29)
end
