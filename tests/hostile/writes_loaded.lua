-- expects: a trigger writes package.loaded.plusmoin
return function(event)
  package.loaded.plusmoin = nil
end
