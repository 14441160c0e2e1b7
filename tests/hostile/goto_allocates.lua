-- expects: timed out
return function(event)
  ::again::
  local t = { {}, {}, {} }
  goto again
end
