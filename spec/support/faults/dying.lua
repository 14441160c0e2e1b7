--- The matrix's rows of processes that die, stop, freeze and come back (spec/support/faults.lua).
local proc = require "spec.support.proc"

local uv = proc.uv

-- The processes that serve plusmoin's connections.
local function our_backends(server)
  local pids = server:sessions()
  assert(#pids > 0, "no session of plusmoin's")
  return pids
end

local function start(server)
  server:start()
end

local function thaw(server)
  server:thaw()
end

-- The process that replays, nil where there is none.
local function startup(server)
  for _, pid in ipairs(proc.pids_in(server.data)) do
    if (proc.read_file("/proc/" .. pid .. "/cmdline") or ""):find("startup", 1, true) then
      return pid
    end
  end
end

-- How often its log says that clients are let in; a slave's recovery says so before it does it.
local function openings(server)
  local log = server:log()
  return select(2, log:gsub("consistent recovery state reached", "")) + select(2, log:gsub("ready to accept", ""))
end

-- A backend dies by SIGKILL, so that all begin anew, and the recovery from that is stopped. Returns its process; nil:
-- it was over before that.
local function stop_recovery(server, rows, cell)
  cell.master:sql(("CREATE TABLE bulk%d AS SELECT generate_series(1, %d)"):format(rows, rows), "plusmoin")
  local before, opened = startup(server), openings(server)
  proc.spawn({ "psql", "-XAtq", "-h", server.host, "-p", tostring(server.port), "-U", "postgres",
    "-c", "SELECT pg_sleep(600)" }, { output = "/dev/null" })
  local backend = proc.wait_for("a backend", 10, function()
    local found = server:sql("SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'")
    return found[1] and tonumber(found[1][1])
  end)
  uv.kill(backend, "sigkill")
  local pid = proc.wait_for("the recovery", 10, function()
    local now = startup(server)
    return now ~= before and now or openings(server) > opened and 0
  end)
  if pid == 0 then
    return nil
  end
  uv.kill(pid, "sigstop")
  local state = proc.wait_for("its stop", 10, function()
    local stat = proc.read_file("/proc/" .. pid .. "/stat")
    return stat and stat:match("%) ([TZ]) ") or not stat and "gone"
  end)
  if state == "T" and openings(server) == opened then
    return pid
  end
  uv.kill(pid, "sigcont")
end

-- A recovery that does not end. One that was too fast for us is tried again with more to replay.
local function crash_without_recovery(server, cell)
  for i = 1, 4 do
    cell.recovering = stop_recovery(server, 200000 * i, cell)
    if cell.recovering then
      return
    end
    server:wait_up()
  end
  error("no recovery could be stopped\n" .. server:log())
end

return {
  { name = "kill -9 of all", wide = true, core = true, strike = function(server) server:kill9() end, mend = start,
    down = true },
  { name = "kill -9 of the postmaster alone", core = true, strike = function(server) server:kill_postmaster() end,
    mend = start, down = true },
  { name = "kill -9 of a backend of ours", strike = function(server)
    uv.kill(our_backends(server)[1], "sigkill")
    server:wait_up()
  end },
  { name = "SIGSTOP of all", wide = true, strike = function(server) server:freeze() end, mend = thaw, down = "hung" },
  { name = "SIGSTOP of the postmaster alone", strike = function(server) server:freeze_postmaster() end, mend = thaw,
    down = "no_new_connections" },
  { name = "SIGSTOP of our backend alone", strike = function(server)
    for _, pid in ipairs(our_backends(server)) do
      uv.kill(pid, "sigstop")
    end
  end },
  { name = "fast stop", strike = function(server) server:stop("fast") end, mend = start, down = "refused" },
  { name = "smart stop", strike = function(server)
    local asked = proc.mono_ms()
    server:stop("smart")
    local took = proc.mono_ms() - asked -- fresh_connect_interval + 1 s, and what a load takes
    assert(took < 1500 + 2000, "our session held up a smart stop: ms " .. took)
  end, mend = start, down = "refused" },
  { name = "immediate stop", strike = function(server) server:stop("immediate") end, mend = start, down = "refused" },
  { name = "restart within the grace", settings = { restart_grace = 10 }, strike = function(server)
    server:restart("fast")
  end },
  { name = "immediate restart within the grace", settings = { restart_grace = 10 }, strike = function(server)
    server:restart("immediate")
  end },
  { name = "restart past the grace", wide = true, settings = { restart_grace = 0.3 },
    strike = function(server) server:stop("fast") end, mend = start, down = "refused" },
  { name = "our session terminated", strike = function(server)
    server:end_sessions()
  end },
  { name = "crash recovery within the grace", settings = { restart_grace = 10 }, strike = function(server, cell)
    crash_without_recovery(server, cell)
    uv.kill(cell.recovering, "sigcont")
    server:wait_up()
  end },
  { name = "crash recovery past the grace", strike = crash_without_recovery, mend = function(_, cell)
    uv.kill(cell.recovering, "sigcont")
  end, down = "starting" },
}
