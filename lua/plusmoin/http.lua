--- pm.http: an HTTP request from a trigger. This file checks its arguments;
-- src/script/api_http.c makes the request.
local core = require "plusmoin.http.core"

local http = {}

local LONGEST_S = 86400 -- as for all times of the configuration
local MOST_REDIRECTS = 50

local function misuse(format, ...)
  error("pm.http: " .. format:format(...), 0)
end

local function check_text(what, value)
  if type(value) ~= "string" then
    misuse("%s: a string expected, got %s", what, type(value))
  end
  return value
end

-- Checks a text that becomes part of a line of the request.
local function check_line(what, value)
  if check_text(what, value):find("[%c]") then
    misuse("%s: a string without control characters expected", what)
  end
  return value
end

local function check_boolean(what, value)
  if type(value) ~= "boolean" then
    misuse("%s: true or false expected, got %s", what, type(value))
  end
  return value
end

local function check_headers(headers)
  if type(headers) ~= "table" then
    misuse("headers: a table of names and values expected, got %s", type(headers))
  end
  local lines = {}
  for name, value in pairs(headers) do
    if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+.^_`|~-]+$") then
      misuse("headers: the name of a header expected, got %s", tostring(name))
    end
    value = math.type(value) and tostring(value) or value
    check_line(("headers[%q]"):format(name), value)
    lines[#lines + 1] = value ~= "" and name .. ": " .. value or name .. ";" -- libcurl's way to say an empty one
  end
  return lines
end

local OPTIONS = {
  url = function(value)
    if check_line("url", value):find("%s") or not value:lower():find("^https?://[^/]") then
      misuse("url: http://... or https://... expected")
    end
    return value
  end,
  method = function(value)
    if not check_text("method", value):find("^%a+$") then
      misuse("method: a word of letters expected")
    end
    return value:upper()
  end,
  headers = check_headers,
  body = function(value) return check_text("body", value) end,
  timeout = function(value)
    if not (type(value) == "number" and value > 0 and value <= LONGEST_S) then
      misuse("timeout: seconds above 0, at most %d, expected", LONGEST_S)
    end
    return value
  end,
  cafile = function(value) return check_line("cafile", value) end,
  verify = function(value) return check_boolean("verify", value) end,
  redirects = function(value)
    if not (math.type(value) == "integer" and value >= 0 and value <= MOST_REDIRECTS) then
      misuse("redirects: an integer from 0 to %d expected", MOST_REDIRECTS)
    end
    return value
  end,
}
local OPTION_WORDS = "body, cafile, headers, method, redirects, timeout, url, verify"

-- Returns an answer's headers, by names in small letters. Several of one name are joined with ", ".
local function read_headers(head)
  local headers = {}
  for name, value in head:gmatch("([^:\r\n]+):[ \t]*([^\r\n]*)") do
    name, value = name:lower(), value:gsub("[ \t]+$", "")
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return headers
end

--- pm.http, as the table of the API says (lua/plusmoin/api/waiting.lua).
function http.http(spec)
  if type(spec) ~= "table" then
    misuse("a table expected, got %s", type(spec))
  end
  local order = { verify = true, redirects = 0, headers = {} }
  for key, value in pairs(spec) do
    if not OPTIONS[key] then
      misuse("unknown key %q; allowed: %s", tostring(key), OPTION_WORDS)
    end
    order[key] = OPTIONS[key](value)
  end
  if not order.url then
    misuse("url: http://... or https://... expected")
  end
  order.method = order.method or order.body and "POST" or "GET"
  local status, body, head = core.fetch(order)
  if not status then
    return nil, order.url .. ": " .. body
  end
  return { status = status, headers = read_headers(head), body = body }
end

return http
