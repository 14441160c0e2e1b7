--- Processes, time and waiting for the tests: all on one luv loop.
--
-- Nothing here sleeps for a guessed time: `wait_for` runs the loop until a
-- condition holds. Children die with the test run (PDEATHSIG), the run's
-- directory goes with it too, unless KEEP=1.
--
-- busted loads modules anew for each spec file; what belongs to the run as a
-- whole (directory, servers' templates, ports) is therefore kept in the
-- registry, together with luv, which must not be opened twice.
local registry = debug.getregistry()
local KEY = "plusmoin.spec.proc"

if registry[KEY] then
  return registry[KEY]
end

local uv = require "luv"

local proc = { uv = uv, shared = {} }
registry[KEY] = proc

local PUMP_MS = 3
local FIRST_PORT, LAST_PORT = 11000, 31000 -- most kernels hand out ports above these

-- A peer that closes first (a relay's, a stand-in's) is an error of that write, not our end.
local broken_pipe = uv.new_signal()
broken_pipe:start("sigpipe", function() end)
broken_pipe:unref()

proc.is_root = uv.getuid() == 0
proc.user = proc.is_root and "postgres" or uv.os_get_passwd().username

function proc.mono_ns()
  return uv.hrtime()
end

function proc.mono_ms()
  return uv.hrtime() / 1e6
end

local timer = uv.new_timer()
timer:unref()

--- Runs the loop for at most `ms`; returns earlier when something happened.
function proc.pump(ms)
  ms = math.max(1, math.floor(ms))
  uv.update_time()
  timer:start(ms, ms, function() end) -- repeats: "once" may run it first and block after it
  timer:ref()
  uv.run("once")
  timer:stop()
  timer:unref()
  if proc.interrupted then
    error(proc.interrupted, 0)
  end
end

--- From now on Ctrl-C (or TERM) makes the next wait raise "interrupted", once.
function proc.catch_interrupts()
  for _, signal in ipairs { "sigint", "sigterm", "sighup" } do
    local handle = uv.new_signal()
    handle:start(signal, function() proc.interrupted = "interrupted" end)
    handle:unref()
  end
end

--- Polls `fn` until it returns something true, and returns that; raises
-- "timed out waiting for WHAT" and what `diagnose` returns after `seconds`.
function proc.wait_for(what, seconds, fn, diagnose)
  local deadline = proc.mono_ms() + seconds * 1000
  while true do
    local value = fn()
    if value then
      return value
    end
    if proc.mono_ms() > deadline then
      error(("timed out waiting for %s (%g s)\n%s"):format(what, seconds, diagnose and diagnose() or ""), 2)
    end
    proc.pump(PUMP_MS)
  end
end

--- Keeps the loop running for `seconds`; `check` is called all the while.
function proc.watch(seconds, check)
  local deadline = proc.mono_ms() + seconds * 1000
  repeat
    proc.pump(PUMP_MS)
    check()
  until proc.mono_ms() > deadline
end

function proc.read_file(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read("a")
  file:close()
  return text
end

--- Writes a file that the servers' and the daemon's user may read.
function proc.write_file(path, text, mode)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
  assert(uv.fs_chmod(path, mode or tonumber("644", 8)))
  proc.give(path)
end

--- Hands a file or directory to the user that servers and daemon run as.
function proc.give(path)
  if proc.is_root then
    local user = proc.shared.user_ids
    if not user then
      local ids = io.popen("id -u postgres; id -g postgres")
      user = { uid = ids:read("n"), gid = ids:read("n") }
      ids:close()
      proc.shared.user_ids = user
    end
    assert(uv.fs_chown(path, user.uid, user.gid))
  end
end

--- The directory of this run: 0755, under TMPDIR or /tmp.
function proc.run_dir()
  if not proc.shared.dir then
    local dir = assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/plusmoin-XXXXXX"))
    assert(uv.fs_chmod(dir, tonumber("755", 8)))
    proc.give(dir)
    proc.shared.dir = dir
  end
  return proc.shared.dir
end

--- A fresh 0755 directory of this run, owned by the user that servers and daemon run as.
function proc.new_dir(prefix)
  proc.shared.dirs = (proc.shared.dirs or 0) + 1
  local dir = ("%s/%s%d"):format(proc.run_dir(), prefix, proc.shared.dirs)
  assert(uv.fs_mkdir(dir, tonumber("755", 8)))
  proc.give(dir)
  return dir
end

--- How many descriptors of a kind (a pattern of their link) a process has.
function proc.descriptors(pid, kind)
  local count = 0
  for name in uv.fs_scandir_next, assert(uv.fs_scandir("/proc/" .. pid .. "/fd")) do
    local link = uv.fs_readlink("/proc/" .. pid .. "/fd/" .. name)
    count = count + (link and link:find(kind) and 1 or 0)
  end
  return count
end

--- Removes a directory made by `new_dir`, unless KEEP=1.
function proc.remove_dir(dir)
  if os.getenv("KEEP") ~= "1" and dir then
    os.execute(("rm -rf '%s'"):format(dir))
  end
end

-- All runs of a user share it, also those whose temp folder is in memory (tests/tools/in-memory.sh).
local function marks_dir()
  return (os.getenv("PORT_MARKS") or os.getenv("TMPDIR") or "/tmp") .. "/plusmoin-ports-" .. math.tointeger(uv.getuid())
end

--- Closes a luv handle and waits for it: luv frees one that is collected while
-- its end is still to come, and the loop stumbles over it.
function proc.close(handle)
  handle:close()
  uv.run("nowait")
end

-- A socket bound to the port and not listening: a server with SO_REUSEADDR can
-- still bind and listen there, but the kernel gives the port to no outgoing
-- connection any more (its range may reach down to ours). nil: in use.
local function hold_port(port)
  local socket = uv.new_tcp()
  -- libuv reports "in use" only with the next call.
  if socket:bind("127.0.0.1", port) and socket:getsockname() then
    return socket
  end
  proc.close(socket)
end

-- Whether the port can be had, and no other test run has put its name on it.
local function claim_port(port)
  local dir = marks_dir()
  uv.fs_mkdir(dir, tonumber("700", 8))
  local mark = dir .. "/" .. port
  local owner = tonumber(proc.read_file(mark) or "")
  if owner and uv.fs_stat("/proc/" .. owner) then
    return false
  end
  if owner then
    os.remove(mark)
  end
  local fd = uv.fs_open(mark, "wx", tonumber("600", 8))
  if not fd then
    return false
  end
  uv.fs_write(fd, tostring(uv.os_getpid()))
  uv.fs_close(fd)
  table.insert(proc.shared.marks, mark)
  proc.shared.held[port] = hold_port(port)
  return proc.shared.held[port] ~= nil
end

--- A free TCP port of 127.0.0.1, never the same one twice; nobody else gets it
-- before `release_port` or the end of this run.
function proc.free_port()
  proc.shared.marks = proc.shared.marks or {}
  proc.shared.held = proc.shared.held or {}
  local span = LAST_PORT - FIRST_PORT
  for _ = 1, span do
    proc.shared.port = (proc.shared.port or FIRST_PORT + math.tointeger(uv.hrtime() // 1000 % span)) + 1
    if proc.shared.port > LAST_PORT then
      proc.shared.port = FIRST_PORT
    end
    if claim_port(proc.shared.port) then
      return proc.shared.port
    end
  end
  error("no free TCP port")
end

--- Lets go of a port from `free_port` (its descriptor); it is not handed out again.
function proc.release_port(port)
  local held = proc.shared.held and proc.shared.held[port]
  if held then
    proc.close(held)
    proc.shared.held[port] = nil
  end
end

--- argv that runs `argv` as the servers' user, and dies with this process.
function proc.as_user(argv)
  local full = { "setpriv", "--pdeathsig", "KILL" }
  if proc.is_root then
    full = { "setpriv", "--reuid", proc.user, "--regid", proc.user, "--init-groups", "--pdeathsig", "KILL" }
  end
  return table.move(argv, 1, #argv, #full + 1, full)
end

local Process = {}
Process.__index = Process

-- The environment as luv wants it: ours, less PG*, plus `extra` (false removes). Programs speak English and UTF-8,
-- whatever language this machine is set to; a bare one, or a container, is set to none.
local function environment(extra)
  local env = uv.os_environ()
  for name in pairs(env) do
    if name:find("^PG") or name:find("^PLUSMOIN_") or name:find("^LANG") or name:find("^LC_") then
      env[name] = nil
    end
  end
  env.HOME, env.LANG = proc.run_dir(), "C.UTF-8"
  for name, value in pairs(extra or {}) do
    env[name] = value or nil
  end
  local list = {}
  for name, value in pairs(env) do
    list[#list + 1] = name .. "=" .. value
  end
  return list
end

local function collect(pipe, parts, process)
  process.open = process.open + 1
  pipe:read_start(function(_, data)
    if data then
      parts[#parts + 1] = data
    else
      process.open = process.open - 1
      pipe:close()
    end
  end)
end

--- Starts argv as the servers' user in a group of its own. `options`: env, cwd,
-- stdin (text; true: it stays open, as the process's `stdin`), output (a file for
-- stdout and stderr, else both are kept in memory), stdout_fd (a descriptor for stdout; stderr to memory), as_root.
function proc.spawn(argv, options)
  options = options or {}
  local full = options.as_root and argv or proc.as_user(argv)
  local process = setmetatable({ argv = argv, open = 0, out_parts = {}, err_parts = {} }, Process)
  local stdin = options.stdin and uv.new_pipe(false) or nil
  local stdio, out, err, fd = { stdin }, nil, nil, nil
  if options.output then
    fd = assert(uv.fs_open(options.output, "a", tonumber("644", 8)))
    stdio[2], stdio[3] = fd, fd
  else
    out = not options.stdout_fd and uv.new_pipe(false) or nil
    err = uv.new_pipe(false)
    stdio[2], stdio[3] = out or options.stdout_fd, err
  end
  local handle, pid
  handle, pid = uv.spawn(full[1], {
    args = table.move(full, 2, #full, 1, {}), stdio = stdio, cwd = options.cwd or proc.run_dir(),
    env = environment(options.env), detached = true,
  }, function(code, signal)
    process.exited_ms = proc.mono_ms()
    process.code, process.signal = code, signal
    handle:close()
  end)
  if not handle then
    error("cannot start " .. argv[1] .. ": " .. tostring(pid), 2)
  end
  process.pid = pid
  if fd then
    uv.fs_close(fd)
  end
  if options.stdin == true then
    process.stdin = stdin
  elseif stdin then
    stdin:write(options.stdin, function() stdin:close() end)
  end
  if out then
    collect(out, process.out_parts, process)
  end
  if err then
    collect(err, process.err_parts, process)
  end
  return process
end

function Process:out()
  return table.concat(self.out_parts)
end

function Process:err()
  return table.concat(self.err_parts)
end

function Process:running()
  return self.code == nil
end

--- Waits for the end; returns exit code (nil if a signal did it) and signal.
function Process:wait(seconds)
  proc.wait_for("the end of " .. table.concat(self.argv, " "), seconds or 10, function()
    return self.code ~= nil
  end, function()
    return self:out() .. self:err()
  end)
  local drained = proc.mono_ms() + 500 -- a grandchild may hold the pipes
  while self.open > 0 and proc.mono_ms() < drained do
    proc.pump(PUMP_MS)
  end
  return self.signal == 0 and self.code or nil, self.signal
end

function Process:kill(signal)
  if self:running() then
    uv.kill(self.pid, signal or "sigterm")
  end
end

function Process:kill_group(signal)
  uv.kill(-self.pid, signal or "sigkill")
end

--- Runs argv to its end: code, stdout, stderr.
function proc.run(argv, options)
  local process = proc.spawn(argv, options)
  local ok, code = pcall(process.wait, process, options and options.seconds or 30)
  if not ok then
    process:kill_group("sigkill")
    error(code, 2)
  end
  return code, process:out(), process:err()
end

--- As `run`, but an exit other than 0 is an error; returns stdout.
function proc.must(argv, options)
  local code, out, err = proc.run(argv, options)
  if code ~= 0 then
    error(("%s: exit %s\n%s%s"):format(table.concat(argv, " "), tostring(code), out, err), 2)
  end
  return out
end

-- pid -> where it works. Root of a container may not look (it lacks CAP_SYS_PTRACE); the user whose processes they
-- are may.
local function working_dirs()
  local dirs, hidden = {}, false
  for name in uv.fs_scandir_next, assert(uv.fs_scandir("/proc")) do
    local pid = math.tointeger(tonumber(name))
    if pid then
      local cwd, _, code = uv.fs_readlink("/proc/" .. name .. "/cwd")
      dirs[pid], hidden = cwd, hidden or code == "EACCES"
    end
  end
  if hidden and proc.is_root then
    local _, out = proc.run { "find", "/proc", "-mindepth", "2", "-maxdepth", "2", "-name", "cwd", "-printf",
      "%h %l\n" }
    for pid, cwd in out:gmatch("/proc/(%d+) ([^\n]+)\n") do
      dirs[math.tointeger(tonumber(pid))] = cwd
    end
  end
  return dirs
end

--- Pids of processes that work in `dir` (`below`: or anywhere below it), whoever their parent is now.
function proc.pids_in(dir, below)
  local pids = {}
  for pid, cwd in pairs(working_dirs()) do
    if (cwd == dir or below and cwd:sub(1, #dir + 1) == dir .. "/") and pid ~= uv.os_getpid() then
      pids[#pids + 1] = pid
    end
  end
  return pids
end

--- Kills what runs below the run's directory and removes it: at the end of the
-- run by itself (the Lua state is closed), or by hand.
function proc.cleanup()
  for _, pid in ipairs(proc.shared.dir and proc.pids_in(proc.shared.dir, true) or {}) do
    uv.kill(pid, "sigkill")
  end
  for _, mark in ipairs(proc.shared.marks or {}) do
    os.remove(mark)
  end
  uv.fs_rmdir(marks_dir()) -- stays while another run has marks in it
  if os.getenv("KEEP") == "1" and proc.shared.dir then
    io.stderr:write("kept: ", proc.shared.dir, "\n")
  else
    proc.remove_dir(proc.shared.dir)
  end
  proc.shared.dir, proc.shared.marks = nil, nil
end

registry[KEY .. ".end"] = setmetatable({}, { __gc = function()
  if proc.shared.dir then
    proc.cleanup()
  end
end })

return proc
