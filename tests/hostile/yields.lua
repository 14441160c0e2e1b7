-- expects: coroutine.yield outside
return function(event)
  coroutine.yield()
end
