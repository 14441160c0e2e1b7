-- email: sends events by mail.
--
-- What for: whoever is on call reads on a telephone what is down, and a storm of events does not
-- bury it. Up to `burst` mails in `window` seconds go out at once, one for each event. Further
-- events are gathered, and go out in one mail as soon as another mail may go out: with the next
-- event, or at the next plusmoin_heartbeat. So run it there, too (a heartbeat itself is not
-- mailed). The limit is for all clusters together: run it with the same settings for all events.
-- A mail that sendmail did not take is kept, and tried again in the same way. Gathered events
-- outlive a reload, but no restart. The next events of the cluster wait while sendmail runs:
-- `timeout` says how long at most.
--
-- Settings:
--   to        ["oncall@example.com", ...]; required
--   from      the sender's address; default: as sendmail does
--   prefix    what subjects begin with; default: nothing
--   burst     how many mails go out at once in `window`; default 3
--   window    seconds in which `burst` mails are counted; default 60
--   sendmail  absolute path of a sendmail program; default /usr/sbin/sendmail
--   timeout   seconds that sendmail may take; default 10
--
-- Example (JSON; with the same entry at the other events, and at plusmoin_heartbeat):
--   "triggers": {
--     "master_down": {"lua": "email.lua", "settings": {"to": ["oncall@example.com"]}},
-- and in Lua:
--   local email = { lua = "email.lua", settings = { to = { "oncall@example.com" } } }
--   triggers = { master_down = email, slave_down = email, plusmoin_heartbeat = email, ... }
local pm = require "plusmoin"
local given = require "plusmoin.given"
local saying = require "plusmoin.saying"

local function is_address(value)
  return given.is_text(value) and value:find("^[^%s%c<>,;]+$") ~= nil and value:sub(1, 1) ~= "-"
end

local settings = given.check("email", ..., {
  to = { required = true, type = "string[]", allowed = 'a list of addresses: ["oncall@example.com", ...]',
    ok = function(value)
      return given.list_of(is_address)(value) and #value > 0
    end },
  from = { type = "string", allowed = "an address", ok = is_address },
  prefix = { default = "", type = "string", allowed = "some words in one line", ok = function(value)
    return type(value) == "string" and not value:find("%c")
  end },
  burst = { default = 3, type = "integer", allowed = "an integer from 1 to 1000", ok = function(value)
    return math.type(value) == "integer" and value >= 1 and value <= 1000
  end },
  window = { default = 60, allowed = "seconds, from 0.01 to 3600", ok = given.is_seconds },
  sendmail = { default = "/usr/sbin/sendmail", allowed = "the absolute path of a program", ok = given.is_path },
  timeout = { default = 10, allowed = "seconds, from 0.01 to 3600", ok = given.is_seconds },
})

local NAME = "email " .. table.concat(settings.to, " ")
local MOST = 500     -- events kept for one mail; further ones are only counted
local SUBJECT = 70   -- characters of a subject: without a prefix its line has at most 78 (RFC 5322, 2.1.1)
local LINE = 400     -- characters of a line, because a server's message may be long, and pm.state holds 1 MiB
local GRAVE = { master_down = 1, cluster_created = 2, slave_down = 3, master_up = 4, slave_up = 5 }

-- Returns the text's first `most` characters.
local function cut(text, most)
  local count = 0
  for at in text:gmatch("()[\0-\x7F\xC2-\xFD][\x80-\xBF]*") do
    count = count + 1
    if count > most then
      return text:sub(1, at - 1)
    end
  end
  return text
end

-- Returns a header's text; one that is not ASCII in encoded words of at most 75 characters
-- (RFC 2047).
local function header_text(text)
  text = text:gsub("%c", " ")
  if not text:find("[\x80-\xFF]") then
    return text
  end
  local words, word = {}, ""
  for char in text:gmatch("[\0-\x7F\xC2-\xFD][\x80-\xBF]*") do
    local code = char:gsub("[^%w]", function(byte) return ("=%02X"):format(byte:byte()) end)
    if #word + #code > 60 then
      words[#words + 1], word = word, ""
    end
    word = word .. code
  end
  words[#words + 1] = word
  return "=?utf-8?Q?" .. table.concat(words, "?=\n =?utf-8?Q?") .. "?="
end

-- Returns the gathered events: { events = list of {grave =, short =, line =, at =, id =}, dropped = how many more }.
local function gathered()
  return pm.state[NAME] or { events = {}, dropped = 0 }
end

-- Appends the events of `more` to those of `bag`, as far as there is room, and keeps them in pm.state.
local function gather(bag, more)
  bag.dropped = bag.dropped + more.dropped
  for _, one in ipairs(more.events) do
    if #bag.events < MOST then
      bag.events[#bag.events + 1] = one
    else
      bag.dropped = bag.dropped + 1
    end
  end
  pm.state[NAME] = bag
end

local function note(event)
  return { grave = GRAVE[event.name] or 6, short = saying.short(event),
    line = cut(saying.line(event):gsub("%c", " "), LINE), at = event.time // 1 | 0, id = event.id }
end

-- Returns whether a mail may go out now, and counts it.
local function may_send()
  local key, now, recent = NAME .. " sent", pm.now(), {}
  for _, at in ipairs(pm.state[key] or {}) do
    if now - at < settings.window and at <= now then
      recent[#recent + 1] = at
    end
  end
  if #recent >= settings.burst then
    return false
  end
  recent[#recent + 1] = now
  pm.state[key] = recent
  return true
end

local function subject_of(bag)
  local count, words = #bag.events + bag.dropped, {}
  if count == 1 then
    return bag.events[1].line
  end
  for grave = 1, 6 do -- the worst first
    for _, one in ipairs(bag.events) do
      words[#words + 1] = one.grave == grave and one.short or nil
    end
  end
  return ("%d events: %s"):format(count, table.concat(words, ", "))
end

local function names(nodes)
  local list = {}
  for i, node in ipairs(nodes) do
    list[i] = node.name
  end
  return #list > 0 and table.concat(list, " ") or "none"
end

local function body_of(bag)
  local lines = {}
  for i, one in ipairs(bag.events) do
    lines[i] = ("%s  %s  [%s]"):format(os.date("!%Y-%m-%d %H:%M:%SZ", one.at), one.line, one.id)
  end
  if bag.dropped > 0 then
    lines[#lines + 1] = ("... and %d more"):format(bag.dropped)
  end
  lines[#lines + 1] = "\nnow:"
  for _, cluster in ipairs(pm.clusters()) do
    lines[#lines + 1] = ("cluster %d: master %s, slaves %s, lost %s"):format(cluster.cluster_id,
      cluster.master and cluster.master.name or "none", names(cluster.slaves), names(cluster.lost))
  end
  return table.concat(lines, "\n") .. "\n"
end

local function mail_of(bag)
  local head = { "To: " .. table.concat(settings.to, ", "),
    "Subject: " .. header_text(settings.prefix .. cut(subject_of(bag), SUBJECT)),
    "Auto-Submitted: auto-generated", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit" }
  if settings.from then
    table.insert(head, 1, "From: " .. settings.from)
  end
  return table.concat(head, "\n") .. "\n\n" .. body_of(bag)
end

-- Gives a mail to sendmail. Raises an error when that fails.
local function send(bag)
  local command = { settings.sendmail, "-i", timeout = settings.timeout, stdin = mail_of(bag) }
  for _, word in ipairs(settings.from and { "-f", settings.from } or {}) do
    command[#command + 1] = word
  end
  command[#command + 1] = "--"
  table.move(settings.to, 1, #settings.to, #command + 1, command)
  local done, why = pm.exec(command)
  if not done then
    error("email: " .. why, 0)
  elseif done.timed_out then
    error(("email: %s: it did not end within %g s"):format(settings.sendmail, settings.timeout), 0)
  elseif done.code ~= 0 then
    error(("email: %s: exit status %s: %s"):format(settings.sendmail, done.code or done.signal,
      (done.stderr:gsub("%s+", " "))), 0)
  end
end

local function run(event)
  if event.name ~= "plusmoin_heartbeat" then
    gather(gathered(), { events = { note(event) }, dropped = 0 })
  end
  local bag = gathered()
  if #bag.events == 0 then
    return
  elseif not may_send() then
    pm.log.info("email: %d mails went out in %g s: the event is kept for a later mail", settings.burst, settings.window)
    return
  end
  pm.state[NAME] = nil
  local ok, why = pcall(send, bag)
  if not ok then
    gather(bag, gathered()) -- before the events that came meanwhile
    error(why, 0)
  end
end

return { run = run, timeout = settings.timeout + 5 }
