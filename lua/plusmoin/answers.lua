--- Reads tables that were decoded from JSON of the daemon or of C: null becomes nil, and a missing key is no error.
local cjson = require "cjson"

local answers = {}

--- Returns the value; nil for null.
function answers.given(value)
  if value == cjson.null then
    return nil
  end
  return value
end

--- Returns the value of a key; nil for null, for false, for a missing key, and where `object` is no table.
function answers.get(object, key)
  return answers.given(type(object) == "table" and object[key] or nil)
end

--- Returns the list of a key; an empty one where the key is missing or has no table.
function answers.list(object, key)
  local value = answers.get(object, key)
  return type(value) == "table" and value or {}
end

return answers
