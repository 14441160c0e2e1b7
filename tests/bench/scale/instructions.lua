--- User instructions per node and round, as valgrind's callgrind counts them: it counts between two moments of a run
-- that has long started, so the start is none of it. The machine's own counters (perf) are not there on many machines.
local proc = require "spec.support.proc"

local instructions = {}

local HEARTBEAT = 2 -- s: valgrind makes a round of 1,000 nodes last for most of a second
local SETTLE_SECONDS, SECONDS = 2 * HEARTBEAT, 3 * HEARTBEAT
local START_SECONDS = 300

-- Tells the running process to count, or to stop.
local function control(watched, word)
  proc.must { "callgrind_control", "-i", word, tostring(watched.process.pid) }
end

--- Starts a watcher by `start(options)` under callgrind, and counts. `keep`: a path that the profile is copied to.
function instructions.count(start, keep)
  local dir = proc.new_dir("callgrind")
  proc.give(dir)
  local watched = start { heartbeat = HEARTBEAT, seconds = START_SECONDS, under = { "valgrind", "--tool=callgrind",
    "--instr-atstart=no", "--callgrind-out-file=" .. dir .. "/out" } }
  proc.pump(SETTLE_SECONDS * 1000)
  control(watched, "on")
  local seen = watched:watch(SECONDS)
  control(watched, "off")
  watched:stop()
  if keep then
    proc.must({ "cp", dir .. "/out", keep }, { as_root = true, cwd = "." })
  end
  return tonumber(proc.read_file(dir .. "/out"):match("\ntotals: (%d+)")) / seen.node_rounds
end

return instructions
