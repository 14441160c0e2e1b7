-- How long `plusmoin console -e 'return 1'` takes beside `plusmoin --version`, in turn: at most 10 ms longer.
-- Run by `make bench`.
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local ROUNDS = tonumber(os.getenv("ROUNDS") or "50")
local BOUND_MS = 10

local function timed(argv)
  local began = proc.mono_ms()
  proc.must(argv)
  return proc.mono_ms() - began
end

local function median(times)
  table.sort(times)
  return times[(#times + 1) // 2], times[#times]
end

local daemon = scene.start { slaves = 1 }
local answers, versions = {}, {}
for i = 1, ROUNDS do
  answers[i] = timed { plusmoin.binary(), "-c", daemon.config_path, "console", "-e", "return 1" }
  versions[i] = timed { plusmoin.binary(), "--version" }
end
scene.finish()
local answer, slowest = median(answers)
local version, slow = median(versions)
local both = "console -e 'return 1': median %.1f ms, worst %.1f; --version: median %.1f ms, worst %.1f; %d times each"
print(both:format(answer, slowest, version, slow, ROUNDS))
print(("longer by %.1f ms, bound %d: %s"):format(answer - version, BOUND_MS,
  answer - version <= BOUND_MS and "kept" or "MISSED"))
proc.cleanup()
