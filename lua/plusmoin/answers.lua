--- Reading what JSON from the daemon or from C holds: null is nil, and what is missing is missing.
local cjson = require "cjson"

local answers = {}

--- The value, nil for null.
function answers.given(value)
  if value == cjson.null then
    return nil
  end
  return value
end

--- A key of a table; null, false, a missing key and a broken parent are nil.
function answers.get(object, key)
  return answers.given(type(object) == "table" and object[key] or nil)
end

--- The list of that key; whatever else is there, or nothing: an empty one.
function answers.list(object, key)
  local value = answers.get(object, key)
  return type(value) == "table" and value or {}
end

return answers
