-- expects: attempt to index a boolean
return function(event)
  getmetatable(io.open("/dev/null")).__index = nil
end
