-- expects: memory
return function(event)
  local s = "x"
  while true do s = s .. s end
end
