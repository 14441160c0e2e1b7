-- expects: stack overflow | memory
return function(event)
  local held = {} -- most of the memory, so that what is refused is room for the stack
  for i = 1, 15 do
    held[i] = ("x"):rep(4 << 20)
  end
  local function f() return 1 + f() end
  return f() + #held
end
