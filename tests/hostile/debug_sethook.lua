-- expects: sethook
return function(event)
  debug.sethook()
end
