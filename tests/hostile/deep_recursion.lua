-- expects: stack overflow | memory
return function(event)
  local function f() return 1 + f() end
  return f()
end
