-- expects: a trigger writes string.format
return function(event)
  string.format = nil
end
