-- expects: gives no sign | timed out
return function(event)
  return ("a"):rep(28):find(("a?"):rep(28) .. ("a"):rep(28))
end
