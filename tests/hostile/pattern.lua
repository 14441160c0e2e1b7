-- expects: gives no sign
return function(event)
  return ("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40)) -- takes hours on any machine
end
