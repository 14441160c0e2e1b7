-- expects: too complex
return function(event)
  return (("x"):rep(300000)):find(("x-"):rep(300) .. ".-b")
end
