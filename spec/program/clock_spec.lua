-- The wall clock is set while the daemon runs (libfaketime; the steady clocks go on): no event, no wrong lag.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local LIBRARY = "/usr/lib/" .. (io.popen("gcc -dumpmachine"):read("l") or "") .. "/faketime/libfaketimeMT.so.1"

describe("a wall clock that is set", function()
  after_each(scene.finish)

  for _, step in ipairs { "+3600", "-3600" } do
    it("by " .. step .. " s while the daemon runs is no event, and makes nobody late", function()
      if os.getenv("PLUSMOIN_BIN") then
        return pending("libfaketime and sanitizers do not go together")
      end
      local file = proc.new_dir("clock") .. "/now"
      proc.write_file(file, "+0\n")
      local master, slaves = pg.cluster(2)
      local daemon = plusmoin.new { nodes = { master, slaves[1], slaves[2] },
        config = { heartbeat = 0.3, max_sync_delay = 2, recover_sync_delay = 1, fresh_connect_interval = 0.5 } }
      -- by env: what is preloaded before the user changes could not share its memory
      daemon.process = proc.spawn({ "env", "LD_PRELOAD=" .. LIBRARY, "FAKETIME_TIMESTAMP_FILE=" .. file,
        "FAKETIME_NO_CACHE=1", "FAKETIME_FORCE_MONOTONIC_FIX=0", "FAKETIME_DONT_FAKE_MONOTONIC=1", plusmoin.binary(),
        "-c", daemon.config_path, "-x", "start" }, { output = daemon.out_path, cwd = daemon.dir })
      plusmoin.running[daemon] = true
      daemon:expect_events { { "plusmoin_up" } }
      daemon:quiet_rounds(2)
      local function logged_hour()
        local hour, minute = daemon:log():match(".*\n%d+%-%d+%-%d+T(%d%d):(%d%d):")
        return hour and hour * 60 + minute
      end
      local before = logged_hour()
      proc.write_file(file, step .. "\n")
      daemon:quiet_rounds(6)
      local moved = (logged_hour() - before) % 1440
      assert.is_true(math.abs(moved - tonumber(step) // 60 % 1440) <= 1, "the log's clock was not set: " .. moved)
      for _, node in ipairs(daemon:ask({ request = "status" }).clusters[1].slaves) do
        assert.is_true(node.lag < 1, node.lag)
      end
      -- what happens is seen as ever
      slaves[1]:kill9()
      local killed = proc.mono_ms()
      local down = daemon:expect_events { { "slave_down", slaves[1], rule = "S1", reason = "refused" } }
      assert.is_true(down.ms - killed < 3000)
      proc.write_file(file, "+0\n")
      daemon:quiet_rounds(4)
      slaves[1]:start()
      daemon:expect_events { { "slave_up", slaves[1], rule = "L4" } }
      daemon:quiet_rounds(2)
    end)
  end
end)
