-- expects: timed out | stack overflow | 50 ms
return function(event)
  local function f()
    pcall(f)
    f()
  end
  while true do pcall(f) end
end
