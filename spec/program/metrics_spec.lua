-- /metrics: what Prometheus and its tool make of it, while all is well, while a master dies, while the monitor hangs.
local crowd = require "spec.support.crowd"
local hang = require "spec.support.hang"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local prometheus = require "spec.support.prometheus"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"
local web = require "spec.support.web"

local value, scrape = prometheus.value, prometheus.scrape

local SANITIZED = (os.getenv("PLUSMOIN_BIN") or ""):find("san/")
local SCRAPES = 10
local MOST_MS = SANITIZED and 5000 or 200 -- for all of them

local function up_of(server)
  return ('plusmoin_node_up{node="%s:%d",name="%s"}'):format(server.host, server.port, server.label or server.name)
end

local function place_of(server, place)
  return ('plusmoin_node_place{node="%s:%d",name="%s",place="%s"}'):format(server.host, server.port,
    server.label or server.name, place)
end

local function wait_until(place, series, what, holds)
  local text
  proc.wait_for(("%s %s"):format(series, what), 10, function()
    text = scrape(place)
    return holds(value(text, series))
  end, function() return text end)
  return text
end

local function wait_value(place, series, expected)
  return wait_until(place, series, expected, function(number) return number == expected end)
end

-- Asks for all a few times, one after another, while the loop's lateness is looked at: the least ms of an answer, as
-- the machine is busy with other things too, its bytes, and the loop's lateness.
local function measure(daemon, place)
  local seconds = proc.spawn({ "sh", "-c", ("for i in $(seq %d); do curl -sS -o metrics -w '%%{time_total}\n'"
    .. " http://%s/metrics || exit 1; done"):format(SCRAPES, place) }, { cwd = daemon.dir })
  local late_ms = hang.lateness(daemon, 60, function() return not seconds:running() end, { request = "nothing" })
  assert.equal(0, seconds:wait(5), seconds:err())
  local least, count = math.huge, 0
  for text in seconds:out():gmatch("[%d.]+") do
    least, count = math.min(least, tonumber(text) * 1000), count + 1
  end
  assert.equal(SCRAPES, count)
  return least, proc.read_file(daemon.dir .. "/metrics"), late_ms
end

local function assert_of_many(place, clusters, size)
  local stand, nodes = standin.start(), clusters * size
  local daemon = plusmoin.start { nodes = stand:clusters("c", clusters, size, "127.25.0.1"), nowait = true,
    triggers = { plusmoin_up = false, plusmoin_heartbeat = false },
    config = { http = { listen = place }, heartbeat = 2, query_timeout = 10, connect_timeout = 20,
      log_level = "info" } }
  proc.wait_for("the fleet", 60, function()
    local ok, text = pcall(scrape, place)
    return ok and value(text, "plusmoin_clusters") == clusters and value(text, "plusmoin_ready") == 1
      and select(2, text:gsub("plusmoin_node_up{[^}]*} 1", "")) == nodes
  end, function() return daemon:diagnose() end)
  local ms, text, late_ms = measure(daemon, place)
  assert.equal(8 * nodes, select(2, text:gsub("\nplusmoin_node_", "")))
  assert.equal(nodes, value(text, "plusmoin_nodes"))
  assert.is_true(ms <= MOST_MS, ("%.0f ms"):format(ms))
  assert.is_true(late_ms <= hang.LATE_MS, ("the loop was late by %.0f ms"):format(late_ms))
  print(("%d nodes: %d bytes in %.0f ms, the loop late by %.0f ms at most"):format(nodes, #text, ms, late_ms))
end

describe("/metrics", function()
  local place

  before_each(function() place = web.place() end)
  after_each(function() scene.finish(prometheus.stop_all, crowd.stop_all, standin.stop_all, web.close_all) end)

  it("is what promtool calls good, also of nodes with odd names", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { http = { listen = place } } }
    daemon.config.nodes[2].name = 'a "slave"\\of m\u{ef}ne'
    daemon:reload()
    local text = wait_value(place, ('plusmoin_node_up{node="%s:%d",name="a \\"slave\\"\\\\of m\u{ef}ne"}'):format(
      slaves[1].host, slaves[1].port), 1)
    proc.write_file(daemon.dir .. "/metrics", text)
    local code, out, err = proc.run({ "sh", "-c", "promtool check metrics < metrics" }, { cwd = daemon.dir })
    assert.same({ 0, "", "" }, { code, out, err })
    local head = web.get(place, "/metrics", { method = "HEAD" })
    assert.equal(200, head.status)
    assert.equal("text/plain; version=0.0.4; charset=utf-8", head.headers["content-type"])
    assert.equal(1, value(text, place_of(master, "master")))
    assert.equal(0, value(text, 'plusmoin_config_loads_total{outcome="refused"}'))
    assert.equal(2, value(text, 'plusmoin_config_loads_total{outcome="taken"}'))
  end)

  it("shows a Prometheus that a master goes, and keeps its series #core", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { http = { listen = place } } }
    local server = prometheus.start(place, "100ms")
    server:wait_value(up_of(master), 1)
    server:wait_value(place_of(master, "master"), 1)
    server:wait_value("plusmoin_cluster_has_master", 1)
    server:wait_value("plusmoin_ready", 1)
    local rounds = server:query("plusmoin_cluster_rounds_total")[1].value
    master:kill9()
    daemon:expect_events { { "master_down", master } }
    server:wait_value(up_of(master), 0)
    server:wait_value(place_of(master, "master"), 0)
    server:wait_value(place_of(master, "lost"), 1)
    server:wait_value("plusmoin_cluster_has_master", 0)
    server:wait_value("plusmoin_detection_seconds_count", 1)
    server:wait_value(up_of(slaves[1]), 1)
    slaves[1]:promote()
    daemon:expect_events { { "master_up", slaves[1] } }
    server:wait_value("plusmoin_cluster_has_master", 1)
    server:wait_value(place_of(slaves[1], "master"), 1)
    local all = 'count by (node) ({__name__=~"plusmoin_node_.+"})'
    for _, one in ipairs(server:query(all)) do
      assert.equal(8, one.value, one.metric.node)
    end
    assert.is_true(server:query("plusmoin_cluster_rounds_total")[1].value > rounds)
    assert.equal(1, #server:query("count_over_time(" .. up_of(master) .. "[1h])")) -- one series, all the time
    local text = scrape(place)
    assert.is_true(value(text, 'plusmoin_failures_total{reason="refused"}') >= 1, text)
    assert.is_true(value(text, "plusmoin_connects_total") >= 2, text)
    assert.is_true(value(text, 'plusmoin_trigger_runs_total{outcome="done"}') >= 3, text)
    assert.is_true(value(text, 'plusmoin_cluster_failures_total{cluster="0",class="refused"}') >= 1, text)
    assert.is_true(value(text, "plusmoin_detection_seconds_sum") < 5, text)
  end)

  it("tells how triggers end, what waits, and how the configuration was loaded", function()
    local daemon, master, slaves = scene.start { slaves = 1,
      config = { http = { listen = place }, trigger_timeout = 3 },
      triggers = { plusmoin_heartbeat = false, slave_down = { command = { "/bin/sh", "-c", "exit 3" } },
        slave_up = { command = { "sleep", "60" } } } }
    daemon.config.trigger_timeout = "never"
    proc.write_file(daemon.config_path, daemon:json())
    assert.is_false(daemon:ask({ request = "reload" }, 15).ok)
    local text = scrape(place)
    assert.equal(0, value(text, "plusmoin_config_last_load_successful"))
    assert.equal(1, value(text, 'plusmoin_config_loads_total{outcome="refused"}'))
    assert.is_true(math.abs(os.time() - value(text, "plusmoin_config_loaded_timestamp_seconds")) < 120)
    daemon.config.trigger_timeout = 3
    daemon:reload()
    text = scrape(place)
    assert.equal(1, value(text, "plusmoin_config_last_load_successful"))
    assert.is_true(value(text, "plusmoin_descriptors") > 10)
    assert.is_true(value(text, "plusmoin_descriptors") < value(text, "plusmoin_descriptors_limit"))
    wait_value(place, "plusmoin_queue_oldest_seconds", 0)

    slaves[1]:kill9()
    wait_value(place, 'plusmoin_trigger_runs_total{outcome="failed"}', 1)
    slaves[1]:start()
    wait_value(place, "plusmoin_triggers_running", 1)
    master:kill9() -- its event waits behind the slave's
    text = wait_until(place, "plusmoin_queue_length", ">= 1", function(number) return number >= 1 end)
    assert.is_true(value(text, "plusmoin_queue_oldest_seconds") < 3, text)
    wait_value(place, 'plusmoin_trigger_runs_total{outcome="timed_out"}', 1)
    daemon:expect_events { { "master_down", master } }
    text = wait_value(place, "plusmoin_queue_length", 0)
    assert.equal(2, value(text, "plusmoin_detection_seconds_count"))
    local short = value(text, 'plusmoin_trigger_seconds_bucket{le="1"}')
    assert.equal(short + 1, value(text, "plusmoin_trigger_seconds_count"))
  end)

  it("goes on while the monitor's loop hangs, and says how long that has lasted", function()
    local daemon, master = scene.start { slaves = 1, config = { http = { listen = place } } }
    assert.is_true(value(scrape(place), "plusmoin_loop_silence_seconds") < 2)
    local frozen = crowd.freeze(daemon.process.pid, "first")
    local text
    proc.wait_for("a silence of 2 s", 10, function()
      text = scrape(place)
      return value(text, "plusmoin_loop_silence_seconds") > 2
    end)
    assert.equal(1, value(text, up_of(master)))
    assert.is_true(value(text, up_of(master):gsub("_up{", "_last_answer_age_seconds{")) > 1.5, text)
    frozen:finish()
    proc.wait_for("its end", 10, function() return value(scrape(place), "plusmoin_loop_silence_seconds") < 1 end)
    daemon:wait_place(master, "master 0")
  end)

  it("of a thousand nodes is there at once, and holds up no poll", function()
    assert_of_many(place, SANITIZED and 20 or 200, 5)
  end)

  it("of five thousand nodes is there at once, and holds up no poll #long", function()
    assert_of_many(place, SANITIZED and 100 or 1000, 5)
  end)
end)
