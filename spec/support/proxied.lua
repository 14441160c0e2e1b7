--- What the specs of the triggers for proxies share: the trigger on every event, what clients may see,
-- and settings that are refused.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"

local proxied = {}

local EVENTS = { "plusmoin_up", "plusmoin_heartbeat", "cluster_created", "master_down", "master_up", "slave_down",
  "slave_up" }

-- The ready-made trigger of that name, as the files of a daemon.
local function files_of(trigger)
  return { [trigger .. ".lua"] = assert(proc.read_file("triggers/" .. trigger .. ".lua")) }
end

--- A plusmoin on `nodes` whose every event runs triggers/`trigger`.lua, `options.times` times, and then the recorder;
-- `settings` and over them `options.settings` are the trigger's, `options.names` is as for
-- plusmoin.start. Waits for `options.clusters` (1).
function proxied.watch(trigger, nodes, settings, options)
  options = options or {}
  for key, value in pairs(options.settings or {}) do
    settings[key] = value
  end
  local daemon = plusmoin.new { nodes = nodes, files = files_of(trigger), config = options.config }
  for _, event in ipairs(EVENTS) do
    local list = {}
    for i = 1, options.times or 1 do
      list[i] = { lua = trigger .. ".lua", settings = settings }
    end
    list[#list + 1] = daemon.recorder
    daemon.config.triggers[event] = list
  end
  proc.write_file(daemon.config_path, daemon:json())
  daemon:start(options)
  for _ = 1, options.clusters or 1 do
    daemon:expect_events { { "plusmoin_up" } }
  end
  return daemon
end

--- A master and two slaves with a table that plusmoin may write.
function proxied.cluster()
  local master, slaves = pg.cluster(2)
  master:sql("CREATE TABLE written (n serial); GRANT ALL ON written, written_n_seq TO plusmoin", "plusmoin")
  return master, slaves
end

--- What a client of the proxy asks: who takes its write, who answers its read.
proxied.WRITE = "INSERT INTO written DEFAULT VALUES RETURNING inet_server_port()"
proxied.READ = "SELECT inet_server_port()"

--- Of at.master, at.slaves, at.daemon and at.writer: the master is frozen, replaced by the first slave, and wakes
-- up as a master of its own, to which the second slave goes. Returns the event of the replacement.
function proxied.replace_frozen(at)
  at.writer:wait_value(at.master.port)
  at.master:freeze()
  at.daemon:expect_events { { "master_down", at.master } }
  at.slaves[1]:promote()
  local up = at.daemon:expect_events { { "master_up", at.slaves[1] } }
  at.writer:wait_value(at.slaves[1].port)
  at.master:thaw()
  at.daemon:expect_any_order { { "cluster_created", at.master, rule = "M6" }, -- a split
    { "split_brain", at.slaves[1], cluster = 0 },
    { "slave_up", at.slaves[2], cluster = 1, rule = "U3" } } -- it never followed another
  return up
end

--- Waits until `client` has had an answer of `server` since `ms`; asserts that it has had none of another one.
function proxied.only(client, server, ms)
  local values
  proc.wait_for("an answer of " .. server.name, 10, function()
    values = client:values_since(ms)
    return values[tostring(server.port)]
  end, function() return client:tail() end)
  values[tostring(server.port)] = nil
  assert(not next(values), ("an answer of port %s"):format(next(values)))
end

--- Asserts that each of `wrong`, {setting, its value, what is said}, over the settings `good`, is refused at the load.
function proxied.refused_settings(trigger, good, wrong)
  for _, case in ipairs(wrong) do
    local settings = {}
    for key, value in pairs(good) do
      settings[key] = value
    end
    settings[case[1]] = case[2]
    local daemon = plusmoin.new { files = files_of(trigger),
      triggers = { slave_up = { lua = trigger .. ".lua", settings = settings } } }
    local code, out, err = daemon:cli("-x", "start")
    local said = out .. err
    assert(code == 3, ("%s: exit status %d: %s"):format(case[3], code, said))
    assert(said:find("triggers.slave_up.lua: ", 1, true), said)
    assert(said:find(trigger .. ": " .. case[3], 1, true), said)
  end
end

return proxied
