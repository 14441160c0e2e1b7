-- webhook: posts events to a web address.
--
-- What for: incident tools and chat rooms. An event is posted at once. When no answer comes, or
-- it is 408, 425, 429 or 5xx, the event is posted again after 0.5 s, 1 s, 2 s, 4 s, ... (at most
-- 30 s, or as long as Retry-After says) until `timeout` is over. Each attempt has the same header
-- Idempotency-Key, the event's id, so that the receiver can recognise it. Any other answer than
-- 2xx is a failure. Meanwhile the next events of the cluster wait; `timeout` says how long at most.
--
-- Settings:
--   url          https://... (or http://...); the log shows only its host; required
--   format       "json" (the default): the event as Lua triggers have it, node by node; or
--                "chat": {"text": "one line"}, as Slack, Mattermost, Google Chat take it
--   header_file  absolute path of a file with lines "Name: value", read each time: for
--                "Authorization: Bearer ...", which should not stand in a configuration
--   headers      {"Name": "value"}: further headers
--   cafile       absolute path of certificates (PEM) to trust in place of the system's
--   timeout      seconds for all attempts together; default 30
--
-- Example (JSON and Lua):
--   "master_down": {"lua": "webhook.lua", "settings": {
--     "url": "https://hooks.example.com/db", "format": "chat", "header_file": "/etc/plusmoin/hook-header"}}
--   master_down = { lua = "webhook.lua", settings = { url = "https://hooks.example.com/db" } }
local pm = require "plusmoin"
local given = require "plusmoin.given"
local saying = require "plusmoin.saying"

local settings = given.check("webhook", ..., {
  url = { required = true, type = "string", allowed = "https://... or http://...", ok = function(value)
    return given.is_text(value) and value:lower():find("^https?://[^/%s]") ~= nil and not value:find("[%s%c]")
  end },
  format = { default = "json", allowed = '"json" or "chat"', ok = given.one_of("json", "chat") },
  header_file = { allowed = "the absolute path of a file", ok = given.is_path },
  headers = { default = {}, type = "table<string, string>", allowed = '{"Name": "value"}',
    ok = given.map_of(function(name)
      return given.is_text(name) and not name:find("[^%w_-]")
    end, function(value)
      return type(value) == "string" and not value:find("%c")
    end) },
  cafile = { allowed = "the absolute path of a file", ok = given.is_path },
  timeout = { default = 30, allowed = "seconds, from 0.01 to 3600", ok = given.is_seconds },
})

local FIRST_S, LONGEST_S = 0.5, 30 -- between two attempts
local ATTEMPT_S = 10               -- for one answer, at most
local AGAIN = { [408] = true, [425] = true, [429] = true }
local HOST = settings.url:match("^%a+://[^/?#]+"):gsub("//[^/]*@", "//")

local function body_of(event)
  return pm.json.encode(settings.format == "chat" and { text = saying.line(event) } or event)
end

-- Returns the headers of the request. Raises an error when header_file cannot be read, or holds something else.
local function headers_for(event)
  local headers = { ["Content-Type"] = "application/json", ["Idempotency-Key"] = event.id }
  for name, value in pairs(settings.headers) do
    headers[name] = value
  end
  if settings.header_file then
    local file, why = io.open(settings.header_file)
    if not file then
      error("webhook: " .. why, 0)
    end
    local text = file:read("a")
    file:close()
    local number = 0
    for line in text:gmatch("[^\r\n]+") do
      number = number + 1
      local name, value = line:match("^([%w_-]+):%s*(.-)%s*$")
      if not name then
        error(("webhook: %s: line %d is no header; allowed: Name: value"):format(settings.header_file, number), 0)
      end
      headers[name] = value
    end
  end
  return headers
end

-- Makes one attempt. Returns true; or false, why, and how many seconds the receiver asks us to
-- wait. Raises an error where another attempt would be useless.
local function attempt(order)
  local answer, why = pm.http(order)
  if not answer then
    return false, (why:gsub("^.-: ", "", 1))
  elseif answer.status >= 200 and answer.status < 300 then
    return true
  end
  local words = ("%d %s"):format(answer.status, answer.body:sub(1, 200):gsub("%s+", " "))
  if not AGAIN[answer.status] and answer.status < 500 then
    error(("webhook: %s: %s"):format(HOST, words), 0)
  end
  return false, words, tonumber(answer.headers["retry-after"])
end

local function post(event)
  local order = { url = settings.url, body = body_of(event), headers = headers_for(event), cafile = settings.cafile }
  local until_s, wait_s, number = pm.now() + settings.timeout, FIRST_S, 0
  while true do
    number = number + 1
    order.timeout = math.max(0.01, math.min(ATTEMPT_S, until_s - pm.now()))
    local done, why, wanted = attempt(order)
    if done then
      return
    end
    local pause = math.min(wanted and math.max(wanted, 0) or wait_s, LONGEST_S)
    if pm.now() + pause >= until_s then
      error(("webhook: %s: %s, after %d attempts in %g s"):format(HOST, why, number, settings.timeout), 0)
    end
    pm.log.warning("webhook: %s: %s, again in %g s", HOST, why, pause)
    pm.sleep(pause)
    wait_s = wait_s * 2
  end
end

return { run = post, timeout = settings.timeout + 5 }
