--- Checks `http`: where the window listens, and who may ask it.
local address = require "plusmoin.config.address"
local checks = require "plusmoin.config.checks"
local keypath = require "plusmoin.keypath"
local settings = require "plusmoin.settings"

local window = {}

local MAX_SOCKET = 107 -- sun_path holds 108 bytes with its NUL
local MAX_TOKEN = 512
local SHORT_TOKEN = 16
local READ_BY_ALL = 4 -- a bit of a file's mode
local FILES = { "control_socket", "pid_file", "status_file", "log_file" }

local function is_ipv4(host)
  local parts = { host:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for _, part in ipairs(parts) do
    if #part > 3 or tonumber(part) > 255 then
      return false
    end
  end
  return #parts == 4
end

-- Returns what is wrong with "address:port", in words; nil: nothing.
local function address_fault(text)
  if text:find("^%*?:%d+$") then
    return "has no address; 0.0.0.0 is all of IPv4, [::] all of IPv6"
  end
  local host, port = address.parse(text)
  if not host then
    return port
  elseif not text:find("^%[") and not is_ipv4(host) then
    return "is no address: names are not looked up"
  end
end

local function socket_fault(text)
  return text:sub(-1) == "/" and "is a directory" or
    #text > MAX_SOCKET and ("is a path of %d bytes, of which a socket has at most %d"):format(#text, MAX_SOCKET)
end

-- Checks an address to listen at. Returns it, a socket's path made absolute; nil after an error.
local function check_listen(ctx, path, value, row)
  local text = checks.value(ctx, path, value, { type = "string", allowed = row.allowed })
  if text and text:find("/", 1, true) then
    return checks.faultless(ctx, path, checks.absolute(ctx, text), socket_fault, row)
  end
  return checks.faultless(ctx, path, text, address_fault, row)
end

-- Checks one address or a list of them; returns a list.
local function check_listens(ctx, path, value, row)
  if not checks.is_list(ctx, path, value) then
    return { check_listen(ctx, path, value, row) }
  elseif #value == 0 then
    ctx.report:error(path, "is an empty list", settings.allowed(row))
  end
  local list = {}
  for i, entry in ipairs(value) do
    list[#list + 1] = check_listen(ctx, keypath.index(path, i), entry, row)
  end
  return list
end

local function name_fault(name)
  if name:find("[%s%c/]") then
    return "is no name"
  elseif name:find("^%[.*%]:%d+$") or name:find("^[^:]*:%d+$") then
    return "holds a port: a name is good with each port"
  elseif name:find("[%[%]]") then
    return "holds brackets: write an IPv6 address without them"
  end
end

local function check_names(ctx, path, value, row)
  local list = {}
  if not checks.is_list(ctx, path, value) then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where a list belongs", settings.allowed(row))
    return list
  end
  for i, entry in ipairs(value) do
    local own = keypath.index(path, i)
    local name = checks.value(ctx, own, entry, { type = "string", allowed = row.allowed })
    list[#list + 1] = checks.faultless(ctx, own, name, name_fault, row)
  end
  return list
end

-- Returns the first line of a file; or nil and what is wrong.
local function first_line(file)
  local handle, err = io.open(file, "rb")
  if not handle then
    return nil, "cannot be read: " .. err:gsub("^.*: ", "")
  end
  local text, read_err = handle:read(MAX_TOKEN + 3)
  handle:close()
  if not text and read_err then
    return nil, "cannot be read: " .. read_err
  end
  return ((text or ""):gsub("\r?\n.*$", ""))
end

local function token_fault(token)
  if token == "" then
    return "is empty, or its first line is"
  elseif #token > MAX_TOKEN then
    return ("has a first line of more than %d bytes"):format(MAX_TOKEN)
  elseif not token:find("^[A-Za-z0-9._~+/-]+=*$") then
    return "holds what no bearer token can have"
  end
end

-- Returns the token that the file holds; nil after an error. No message contains it.
local function read_token(ctx, path, file)
  local env = ctx.env
  local token, fault = first_line(file)
  fault = fault or token_fault(token)
  if fault then
    ctx.report:error(path, keypath.quote(file) .. " " .. fault, ("a file that daemon_user can read, whose first line "
      .. "is 1 to %d letters, digits, and - . _ ~ + / (and = at its end)"):format(MAX_TOKEN))
    return nil
  elseif env.mode and (env.mode(file) or 0) & READ_BY_ALL ~= 0 then
    ctx.report:warning(path, keypath.quote(file) .. " can be read by everybody; its mode should be 0640 or 0600")
  end
  if #token < SHORT_TOKEN then
    ctx.report:warning(path, ("the token has %d bytes and can be guessed; `openssl rand -hex 32` makes a good one")
      :format(#token))
  end
  return token
end

local function is_local(text)
  return text:find("/", 1, true) or text:find("^127%.") or text:find("^%[::1%]:")
end

-- Reports an address that is listed twice, or that another setting uses.
local function check_distinct(ctx, path, http, files)
  local seen = {}
  for _, key in ipairs(FILES) do
    seen[files[key]] = key
  end
  for _, text in ipairs(http.listen) do
    if seen[text] then
      ctx.report:error(keypath.key(path, "listen"), keypath.quote(text) .. " is " .. seen[text] .. " as well",
        "each place once")
    end
    seen[text] = "http.listen"
  end
  if http.agent and seen[http.agent] then
    ctx.report:error(keypath.key(path, "agent"), keypath.quote(http.agent) .. " is " .. seen[http.agent] .. " as well",
      "a place of its own")
  end
end

local function warn_of_strangers(ctx, path, http)
  for _, text in ipairs(http.listen) do
    if not is_local(text) then
      ctx.report:warning(keypath.key(path, "listen"), ("%s can be reached by other machines, and there is no "
        .. "token_file: whoever reaches it may read all that plusmoin knows"):format(keypath.quote(text)))
    end
  end
end

-- Reads the keys of the object into `http`.
local function read_keys(ctx, path, value, http)
  local function read(key, check)
    local given, row = checks.get(value, key), settings.find("http." .. key)
    if given ~= nil then
      return check(ctx, keypath.key(path, key), given, row)
    end
  end
  http.listen = read("listen", check_listens) or {}
  http.hosts = read("hosts", check_names) or {}
  http.agent = read("agent", check_listen)
  http.token_file = read("token_file", checks.value)
  http.isolated = read("isolated", checks.value) or settings.find("http.isolated").default
  if checks.get(value, "listen") == nil and checks.get(value, "agent") == nil then
    ctx.report:error(path, "holds neither listen nor agent", settings.allowed(settings.find("http")))
  end
end

--- Checks the object `http`. `files` is what files.read() returned: the window must not use their paths. Returns nil
-- where there is no such object, else {listen = list, hosts = list, agent =, token_file =, token =, isolated =} with
-- absolute paths of sockets. `token` is nil without a file, and with env.names_only or env.trigger.
function window.check(ctx, value, files)
  local path, http = "http", {}
  if value == nil then
    return nil
  elseif not checks.is_object(ctx, path, value) then
    ctx.report:error(path, checks.describe(ctx, path, value) .. " where the window's settings belong",
      settings.allowed(settings.find("http")))
    return nil
  end
  checks.keys(ctx, path, value, "http.")
  read_keys(ctx, path, value, http)
  check_distinct(ctx, path, http, files)
  if http.token_file and not ctx.env.names_only and not ctx.env.trigger then
    http.token = read_token(ctx, keypath.key(path, "token_file"), http.token_file)
  elseif not http.token_file and checks.get(value, "token_file") == nil then
    warn_of_strangers(ctx, path, http)
  end
  return http
end

return window
