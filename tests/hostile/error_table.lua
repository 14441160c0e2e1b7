-- expects: table
return function(event)
  error({})
end
