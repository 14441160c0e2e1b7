-- expects: gives no sign | timed out
return function(event)
  return ("a"):rep(27):find(("a?"):rep(27) .. ("a"):rep(27))
end
