-- Runs, kills, reloads and shutdowns of script hosts at random moments. A short
-- one in `make test`; `make test-long` sets RANDOM_STEPS under both sanitizers.
local fleet = require "spec.support.fleet"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local STEPS = tonumber(os.getenv("RANDOM_STEPS")) or 40
local CLUSTERS = 8

local BODY = [[
local pm = require "plusmoin"
local acts = {
  function() end,
  function() pm.sleep(math.random() * 0.2) end,
  function() pm.exec { "sleep", tostring(math.random() * 0.2) } end,
  function() pm.sleep(60) end,
  function() pm.exec { "sleep", "60" } end,
  function() while true do end end,
  function() table.sort({ 2, 1 }, function() while true do end end) end,
  function() local t = {} while true do t[#t + 1] = { #t } end end,
  function() error({ "no text" }) end,
  function() coroutine.wrap(function() pm.sleep(0.05) pm.state.n = (pm.state.n or 0) + 1 end)() end,
  function() for _ = 1, 50 do pm.json.decode(pm.json.encode(pm.clusters())) end end,
  function() io.popen("echo x; sleep 0.05"):read("a") end,
}
config.triggers.plusmoin_heartbeat = { function() acts[math.random(#acts)]() end, "/bin/true" }
]]

-- Until its signal handlers stand.
local function wait_up(daemon)
  proc.wait_for("an answer", 20, function() return (pcall(daemon.ask, daemon, { request = "status" })) end,
    function() return daemon:diagnose() end)
end

describe("script hosts under random runs, kills, reloads and shutdowns", function()
  after_each(scene.finish)

  it("stay whole #core", function()
    local seed = tonumber(os.getenv("SEED")) or os.time()
    io.stdout:write(("random: SEED=%d, %d steps\n"):format(seed, STEPS))
    math.randomseed(seed)
    local names = {}
    for i = 1, CLUSTERS do
      names[i] = "n" .. i
    end
    local _, nodes = fleet.start(names)
    local daemon = plusmoin.new { nodes = {}, config = { nodes = nodes, heartbeat = 0.1, retry_interval = 0.1,
      trigger_timeout = 0.4, shutdown_grace = 0.2, query_timeout = 2, log_level = "error", triggers = {} } }
    daemon.config_path = daemon.dir .. "/plusmoin.lua"
    proc.write_file(daemon.config_path, daemon:lua(BODY))
    daemon:start()
    wait_up(daemon)
    for step = 1, STEPS do
      proc.watch(math.random() * 0.12, function() end)
      assert.is_true(daemon.process:running(), "ended by itself, SEED=" .. seed .. "\n" .. daemon:diagnose())
      local dice = math.random(10)
      if dice <= 6 then
        daemon.process:kill("sighup")
      elseif dice == 7 and step % 3 == 0 then
        daemon:stop_and_check()
        daemon:start()
        wait_up(daemon)
      end
    end
    wait_up(daemon)
  end)
end)
