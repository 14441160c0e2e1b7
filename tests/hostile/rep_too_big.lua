-- expects: resulting string too large
return function(event)
  return string.rep("x", 1e10)
end
