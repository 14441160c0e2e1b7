-- How long from master_up (the engine's own log line) to the first write that a client gets
-- accepted: through HAProxy and PgBouncer with their triggers, and, as the yardstick, through
-- HAProxy alone, which asks the servers itself (external-check, inter 1s fall 2 rise 1). The
-- client asks every 10 ms and tries again at once. Run by `make bench`.
local client = require "spec.support.client"
local haproxy = require "spec.support.haproxy"
local pg = require "spec.support.pg"
local pgbouncer = require "spec.support.pgbouncer"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local ROUNDS = tonumber(os.getenv("ROUNDS") or "20")
local EVENTS = { "plusmoin_up", "plusmoin_heartbeat", "cluster_created", "master_down", "master_up", "slave_down",
  "slave_up" }
local WRITE = "INSERT INTO written DEFAULT VALUES RETURNING inet_server_port()"

local function report(what, times, whole)
  table.sort(times)
  table.sort(whole)
  print(("%-58s median %7.1f ms  worst %7.1f ms  (%d times)"):format(what, times[(#times + 1) // 2], times[#times],
    #times))
  print(("%-58s median %7.1f ms  worst %7.1f ms"):format("    from the end of the promotion", whole[(#whole + 1) // 2],
    whole[#whole]))
  return times[(#times + 1) // 2]
end

-- A plusmoin whose every event runs `entry` (nil: nothing) before the recorder.
local function watch(servers, file, entry)
  local daemon = plusmoin.new { nodes = servers, files = file
    and { [file] = assert(proc.read_file("triggers/" .. file)) } }
  for _, event in ipairs(EVENTS) do
    daemon.config.triggers[event] = entry and { entry, daemon.recorder } or daemon.recorder
  end
  proc.write_file(daemon.config_path, daemon:json())
  daemon:start()
  daemon:expect_events { { "plusmoin_up" } }
  return daemon
end

-- When the log last said that a new master sits, in monotonic ms; nil if it never did after `count` times.
local function seated_ms(daemon, count)
  local seen, found = 0, nil
  for hour, minute, second in daemon:log():gmatch("T(%d%d):(%d%d):([%d.]+)%+00:00 error +a new master sits") do
    seen, found = seen + 1, (hour * 60 + minute) * 60 + second
  end
  if seen <= count then
    return nil
  end
  local epoch_s, micro_s = proc.uv.gettimeofday()
  return proc.mono_ms() - (epoch_s % 86400 + micro_s / 1e6 - found) % 86400 * 1000
end

-- The first answer of `server` from `ms` on, ms.
local function first_answer(one, server, ms)
  for _, answer in ipairs(one:answers()) do
    if answer.ms >= ms - 1 and answer.value == tostring(server.port) then
      return answer.ms
    end
  end
end

-- Fails over and back, ROUNDS times; how long each time, from master_up and from the promotion.
local function failovers(servers, daemon, port)
  local writer = client.start { port = port, dbname = port == servers.bouncer and "app" or nil, sql = WRITE,
    answer_ms = 5000 }
  local master, slave = servers[1], servers[2]
  local times, whole = {}, {}
  writer:wait_value(master.port, 20)
  for i = 1, ROUNDS do
    master:kill9()
    slave:promote()
    local promoted = proc.mono_ms()
    local seated = proc.wait_for("master_up", 20, function() return seated_ms(daemon, i - 1) end)
    times[i] = proc.wait_for("a write", 30, function() return first_answer(writer, slave, seated) end) - seated
    times[i] = math.max(times[i], 0)
    whole[i] = math.max(first_answer(writer, slave, promoted - 1000) - promoted, 0)
    master:rewind_as_slave_of(slave)
    daemon:wait_place(master, "slave 0", 30)
    master, slave = slave, master
  end
  writer:stop()
  return times, whole
end

local function set_up()
  local master, slaves = pg.cluster(1)
  master:sql("CREATE TABLE written (n serial); GRANT ALL ON written, written_n_seq TO plusmoin", "plusmoin")
  return { master, slaves[1] }
end

local function finish()
  client.stop_all()
  haproxy.stop_all()
  pgbouncer.stop_all()
  scene.finish()
end

local function with_haproxy()
  local servers = set_up()
  local proxy = haproxy.start(servers)
  local daemon = watch(servers, "haproxy.lua", { lua = "haproxy.lua",
    settings = { socket = proxy.socket, writer = "pg_write", reader = "pg_read" } })
  local times, whole = failovers(servers, daemon, proxy.write_port)
  finish()
  return times, whole
end

local function with_pgbouncer()
  local servers = set_up()
  local bouncer = pgbouncer.start { settings = "server_login_retry = 0.02" }
  servers.bouncer = bouncer.port
  local daemon = watch(servers, "pgbouncer.lua", { lua = "pgbouncer.lua", settings = {
    console = { host = "127.0.0.1", port = bouncer.port, user = "plusmoin" }, file = bouncer.file,
    databases = { app = { options = "dbname=plusmoin" } } } })
  local times, whole = failovers(servers, daemon, bouncer.port)
  finish()
  return times, whole
end

-- HAProxy asks the servers itself: a script that succeeds on a master.
local function haproxy_alone()
  local servers = set_up()
  local script = proc.new_dir("check") .. "/is_master"
  proc.write_file(script, "#!/bin/sh\nexec test \"$(psql -XAtq -h \"$3\" -p \"$4\" -U plusmoin -d plusmoin "
    .. "-c 'SELECT pg_is_in_recovery()' 2>/dev/null)\" = f\n", tonumber("755", 8))
  local proxy = haproxy.start(servers, { check = script, lines = function(server, i)
    return ("server s%d %s:%d check inter 1s fall 2 rise 1 on-marked-down shutdown-sessions"):format(i, server.host,
      server.port)
  end })
  local daemon = watch(servers)
  local times, whole = failovers(servers, daemon, proxy.write_port)
  finish()
  return times, whole
end

local ok, message = pcall(function()
  print(("from master_up to the first write accepted, %d failovers each"):format(ROUNDS))
  local alone = report("yardstick: HAProxy alone, external-check inter 1s rise 1", haproxy_alone())
  for _, case in ipairs { { "haproxy.lua", with_haproxy }, { "pgbouncer.lua", with_pgbouncer } } do
    local median = report(case[1], case[2]())
    print(("%-58s %.3f x the yardstick"):format("", median / alone))
  end
end)
client.stop_all()
haproxy.stop_all()
pgbouncer.stop_all()
proc.cleanup()
if not ok then
  print(message)
  os.exit(1)
end
