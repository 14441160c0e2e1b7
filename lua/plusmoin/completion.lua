--- Completes a word that is being typed at the console.
local completion = {}

local MOST = 200

local KEYWORDS = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
  "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while" }

-- Returns the table or string to which the names of `path`, each followed by a dot or colon, lead; nil: to none.
local function follow(path, environment)
  local value = environment
  for name in path:gmatch("([^.:]+)[.:]") do
    if type(value) ~= "table" then
      return nil
    end
    value = value[name]
  end
  return type(value) == "string" and string or value
end

-- Adds the names that begin with `begin`, of the table and of the tables behind its __index.
local function add_names(found, value, begin)
  while type(value) == "table" do
    for name in pairs(value) do
      if type(name) == "string" and name:find("^[%a_][%w_]*$") and name:sub(1, #begin) == begin then
        found[name] = true
      end
    end
    local meta = getmetatable(value)
    value = type(meta) == "table" and rawget(meta, "__index") or nil
  end
end

--- Returns a sorted list of at most 200 words that begin with `word` ("pm.qu"): names in the session, and keywords.
function completion.words(word, environment)
  local path, begin = word:match("^(.*[.:])([^.:]*)$")
  local found, words = {}, {}
  add_names(found, path and follow(path, environment) or not path and environment or nil, begin or word)
  for _, keyword in ipairs(path and {} or KEYWORDS) do
    if keyword:sub(1, #word) == word then
      found[keyword] = true
    end
  end
  for name in pairs(found) do
    words[#words + 1] = (path or "") .. name
  end
  table.sort(words)
  return #words <= MOST and words or table.move(words, 1, MOST, 1, {})
end

return completion
