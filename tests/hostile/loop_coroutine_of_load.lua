-- expects: timed out
local co = coroutine.create(function() while true do end end)
return function(event)
  while true do coroutine.resume(co) end
end
