-- pgpool: attaches and detaches pgpool-II's backends as nodes change roles.
--
-- What for: pgpool detaches a server that fails and never takes it back by itself, and it
-- looks for the primary only when a backend fails. With this trigger a slave that returns and
-- is in sync is attached again, one that is lost is detached, and so is a master that is lost
-- or that is not the writer. The new master is attached, and pgpool is told that it is the
-- primary (pcp_promote_node without a switchover, which promotes nothing in PostgreSQL).
-- Backends that clients must not reach any more are detached first. The trigger changes only
-- what differs, so it may run at any event, any number of times. Run it at all of them: at
-- plusmoin_up and plusmoin_heartbeat it corrects what pgpool has done by itself.
--
-- A backend belongs to the node with the same host name and port (as they are written in both
-- configurations), or to the one that `backends` says; others are left alone. The writer stays
-- the same while it is the master of its cluster. Then that cluster's new master follows;
-- while the cluster has none and exactly one other master is among the backends, that one does.
-- Slaves of other clusters than the writer's are detached.
--
-- pgpool's configuration (4.3 or later) needs a PCP user (pcp.conf); nothing that fails over or
-- back by itself, because it would work against plusmoin, which can tell a restart from a
-- failure; and a short search for a missing primary, because pgpool takes no clients and no
-- commands meanwhile:
--   failover_on_backend_error = off
--   health_check_period = 0
--   search_primary_node_timeout = 1
--   failover_command = ''
--   follow_primary_command = ''
-- pgpool takes commands about once a second: a failover that needs two steps takes that long.
--
-- Settings:
--   host      where PCP listens: an address, or the directory of its socket; default "localhost"
--   port      the port of PCP; default 9898
--   user      a user of pcp.conf; required
--   passfile  absolute path of a file "host:port:user:password" ("*" for any), mode 0600;
--             default: .pcppass in the home directory of plusmoin's user
--   backends  {"host:port" = 0}: the number of a node's backend, where it cannot be found otherwise
--   bindir    the directory of pcp_node_info and the other pcp programs; default: PATH is searched
--   timeout   seconds that pgpool has to do all that is asked of it; default 10
--
-- Example (JSON; with the same entry at all the other events):
--   "triggers": {
--     "slave_up": {"lua": "pgpool.lua", "settings": {
--       "user": "plusmoin", "passfile": "/etc/plusmoin/pcppass"}},
-- and in Lua:
--   local pgpool = { lua = "pgpool.lua", settings = { user = "plusmoin", passfile = "/etc/plusmoin/pcppass" } }
--   triggers = { slave_up = pgpool, slave_down = pgpool, ... }
local pm = require "plusmoin"
local given = require "plusmoin.given"
local remarks = require "plusmoin.remarks"
local roles = require "plusmoin.roles"
local turns = require "plusmoin.turns"

local settings = given.check("pgpool", ..., {
  host = { default = "localhost", allowed = "an address, or the directory of a socket", ok = given.is_text },
  port = { default = 9898, type = "integer", allowed = "an integer from 1024 to 65535", ok = function(value)
    return given.is_port(value) and value >= 1024 -- the pcp programs take no others
  end },
  user = { required = true, allowed = "a user of pcp.conf", ok = given.is_text },
  passfile = { allowed = "the absolute path of a file", ok = given.is_path },
  backends = { default = {}, type = "table<string, integer>", allowed = 'numbers of backends by node: {"host:port": 0}',
    ok = given.map_of(given.is_text, function(value) return math.type(value) == "integer" and value >= 0 end) },
  bindir = { allowed = "the absolute path of a directory", ok = given.is_path },
  timeout = { default = 10, allowed = "seconds, from 0.01 to 3600", ok = given.is_seconds },
})

local NAME = ("pgpool %s:%d"):format(settings.host, settings.port)
local remark = remarks.new(pm, "pgpool", NAME)
local LOOK_S = 0.02  -- between two looks at pgpool
local AWAY_S = 1.5   -- how long PCP may not answer: pgpool restarts it up to a second after a change
local UNUSED, DOWN = "0", "3" -- pcp_node_info's Status; 1 and 2 are up, without and with connections

local DONE = { attach = "attached", detach = "detached", promote = "the primary" }

-- Runs one of the pcp programs. Returns its stdout and stderr; or nil and what went wrong.
local function pcp(program, ...)
  local command = { (settings.bindir and settings.bindir .. "/" or "") .. program, "-w", "-h", settings.host,
    "-p", tostring(settings.port), "-U", settings.user, ... }
  command.timeout = settings.timeout
  command.env = settings.passfile and { PCPPASSFILE = settings.passfile } or nil
  local done, why = pm.exec(command)
  if not done then
    return nil, ("%s: %s"):format(program, why)
  elseif done.timed_out then
    return nil, ("%s: no answer within %g s"):format(program, settings.timeout)
  elseif done.code ~= 0 then
    local words = done.stderr:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
    return nil, ("%s: %s"):format(program, words ~= "" and words or "it failed and said nothing")
  end
  return done.stdout, done.stderr
end

-- Returns a list of the backends in order of their numbers, which begin with 0: {number =, address = "host:port",
-- is_used =, is_down =, is_primary =}; or nil and what went wrong.
local function look()
  local text, words = pcp("pcp_node_info", "-a", "-v")
  if not text then
    return nil, words
  end
  local backends, row = {}, nil
  for key, value in text:gmatch("([^\n:]-) *: ([^\n]*)") do
    if key == "Hostname" then
      row = { number = #backends, host = value }
      backends[#backends + 1] = row
    elseif row and key == "Port" then
      row.address = row.host .. ":" .. value
    elseif row and key == "Status" then
      row.is_used, row.is_down = value ~= UNUSED, value == DOWN
    elseif row and key == "Role" then
      row.is_primary = value == "primary"
    end
  end
  if #backends == 0 then
    return nil, "pcp_node_info: it names no backend (pgpool 4.3 or later is needed): " .. words
  end
  return backends
end

-- Sets backend.id of each backend to its node's id. Returns the set of these ids. Raises an error where there is none.
local function match(backends, nodes)
  local listed, strangers, by_number = {}, {}, {}
  for id, number in pairs(settings.backends) do
    by_number[number] = id
  end
  for _, backend in ipairs(backends) do
    local id = by_number[backend.number] or backend.address
    if nodes[id] then
      backend.id, listed[id] = id, true
    elseif backend.is_used then
      strangers[#strangers + 1] = ("%d (%s)"):format(backend.number, id)
    end
  end
  remark("strangers", #strangers > 0 and
    ("no node of plusmoin's is behind backend %s: left alone"):format(table.concat(strangers, ", ")))
  if next(listed) == nil then
    error(("pgpool: none of its %d backends is a node of plusmoin's"):format(#backends), 0)
  end
  return listed
end

-- Returns the id of the writer that pgpool has; nil: it has none, or that is no node.
local function present_writer(backends)
  for _, backend in ipairs(backends) do
    if backend.is_primary and not backend.is_down then
      return backend.id
    end
  end
end

-- Whether pgpool has detached its primary and still looks for another one.
local function is_searching(backends)
  for _, backend in ipairs(backends) do
    if backend.is_primary and backend.is_down then
      return true
    end
  end
  return false
end

-- Returns the next steps, a list of {what =, backend =} of one kind: first those that detach
-- backends, then those that attach some, then the one that tells pgpool its primary.
local function next_steps(backends, decided)
  local writer = decided.writer and roles.id(decided.writer)
  local detach, attach, promote = {}, {}, {}
  for _, backend in ipairs(backends) do
    local id = backend.id
    local wanted = id and (id == writer or decided.readers[id])
    if wanted and backend.is_down then
      attach[#attach + 1] = { what = "attach", backend = backend }
    elseif id and not wanted and not backend.is_down and not decided.undecided and decided.known(id) then
      detach[#detach + 1] = { what = "detach", backend = backend }
    elseif id and id == writer and not backend.is_primary then
      promote[#promote + 1] = { what = "promote", backend = backend }
    end
  end
  for _, steps in ipairs { detach, attach, promote } do
    if #steps > 0 then
      return steps
    end
  end
  return {}
end

-- Whether pgpool has done a step. One that is not wanted any more may also have been undone.
local function has_happened(step)
  local backend = step.backend
  if step.what == "promote" then
    return backend.is_primary
  end
  return backend.is_down == (step.what == "detach")
end

-- Asks pgpool for those steps that are not in `asked`, a map of steps by their words, and logs
-- which of those in `asked` are done. Returns what went wrong with a pcp program; nil: nothing.
local function ask(steps, asked, backends)
  local still, complaint = {}, nil
  for _, step in ipairs(steps) do
    local words = ("%s %d"):format(step.what, step.backend.number)
    still[words] = asked[words] or step
    if not asked[words] then
      local ok, why = pcp(("pcp_%s_node"):format(step.what), "-n", tostring(step.backend.number))
      if not ok then
        still[words], complaint = nil, why
      end
    end
  end
  for words, was in pairs(asked) do
    local now = { what = was.what, backend = backends[was.backend.number + 1] or was.backend }
    if not still[words] and has_happened(now) then
      pm.log.info("pgpool: %s is %s", was.backend.id, DONE[was.what])
    end
    asked[words] = nil
  end
  for words, step in pairs(still) do
    asked[words] = step
  end
  return complaint
end

-- Looks at pgpool and at the present roles, and takes the next steps. Returns true when there are
-- none; else false, what is in the way, and whether pgpool answered.
local function pass(asked)
  local backends, why = look()
  if not backends then
    return false, why, false
  end
  local clusters = pm.clusters()
  local listed = match(backends, (roles.nodes(clusters)))
  local before = pm.state[NAME] or present_writer(backends)
  local decided = roles.decide(clusters, listed, listed, before, "never")
  remark("no writer", decided.problem)
  pm.state[NAME] = decided.writer and roles.id(decided.writer) or before
  local steps = next_steps(backends, decided)
  if #steps > 0 and steps[1].what == "promote" and is_searching(backends) then
    return false, "it still looks for a primary", true
  end
  why = ask(steps, asked, backends)
  return #steps == 0, why or #steps > 0 and ("%s is not %s"):format(steps[1].backend.id, DONE[steps[1].what]), not why
end

-- Repeats pass() until there is nothing to do. When that takes too long, it raises what is in the way.
local function settle(renew)
  local asked, began = {}, pm.now()
  local answered = began
  repeat
    renew()
    local is_done, why, is_answer = pass(asked)
    answered = is_answer and pm.now() or answered
    if is_done then
      return
    elseif pm.now() - began >= settings.timeout then
      error(("pgpool: after %g s: %s"):format(settings.timeout, why), 0)
    elseif pm.now() - answered >= AWAY_S then
      error("pgpool: " .. why, 0)
    end
    pm.sleep(LOOK_S)
  until false
end

return function(event)
  local finish, renew = turns.take(pm, NAME, event.id, 2 * settings.timeout)
  local ok, why = pcall(settle, renew)
  finish()
  if not ok then
    error(why, 0)
  end
end
