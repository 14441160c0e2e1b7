--- Least, median and greatest of a list of numbers, and of the ratios of two lists whose members belong together.
local numbers = {}

--- { min =, median =, max =, count = }; nil for an empty list.
function numbers.of(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  if #sorted == 0 then
    return nil
  end
  return { min = sorted[1], median = sorted[(#sorted + 1) // 2], max = sorted[#sorted], count = #sorted }
end

--- The same of above[i] / below[i].
function numbers.ratios(above, below)
  local ratios = {}
  for i = 1, math.min(#above, #below) do
    ratios[i] = above[i] / below[i]
  end
  return numbers.of(ratios)
end

return numbers
