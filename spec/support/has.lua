--- has(text, part...): asserts that each part (plain text) is in the text (whose tostring() counts).
return function(text, ...)
  text = tostring(text)
  for _, part in ipairs { ... } do
    if not text:find(part, 1, true) then
      error(("%q is not in:\n%s"):format(part, text:sub(1, 4000)), 2)
    end
  end
end
