--- A real HAProxy with a writer and a reader backend.
local proc = require "spec.support.proc"

local haproxy = {}

local Haproxy = {}
Haproxy.__index = Haproxy

haproxy.running = {}

local CONFIG = [[
global
  stats socket %s mode 600 level %s
%s
  nbthread 1
  maxconn 200
defaults
  mode tcp
%s
  timeout connect 1s
  retries 0
  timeout client 1m
  timeout server 1m
frontend write
  bind 127.0.0.1:%d
  default_backend pg_write
frontend read
  bind 127.0.0.1:%d
  default_backend pg_read
%s
]]

local BACKENDS = [[
backend pg_write
%s
backend pg_read
%s
]]

--- Starts one in front of `servers` (of pg). Options: level (of the stats socket), lines = function(server, i)
-- -> server line (default: by address, disabled), check (a program for external checks), backends (the text of both, in
-- place of lines), stopped.
function haproxy.start(servers, options)
  options = options or {}
  local self = setmetatable({ dir = proc.new_dir("haproxy"), write_port = proc.free_port(),
    read_port = proc.free_port() }, Haproxy)
  self.socket = self.dir .. "/admin.sock"
  local lines = {}
  for i, server in ipairs(servers) do
    lines[i] = "  " .. (options.lines and options.lines(server, i) or
      ("server s%d %s:%d disabled"):format(i, server.host, server.port))
  end
  local list = table.concat(lines, "\n")
  proc.write_file(self.dir .. "/haproxy.cfg",
    CONFIG:format(self.socket, options.level or "admin",
      options.check and "  external-check\n  insecure-fork-wanted" or "",
      options.check and "  option external-check\n  external-check path /usr/bin:/bin\n  external-check command "
        .. options.check or "", self.write_port, self.read_port,
      options.backends or BACKENDS:format(list, list)))
  if not options.stopped then
    self:run()
  end
  haproxy.running[self] = true
  return self
end

--- Starts it, again maybe; returns when it takes commands.
function Haproxy:run()
  self.process = proc.spawn({ "haproxy", "-db", "-f", self.dir .. "/haproxy.cfg" }, { output = self.dir .. "/log" })
  proc.wait_for("HAProxy", 10, function()
    if not self.process:running() then
      error("HAProxy ended: " .. (proc.read_file(self.dir .. "/log") or ""), 0)
    end
    return proc.uv.fs_stat(self.socket) ~= nil
  end)
  return self
end

function Haproxy:kill()
  if self.process and self.process:running() then
    self.process:kill("sigkill")
    self.process:wait()
  end
  os.remove(self.socket)
  return self
end

-- Asks once; nil: nobody listens at the socket yet.
local function ask_once(self, text)
  local client, parts, ended, refused = proc.uv.new_pipe(false), {}, false, false
  client:connect(self.socket, function(failed)
    if failed then
      ended, refused = true, true
      return
    end
    client:read_start(function(_, data)
      parts[#parts + 1] = data
      ended = ended or not data
    end)
    client:write(text .. "\n")
  end)
  proc.wait_for("HAProxy's answer", 5, function() return ended end)
  proc.close(client)
  return not refused and table.concat(parts) or nil
end

--- What it answers to a command, once it listens.
function Haproxy:ask(text)
  return proc.wait_for("HAProxy", 5, function() return ask_once(self, text) end)
end

-- A line of comma-separated values: text in quotation marks has commas of its own.
local function fields_of(line)
  local fields, at = {}, 1
  while at <= #line + 1 do
    local quoted, behind = line:match('^"(.-)"(),', at)
    if not quoted then
      quoted, behind = line:match("^([^,]*)()", at)
    end
    fields[#fields + 1] = quoted
    at = behind + 1
  end
  return fields
end

--- The servers of a backend as the statistics have them: by name, { svname =, status =, weight =, last_agt =, ... }.
function Haproxy:servers(backend)
  local titles, servers = nil, {}
  for line in self:ask("show stat " .. backend .. " 4 -1"):gmatch("[^\n]+") do
    local fields = fields_of((line:gsub("^# ", "")))
    local server = {}
    for i, title in ipairs(titles or {}) do
      server[title] = fields[i]
    end
    if titles then
      servers[server.svname] = server
    end
    titles = titles or fields
  end
  return servers
end

--- Those of them that get new connections, by name, with "+" between them.
function Haproxy:taking(backend)
  local names = {}
  for name, server in pairs(self:servers(backend)) do
    if (server.status:find("^UP") or server.status == "no check") and tonumber(server.weight) > 0 then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return table.concat(names, "+")
end

-- Waits until `of` says these of the pools; "s1" in pg_write, "s2+s3" in pg_read.
local function wait_pools(self, of, writer, readers, tell)
  proc.wait_for(("pg_write %s, pg_read %s"):format(writer, readers), 10, function()
    return of(self, "pg_write") == writer and of(self, "pg_read") == readers
  end, function()
    return ("pg_write %s, pg_read %s\n%s"):format(of(self, "pg_write"), of(self, "pg_read"), tell and tell() or "")
  end)
end

--- Waits until these servers get new connections.
function Haproxy:wait_taking(writer, readers, why)
  wait_pools(self, self.taking, writer, readers, function()
    return self:ask("show stat -1 4 -1") .. "\n" .. (why and why() or "")
  end)
end

--- The open servers of a backend, by name, with "+" between them.
function Haproxy:open(backend)
  local names = {}
  for line in self:ask("show stat " .. backend .. " 4 -1"):gmatch("[^\n]+") do
    local name, fields = line:match("^" .. backend .. ",([^,]+),(.*)$")
    if name and not fields:find(",MAINT,", 1, true) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return table.concat(names, "+")
end

--- Waits until these servers are open: "s1" in pg_write, "s2+s3" in pg_read.
function Haproxy:wait_open(writer, readers, why)
  wait_pools(self, self.open, writer, readers, why)
end

--- Ends all of them.
function haproxy.stop_all()
  for one in pairs(haproxy.running) do
    one:kill()
    proc.remove_dir(one.dir)
    haproxy.running[one] = nil
  end
end

return haproxy
