-- haproxy: opens and closes the servers of HAProxy's backends as nodes change roles.
--
-- What for: clients connect to HAProxy and reach the master, whichever node that is. In the
-- writer backend the master's server is the only one that is not in maintenance; in the
-- reader backend those of the slaves in sync are. A server that clients must not reach any
-- more is closed first, and its sessions are shut down; only then is the new master's
-- opened. HAProxy need not check the servers: no `check` is needed on the server lines. The
-- trigger changes only what differs, so it may run at any event, any number of times. Run it
-- at all of them: at plusmoin_up and plusmoin_heartbeat it restores what HAProxy forgot in a
-- restart.
--
-- A server line belongs to the node of the same name, or the same address and port (as
-- they are written in plusmoin's configuration, or resolved by HAProxy), or to the one
-- that `servers` says; others are left alone. The writer stays the same while it is the
-- master of its cluster. Then that cluster's new master follows; while the cluster has none
-- and exactly one other master is among the servers, that one does. Readers are the slaves
-- of the writer's cluster.
--
-- HAProxy's configuration needs `retries 0`, else a client that connects just when the
-- master has gone may wait for 3 s before it fails; a stats socket with `level admin`, to
-- which plusmoin's user may write; and `disabled` on the server lines, so that a restarted
-- HAProxy sends no client to a former master before this trigger has run (at the next
-- heartbeat):
--   defaults
--     retries 0
--   global
--     stats socket /run/haproxy/admin.sock mode 660 group plusmoin level admin
--   backend pg_write
--     server db1 10.0.0.1:5432 disabled
--     server db2 10.0.0.2:5432 disabled
--
-- Settings:
--   socket        HAProxy's stats socket: "/path", or "host:port"; required
--   writer        name of the backend for writes; required
--   reader        name of the backend for reads; default: none
--   master_reads  whether the master is in the reader backend: "alone" (while no slave
--                 is; the default), "always" or "never"
--   servers       {"host:port" = "server line's name"}: nodes whose server line has another name and address
--   timeout       seconds that HAProxy has for one answer; default 2
--
-- Example (JSON; with the same entry at all the other events):
--   "triggers": {
--     "master_up": {"lua": "haproxy.lua", "settings": {
--       "socket": "/run/haproxy/admin.sock", "writer": "pg_write", "reader": "pg_read"}},
-- and in Lua:
--   local haproxy = { lua = "haproxy.lua", settings = {
--     socket = "/run/haproxy/admin.sock", writer = "pg_write", reader = "pg_read" } }
--   triggers = { master_up = haproxy, master_down = haproxy, ... }
local pm = require "plusmoin"
local given = require "plusmoin.given"
local remarks = require "plusmoin.remarks"
local roles = require "plusmoin.roles"
local turns = require "plusmoin.turns"
local parse_address = require("plusmoin.request").parse

local settings = given.check("haproxy", ..., {
  socket = { required = true, type = "string", allowed = 'HAProxy\'s stats socket: "/path" or "host:port"',
    ok = function(value)
      local path, host = parse_address(value)
      return (path or host) ~= nil
    end },
  writer = { required = true, allowed = "the name of a backend", ok = given.is_text },
  reader = { allowed = "the name of a backend", ok = given.is_text },
  master_reads = { default = "alone", allowed = '"alone", "always" or "never"',
    ok = given.one_of("alone", "always", "never") },
  servers = { default = {}, allowed = 'server lines\' names by node: {"host:port": "name"}',
    ok = given.map_of(given.is_text, given.is_text) },
  timeout = { default = 2, allowed = "seconds, from 0.01 to 3600", ok = given.is_seconds },
})

local NAME = "haproxy " .. settings.socket .. " " .. settings.writer
local remark = remarks.new(pm, "haproxy", NAME)
local PASSES = 10 -- passes of looking and changing; two are enough unless something changes meanwhile

-- Bits of srv_admin_state in HAProxy's "show servers state".
local FORCED_MAINT, INHERITED_MAINT, FORCED_DRAIN, INHERITED_DRAIN, NAME_MAINT = 0x01, 0x02, 0x08, 0x10, 0x20
local NOT_OURS = INHERITED_MAINT | INHERITED_DRAIN | NAME_MAINT

-- Sends a list of commands. Returns the text of the answer.
local function command(lines)
  local answer, why = pm.request { to = settings.socket, data = table.concat(lines, ";") .. "\n",
    timeout = settings.timeout }
  if not answer then
    error("haproxy: " .. why, 0)
  elseif answer:find("Permission denied", 1, true) then
    error(("haproxy: %s: permission denied: the stats socket needs `level admin`"):format(settings.socket), 0)
  end
  return answer
end

-- Returns the rows of a table, keyed by the words of its head, the line that begins with "# " and `first`. `pattern`
-- matches one field.
local function read_table(text, first, pattern)
  local head, rows = nil, {}
  for line in text:gmatch("[^\n]+") do
    local fields = {}
    for field in line:gsub("^# ", ""):gmatch(pattern) do
      fields[#fields + 1] = field
    end
    if line:find("^# ") then
      head = fields[1] == first and fields or nil
    elseif head and #fields > 1 then
      local row = {}
      for i, name in ipairs(head) do
        row[name] = fields[i]
      end
      rows[#rows + 1] = row
    end
  end
  return rows
end

-- Returns backend -> list of {name =, address =, fqdn =, port =, admin = bits, sessions = how many}.
local function look()
  local answer = command { "show servers state", "show stat -1 4 -1" }
  local backends, sessions = {}, {}
  for _, row in ipairs(read_table(answer, "pxname", "([^,]*),?")) do
    sessions[row.pxname .. "/" .. row.svname] = tonumber(row.scur)
  end
  for _, row in ipairs(read_table(answer, "be_id", "%S+")) do
    local list = backends[row.be_name] or {}
    backends[row.be_name] = list
    list[#list + 1] = {
      path = row.be_name .. "/" .. row.srv_name, name = row.srv_name, address = row.srv_addr, fqdn = row.srv_fqdn,
      port = row.srv_port, admin = math.tointeger(tonumber(row.srv_admin_state)) or 0,
      sessions = sessions[row.be_name .. "/" .. row.srv_name] or 0,
    }
  end
  for _, name in ipairs { settings.writer, settings.reader } do
    if not backends[name] then
      error(("haproxy: %s: there is no backend %q with servers"):format(settings.socket, name), 0)
    end
  end
  return backends
end

-- Returns the id of a server line's node; nil: none. `nodes` holds all nodes of pm.clusters() by id.
local function find_node(server, nodes)
  local by_name
  for id, name in pairs(settings.servers) do
    if name == server.name and nodes[id] then
      return id
    end
  end
  for id, node in pairs(nodes) do
    by_name = node.name == server.name and id or by_name
  end
  for _, host in ipairs { server.address, server.fqdn } do
    local id = host .. ":" .. server.port
    by_name = by_name or nodes[id] and id
  end
  return by_name
end

-- Sets server.id of each server to its node's id. Returns the set of these ids. Raises an error where there is none.
local function match(backend, servers, nodes)
  local listed, strangers, count = {}, {}, 0
  for _, server in ipairs(servers) do
    server.id = find_node(server, nodes)
    if server.id then
      listed[server.id], count = true, count + 1
    else
      strangers[#strangers + 1] = server.name
    end
  end
  remark(backend .. " has strangers", #strangers > 0 and
    ("%s: no node of plusmoin's is behind %s: left alone"):format(backend, table.concat(strangers, ", ")) or nil)
  if count == 0 then
    error(("haproxy: no server of the backend %s is a node of plusmoin's"):format(backend), 0)
  end
  return listed
end

local function is_open(server)
  return server.admin & (FORCED_MAINT | FORCED_DRAIN | NOT_OURS) == 0
end

-- Returns the id of the writer that HAProxy has: the node of the only open server; nil: not exactly one is open.
local function present_writer(servers)
  local found
  for _, server in ipairs(servers) do
    if is_open(server) then
      if found then
        return nil
      end
      found = server
    end
  end
  return found and found.id
end

-- Adds the steps that close a server, as far as it is open. `ended` is the set of servers whose
-- sessions this run has shut down already: HAProxy counts a session whose client has gone until
-- `timeout server`, and it is shut down once only.
local function close(steps, server, with_sessions, ended)
  local is_closed = server.admin & FORCED_MAINT ~= 0
  if not is_closed then
    steps[#steps + 1] = ("set server %s state maint"):format(server.path)
    steps.words[#steps.words + 1] = server.path .. " is closed"
  end
  if with_sessions and not ended[server.path] and (not is_closed or server.sessions > 0) then
    steps[#steps + 1] = ("shutdown sessions server %s"):format(server.path)
    ended[server.path] = true
  end
end

local function open(steps, server)
  if server.admin & (FORCED_MAINT | FORCED_DRAIN) ~= 0 then
    steps[#steps + 1] = ("set server %s state ready"):format(server.path)
    steps.words[#steps.words + 1] = server.path .. " is open"
  end
end

-- Returns the steps that close servers, and those that open servers, as `decided` (roles.decide()) asks for.
local function differences(backends, decided, ended)
  local closing, opening = { words = {} }, { words = {} }
  local writer = decided.writer and roles.id(decided.writer)
  for _, server in ipairs(backends[settings.writer]) do
    if server.id and server.id == writer then
      open(opening, server)
    elseif server.id and not decided.undecided then
      close(closing, server, true, ended)
    end
  end
  for _, server in ipairs(settings.reader and backends[settings.reader] or {}) do
    if server.id and decided.readers[server.id] then
      open(opening, server)
    elseif server.id and decided.known(server.id) then
      close(closing, server, decided.lost(server.id), ended)
    end
  end
  return closing, opening
end

-- Sends the steps. HAProxy answers with text only where one fails: that is raised as an error.
local function take(steps)
  local answer = command(steps)
  local complaint = answer:match("[^%s][^\n]*")
  if complaint then
    error(("haproxy: %s: %s"):format(table.concat(steps, "; "), complaint), 0)
  end
  if #steps.words > 0 then
    pm.log.info("haproxy: %s", table.concat(steps.words, ", "))
  end
end

-- Looks at HAProxy and at the present roles, and takes the next steps. Returns true when there
-- are none.
local function pass(ended)
  local backends = look()
  local clusters = pm.clusters() -- after look(): from here to the steps nothing waits, so the roles do not change
  local nodes = roles.nodes(clusters)
  local listed = match(settings.writer, backends[settings.writer], nodes)
  local readable = settings.reader and match(settings.reader, backends[settings.reader], nodes) or {}
  local before = pm.state[NAME] or present_writer(backends[settings.writer])
  local decided = roles.decide(clusters, listed, readable, before, settings.master_reads)
  remark("no writer", decided.problem and settings.writer .. ": " .. decided.problem)
  pm.state[NAME] = decided.writer and roles.id(decided.writer) or before
  local closing, opening = differences(backends, decided, ended)
  if #closing > 0 then
    take(closing)
  elseif #opening > 0 then
    take(opening)
  end
  return #closing + #opening == 0
end

return function(event)
  local finish, renew = turns.take(pm, NAME, event.id, 3 * settings.timeout)
  local ended = {}
  for _ = 1, PASSES do
    renew()
    local ok, done = pcall(pass, ended)
    if not ok or done then
      finish()
      return ok or error(done, 0)
    end
  end
  finish()
  error("haproxy: its servers do not stay as they are set: another program changes them", 0)
end
