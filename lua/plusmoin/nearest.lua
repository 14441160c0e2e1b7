--- Finds the nearest known word to a mistyped one.
local nearest = {}

-- Returns a spelling that is the same for words that differ only in case, or in - for _.
local function normal(word)
  return (word:lower():gsub("[%s%-]", "_"))
end

--- Returns how many letters must be inserted, deleted, replaced or swapped with their
-- neighbour to make one word of the other.
function nearest.distance(a, b)
  local before, last, row = {}, {}, {}
  for j = 0, #b do
    last[j] = j
  end
  for i = 1, #a do
    row[0] = i
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local best = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        best = math.min(best, before[j - 2] + 1)
      end
      row[j] = best
    end
    before, last, row = last, row, before
  end
  return last[#b]
end

local LONGEST = 64 -- bytes of a word that are compared

--- Finds the nearest of `known` (a list of strings) to `word`.
-- Returns it and whether `word` is likely a typo of it (at most a third of its
-- letters differ); nil when `known` is empty. Of several that are equally near,
-- the first in the list is returned.
function nearest.find(word, known)
  local best, best_distance
  local wanted = normal(word:sub(1, LONGEST))
  for _, candidate in ipairs(known) do
    local distance = nearest.distance(wanted, normal(candidate))
    if not best or distance < best_distance then
      best, best_distance = candidate, distance
    end
  end
  if not best then
    return nil
  end
  return best, best_distance <= math.max(1, #best // 3)
end

return nearest
