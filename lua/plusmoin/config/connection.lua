--- Checks `connection`: further libpq keywords, of the whole file and of single nodes.
local checks = require "plusmoin.config.checks"
local jsonc = require "plusmoin.jsonc"
local keypath = require "plusmoin.keypath"
local settings = require "plusmoin.settings"

local connection = {}

-- Keywords that plusmoin sets itself, or that would lead it to other servers than the
-- configured ones -> what to do instead. pm.query refuses them as well.
connection.refused = {
  host = "the node's key host",
  hostaddr = "the node's key host (names are resolved by plusmoin)",
  port = "the node's key port",
  user = "the key user, of the file or of the node",
  password = "the key password, of the file or of the node",
  dbname = "the key dbname, of the file or of the node",
  connect_timeout = "the key connect_timeout",
  replication = "leaving it out: plusmoin makes ordinary connections",
  client_encoding = "leaving it out: plusmoin uses UTF-8",
  fallback_application_name = "application_name",
  service = "host, port and the other keys of this file",
  target_session_attrs = "leaving it out: plusmoin connects to masters and slaves alike",
}

-- Keywords whose values are files. Relative ones count from the configuration's
-- directory; libpq would look for them in the working directory.
local FILES = {
  passfile = true, sslrootcert = true, sslcert = true, sslkey = true, sslcrl = true, sslcrldir = true,
}

-- The values that libpq allows, which it checks before it connects. It ignores case in versions of TLS.
local WORDS = {
  sslmode = { "disable", "allow", "prefer", "require", "verify-ca", "verify-full" },
  channel_binding = { "disable", "prefer", "require" },
  gssencmode = { "disable", "prefer", "require" },
  sslcertmode = { "disable", "allow", "require" },
  sslnegotiation = { "postgres", "direct" },
  load_balance_hosts = { "disable", "random" },
  ssl_min_protocol_version = { "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3" },
}
WORDS.ssl_max_protocol_version = WORDS.ssl_min_protocol_version

local INTEGERS = {
  keepalives = true, keepalives_idle = true, keepalives_interval = true, keepalives_count = true,
  tcp_user_timeout = true,
}

-- libpq uses these files only when no other user can read them.
local PRIVATE = { passfile = true, sslkey = true }

local function sorted_keys(object)
  local keys = {}
  for key in next, object do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local function keyword_list(keywords)
  local list = {}
  for keyword in pairs(keywords) do
    if not connection.refused[keyword] then
      list[#list + 1] = keyword
    end
  end
  table.sort(list)
  return list
end

-- Returns whether the keyword may be set here.
local function check_keyword(ctx, path, key)
  local keywords = ctx.env.libpq_keywords
  if type(key) ~= "string" then
    ctx.report:error(path, "a key that is no name", "libpq keywords such as sslmode")
  elseif connection.refused[key] then
    ctx.report:error(path, "may not be set here", connection.refused[key])
  elseif keywords and not keywords[key] then
    local wrong, allowed = checks.unknown(key, keyword_list(keywords))
    ctx.report:error(path, "not a libpq keyword: " .. wrong, allowed)
  elseif not key:find("^[%a_][%w_]*$") then
    ctx.report:error(path, "not a libpq keyword", "libpq keywords such as sslmode")
  else
    return true
  end
  return false
end

-- Whether the value names a file: libpq allows special words in its place.
local function is_file_name(key, value)
  return FILES[key] and value ~= ""
    and not (key == "sslrootcert" and value == "system")
    and not (key == "sslkey" and value:find(":", 1, true))
end

-- Reports a file that is missing or cannot be read, because libpq goes on without it and says nothing.
local function look_at_file(ctx, path, key, file)
  local env = ctx.env
  if env.exists and not env.exists(file) then
    ctx.report:warning(path, "no such file: " .. keypath.quote(file))
  elseif env.readable and not env.readable(file) then
    local wrong = keypath.quote(file) .. " cannot be read"
    local cure = PRIVATE[key] and "a file of daemon_user's, mode 0600" or
      "a file that daemon_user can read (chgrp and mode 0640)"
    if env.reload then
      ctx.report:error(path, wrong, cure)
    elseif not env.names_only then
      ctx.report:warning(path, ("%s: a reload will refuse it; allowed: %s"):format(wrong, cure))
    end
  elseif key == "passfile" and env.mode and (env.mode(file) or 0) & 63 ~= 0 then
    ctx.report:warning(path, keypath.quote(file) .. " can be read by others: libpq ignores it; its mode must be 0600")
  end
end

local function file_value(ctx, path, key, value)
  if not is_file_name(key, value) then
    return value
  end
  local absolute = checks.absolute(ctx, value)
  look_at_file(ctx, path, key, absolute)
  return absolute
end

-- Returns a keyword's value as a string, as libpq needs it; nil after an error.
local function value_text(ctx, path, value)
  local allowed = "a string, a number, true or false"
  if type(value) == "boolean" then
    return value and "1" or "0"
  elseif type(value) == "number" and value == value and value > -math.huge and value < math.huge then
    local integer = math.tointeger(value)
    return integer and ("%d"):format(integer) or ("%.14g"):format(value)
  elseif type(value) ~= "string" then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " is no value for a libpq keyword", allowed)
    return nil
  elseif value:find("\0", 1, true) then
    ctx.report:error(path, "holds a NUL byte", allowed .. ", without NUL bytes")
    return nil
  end
  return value
end

-- Returns the word of the list that the text is, whatever its case; else the text.
local function spelt(words, text)
  for _, word in ipairs(words) do
    if word:find("^TLS") and text:lower() == word:lower() then
      return word
    end
  end
  return text
end

-- Returns the value if libpq allows it for this keyword; an empty one is libpq's default. Nil after an error.
local function known_value(ctx, path, key, text)
  local words = WORDS[key]
  if text == "" then
    return text
  elseif words then
    return checks.value(ctx, path, spelt(words, text), { type = "choice", allowed = words })
  elseif INTEGERS[key] and not text:find("^%s*[+-]?%d+%s*$") then
    ctx.report:error(path, keypath.quote(text) .. " is no integer", "an integer")
    return nil
  end
  return text
end

--- Checks an object of keywords. Returns a map keyword -> string. Wrong keywords are
-- reported and left out; null means that a keyword is not set.
function connection.check(ctx, path, value)
  if value == nil then
    return {}
  elseif not checks.is_object(ctx, path, value) then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where libpq keywords belong",
      settings.allowed(settings.find("connection")) .. ', such as {"sslmode": "require"}')
    return {}
  end
  local map = {}
  for _, key in ipairs(sorted_keys(value)) do
    local own, given = keypath.key(path, key), value[key]
    if check_keyword(ctx, own, key) and given ~= jsonc.null then
      local text = value_text(ctx, own, given)
      text = text and known_value(ctx, own, key, text)
      map[key] = text and file_value(ctx, own, key, text)
    end
  end
  return map
end

--- Returns the pairs {key, value} of a node, sorted by key. The node's own replace the
-- file's. gssencmode is `disable` unless one of them sets it, because trying GSS first
-- costs a round trip and can hang on a dead KDC.
function connection.merge(global, own)
  local merged = { gssencmode = "disable" }
  for _, map in ipairs { global, own } do
    for key, value in pairs(map) do
      merged[key] = value
    end
  end
  local pairs_list = {}
  for _, key in ipairs(sorted_keys(merged)) do
    pairs_list[#pairs_list + 1] = { key, merged[key] }
  end
  return pairs_list
end

return connection
