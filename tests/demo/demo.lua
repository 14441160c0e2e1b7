--- `make demo`: plusmoin at work on a throw-away master and two slaves.
--
-- Every step says what is done, then shows plusmoin's log ("log |") and what the
-- triggers print ("trigger |") as it comes, then `plusmoin status`. Exits 0, or 1
-- with words when an event that must come does not; leaves nothing behind.
local proc = require "spec.support.proc"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local web = require "spec.support.web"

local EVENT_SECONDS = 10
local EVENTS = {
  "plusmoin_up", "cluster_created", "master_down", "master_up", "slave_down", "slave_up", "plusmoin_heartbeat",
}

-- What runs at every event: a shell script that needs no JSON tool.
local TRIGGER = [[
{
	echo "$PLUSMOIN_TRIGGER${PLUSMOIN_NODE_PORT:+ for $PLUSMOIN_NODE_HOST:$PLUSMOIN_NODE_PORT}" \
		"in cluster $PLUSMOIN_CLUSTER_ID, master ${PLUSMOIN_MASTER_PORT:-none}" \
		"${PLUSMOIN_RULE:+(rule $PLUSMOIN_RULE${PLUSMOIN_NODE_REASON:+, $PLUSMOIN_NODE_REASON})}"
	if [ "$PLUSMOIN_TRIGGER" != plusmoin_heartbeat ]; then
		printf '   stdin: '
		cat
		echo
	fi
} >> "$1"
]]

local daemon
local tails = {} -- file -> how much of it has been shown

local function say(...)
  io.stdout:write(table.concat({ ... }), "\n")
  io.stdout:flush()
end

local function show_new_lines(path, label)
  local text = proc.read_file(path) or ""
  local shown = tails[path] or 0
  for line, after in text:sub(shown + 1):gmatch("([^\n]*)\n()") do
    if line ~= "" then
      say(label, line)
    end
    tails[path] = shown + after - 1
  end
end

local function show_output()
  if daemon then
    show_new_lines(daemon.out_path, "      log | ")
    show_new_lines(daemon.dir .. "/triggers.out", "  trigger | ")
  end
end

local steps = 0

local function step(...)
  steps = steps + 1
  local title = ("%d. %s"):format(steps, string.format(...))
  local rule = ("="):rep(math.max(72, #title + 4))
  say("\n", rule, "\n  ", title, "\n", rule)
end

local function who(server)
  return ("%s (%s)"):format(server.label, server.name)
end

local function show_status()
  show_output()
  local code, out, err = daemon:cli("status")
  say("\n$ plusmoin status")
  for line in (out .. err):gmatch("[^\n]+") do
    say("    ", line)
  end
  if code ~= 0 then
    error("plusmoin status failed", 0)
  end
end

local function ask_window(path)
  local answer = web.get(daemon.config.http.listen, path)
  say("\n$ curl http://", daemon.config.http.listen, path)
  say("    ", tostring(answer.status), " ", (answer.body:gsub("\n$", "")))
end

-- The output is shown while it is waited for.
local function wait_for(what, fn)
  proc.wait_for(what, EVENT_SECONDS, function()
    show_output()
    return fn()
  end)
end

local function expect(name, server)
  wait_for(name .. (server and " for " .. who(server) or ""), function()
    local event = daemon:changes()[daemon.taken + 1]
    if not daemon.process:running() then
      error("plusmoin has ended: exit " .. tostring(daemon.process.code), 0)
    elseif event and (event.name ~= name or server and event.node ~= server.name) then
      error(("expected %s, got %s"):format(name, event.text), 0)
    end
    return event
  end)
  daemon.taken = daemon.taken + 1
  -- The recorder runs before the script that prints: give that its turn.
  wait_for("the trigger's output", function()
    local text = proc.read_file(daemon.dir .. "/triggers.out") or ""
    local printed = select(2, ("\n" .. text):gsub("\n" .. name .. "[^\n]*\n   stdin: {", ""))
    local ran = 0
    for _, event in ipairs(daemon:changes()) do
      ran = ran + (event.name == name and 1 or 0)
    end
    return printed >= ran
  end)
  show_output()
end

local function expect_place(server, place)
  wait_for(("%s to be %s"):format(who(server), place), function() return daemon:place(server) == place end)
end

local function follows(server, master)
  for _, cluster in ipairs((daemon:status_file() or { clusters = {} }).clusters) do
    for _, node in ipairs(cluster.slaves) do
      if node.port == server.port then
        return node.master_name == master.name
      end
    end
  end
end

local function start_plusmoin(nodes)
  daemon = plusmoin.new { nodes = nodes, config = { log_level = "info", http = { listen = web.place() } } }
  local script = daemon.dir .. "/trigger.sh"
  proc.write_file(script, TRIGGER)
  for _, event in ipairs(EVENTS) do
    daemon.config.triggers[event] = { daemon.recorder,
      { command = { "sh", script, daemon.dir .. "/triggers.out" } } }
  end
  proc.write_file(daemon.config_path, daemon:json())
  daemon:start()
end

local function demo()
  step("A throw-away master and two slaves, on loopback, in %s", proc.run_dir())
  local master, slaves = pg.cluster(2)
  local beta, gamma = slaves[1], slaves[2]
  master.label, beta.label, gamma.label = "alpha", "beta", "gamma"
  say("master ", who(master), ", slaves ", who(beta), " and ", who(gamma))

  step("plusmoin starts in the foreground, with a trigger for every event")
  start_plusmoin { master, beta, gamma }
  expect("plusmoin_up")
  expect_place(gamma, "slave 0")
  show_status()

  step("The slave %s is killed (kill -9 of all its processes)", who(beta))
  beta:kill9()
  expect("slave_down", beta)
  expect_place(beta, "lost 0")
  show_status()

  step("The slave %s is started again", who(beta))
  beta:start()
  expect("slave_up", beta)
  expect_place(beta, "slave 0")
  show_status()

  step("The master %s is killed", who(master))
  master:kill9()
  expect("master_down", master)
  expect_place(master, "lost 0")
  show_status()

  step("The slave %s is promoted, %s is re-pointed to it", who(beta), who(gamma))
  beta:promote()
  expect("master_up", beta)
  gamma:repoint(beta)
  wait_for(who(gamma) .. " to follow " .. who(beta), function() return follows(gamma, beta) end)
  show_status()
  say("\nThe window, for load balancers, Prometheus and scripts:")
  ask_window "/clusters/0/primary"
  ask_window "/nodes/beta/primary"
  ask_window "/nodes/alpha/replica"

  step("The old master %s returns as a slave of %s", who(master), who(beta))
  master:rewind_as_slave_of(beta)
  say(master.rewound and "pg_rewind brought it back" or "it came back as a new copy")
  expect("slave_up", master)
  expect_place(master, "slave 0")
  show_status()

  step("plusmoin is asked to end (SIGTERM)")
  daemon:stop_and_check()
  show_output()
end

if not proc.uv.fs_stat(os.getenv("PLUSMOIN_BIN") or "build/plusmoin") then
  say("demo: there is no build/plusmoin: run make first")
  os.exit(1)
end

proc.catch_interrupts()
local started = proc.mono_ms()
local ok, message = pcall(demo)
local was_interrupted = proc.interrupted
proc.interrupted = nil
pcall(show_output)
if daemon and daemon.process and daemon.process:running() then
  daemon:term()
  pcall(daemon.process.wait, daemon.process, 4)
  plusmoin.stop_all()
end
pg.stop_all()
proc.cleanup()
if ok then
  local seconds = (proc.mono_ms() - started) / 1000
  say(("\nAll of it happened as it should, in %.0f s. Nothing is left behind."):format(seconds))
else
  say("\ndemo: ", was_interrupted or "it did not go as it should: " .. tostring(message))
end
os.exit(ok and 0 or was_interrupted and 130 or 1)
