-- expects: memory
return function(event)
  local s = "x"
  while true do pcall(function() s = s .. s end) end
end
