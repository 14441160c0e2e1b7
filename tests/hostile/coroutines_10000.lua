-- expects: done
return function(event)
  local kept = {}
  for i = 1, 10000 do
    kept[i] = coroutine.create(function() coroutine.yield() end)
    coroutine.resume(kept[i])
  end
end
