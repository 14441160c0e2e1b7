--- Checks `monitors`: the etcd in which several monitors agree on the one that acts, and this one's name there.
local address = require "plusmoin.config.address"
local checks = require "plusmoin.config.checks"
local keypath = require "plusmoin.keypath"
local settings = require "plusmoin.settings"

local monitors = {}

local MAX_NAME = 255
local READ_BY_ALL = 4 -- a bit of a file's mode
local FILES = { "cafile", "certfile", "keyfile" }

-- Returns what is wrong with a URL of etcd, in words that may follow its text; nil: nothing.
local function url_fault(url)
  local rest = url:match("^https?://(.*)$")
  if not rest then
    return "does not begin with http:// or https://"
  end
  local place, behind = rest:match("^([^/?#]*)(.*)$")
  local host, fault = address.parse(place)
  if not host then
    return fault
  elseif behind ~= "" then
    return "has something behind the port"
  end
end

-- Checks a URL; returns it, or nil after an error.
local function check_url(ctx, path, value, row)
  local url = checks.value(ctx, path, value, { type = "string", allowed = row.allowed })
  if not url then
    return nil
  elseif url:find("@", 1, true) then -- its text may hold a password
    ctx.report:error(path, "holds an @: user and password have settings of their own", settings.allowed(row))
    return nil
  end
  return checks.faultless(ctx, path, url, url_fault, row)
end

-- Checks one URL or a list of them; returns a list.
local function check_urls(ctx, path, value, row)
  if not checks.is_list(ctx, path, value) then
    return { check_url(ctx, path, value, row) }
  elseif #value == 0 then
    ctx.report:error(path, "is an empty list", settings.allowed(row))
  end
  local list, seen = {}, {}
  for i, entry in ipairs(value) do
    local own = keypath.index(path, i)
    local url = check_url(ctx, own, entry, row)
    if url and seen[url] then
      ctx.report:error(own, keypath.quote(url) .. " is there twice", "each member once")
    end
    list[#list + 1] = url
    seen[url or ""] = true
  end
  return list
end

local function prefix_fault(prefix)
  if prefix:sub(1, 1) ~= "/" or prefix:sub(-1) ~= "/" then
    return "does not begin and end with a slash"
  elseif not prefix:find("[^/]") then
    return "is no prefix: keys of other programs may begin with it, too"
  end
end

local function check_prefix(ctx, path, value, row)
  return checks.faultless(ctx, path, checks.value(ctx, path, value, row), prefix_fault, row)
end

local function name_fault(name)
  return name:find("/", 1, true) and "holds a slash" or #name > MAX_NAME and ("has %d bytes"):format(#name)
end

local function check_name(ctx, path, value, row)
  return checks.faultless(ctx, path, checks.value(ctx, path, value, row), name_fault, row)
end

-- Returns the machine's name, for a file that gives none; nil after an error.
local function default_name(ctx, path)
  local host = ctx.env.host or ""
  if not host:find("%S") or host:find("%c") or name_fault(host) then
    ctx.report:error(path, "is missing, and the machine's host name cannot be used: " .. keypath.quote(host),
      settings.allowed(settings.find("monitors.name")))
    return nil
  elseif host:find("^localhost") then
    ctx.report:warning(path, ("is missing, and the machine's host name, %s, is that of others as well; two monitors of "
      .. "one name are refused"):format(keypath.quote(host)))
  end
  return host
end

local function look_at_file(ctx, path, key, file)
  local env = ctx.env
  if env.readable and not env.readable(file) then
    ctx.report:error(path, keypath.quote(file) .. " cannot be read", key == "keyfile"
      and "a file of daemon_user's, mode 0600" or "a file that daemon_user can read (chgrp and mode 0640)")
  elseif key == "keyfile" and env.mode and (env.mode(file) or 0) & READ_BY_ALL ~= 0 then
    ctx.report:warning(path, keypath.quote(file) .. " can be read by everybody; its mode should be 0640 or 0600")
  end
end

-- Reports a key that stands without the other one of its pair.
local function check_pairs(ctx, path, found, given)
  for _, pair in ipairs { { "user", "password" }, { "certfile", "keyfile" } } do
    for i, key in ipairs(pair) do
      local other = pair[3 - i]
      if given[key] and not given[other] then
        ctx.report:error(keypath.key(path, key), "stands without " .. other, "both, or neither")
      end
    end
  end
  if found.password == "" then
    ctx.report:error(keypath.key(path, "password"), "is empty", "a string, not empty")
  end
end

local function is_local(url)
  return url:find("^%a+://127%.") or url:find("^%a+://%[::1%]:") or url:find("^%a+://localhost:")
end

-- Warns of settings that work, but perhaps not as they were meant.
local function warn(ctx, path, found, state_file)
  local has_tls, bare = false, nil
  for _, url in ipairs(found.etcd) do
    has_tls = has_tls or url:find("^https:") ~= nil
    bare = bare or url:find("^http:") and not is_local(url) and url
  end
  for _, key in ipairs(FILES) do
    if found[key] and not has_tls and #found.etcd > 0 then
      ctx.report:warning(keypath.key(path, key), "is not used: no URL of etcd begins with https")
    end
  end
  if found.password and bare then
    ctx.report:warning(keypath.key(path, "etcd"), ("the password goes to %s as plain text; https hides it")
      :format(keypath.quote(bare)))
  end
  if state_file then
    ctx.report:warning("state_file", "is read only while etcd holds nothing yet: what monitors know is kept there")
  end
end

-- The daemon takes a number of monitors, or one of these (core/votes.h).
local VOTES = { majority = 0, any = -1 }
local MOST_VOTES = 99

local function check_votes(ctx, path, value, row)
  local number = VOTES[value] or math.type(value) and math.tointeger(value)
  if number and (VOTES[value] or number >= 1 and number <= MOST_VOTES) then
    return number
  end
  ctx.report:error(path, checks.describe(ctx, path, value) .. " is no number of votes", settings.allowed(row))
  return nil
end

local READERS = { etcd = check_urls, prefix = check_prefix, name = check_name, votes = check_votes }

-- Reads the keys of the object into `found`. Returns the set of keys that the file has.
local function read_keys(ctx, path, value, found)
  local given = {}
  for _, row in ipairs(settings.below("monitors.")) do
    local key = settings.key(row)
    local text = checks.get(value, key)
    given[key] = text ~= nil
    if text == nil then
      found[key] = VOTES[row.default] or row.default
    else
      found[key] = (READERS[key] or checks.value)(ctx, keypath.key(path, key), text, row)
    end
  end
  if not given.etcd then
    ctx.report:error(path, "holds no etcd", settings.allowed(settings.find("monitors")))
  end
  found.etcd = found.etcd or {}
  if not given.name and not ctx.env.names_only then
    found.name = default_name(ctx, keypath.key(path, "name"))
  end
  return given
end

--- Checks the object `monitors`. `state_file` is true where the file has that key. Returns nil where there is no such
-- object, else {etcd = list, prefix =, name =, ttl = seconds, user =, password =, cafile =, certfile =, keyfile =,
-- votes = number, away = "hold" or "act"}, with absolute paths.
function monitors.check(ctx, value, state_file)
  local path, found = "monitors", {}
  if value == nil then
    return nil
  elseif not checks.is_object(ctx, path, value) then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where the settings of monitors belong",
      settings.allowed(settings.find("monitors")))
    return nil
  end
  checks.keys(ctx, path, value, "monitors.")
  local given = read_keys(ctx, path, value, found)
  check_pairs(ctx, path, found, given)
  if not ctx.env.names_only and not ctx.env.trigger then
    for _, key in ipairs(FILES) do
      if found[key] then
        look_at_file(ctx, keypath.key(path, key), key, found[key])
      end
    end
    warn(ctx, path, found, state_file)
  end
  return found
end

return monitors
