-- expects: nil
return function(event)
  error()
end
