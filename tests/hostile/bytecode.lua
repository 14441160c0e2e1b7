-- expects: attempt to load a binary chunk
return function(event)
  assert(load(string.dump(function() end)))
end
