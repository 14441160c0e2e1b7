--- Many clients of the window at once (crowd.c), and one of its threads held as by a debugger (freeze.c).
local proc = require "spec.support.proc"

local crowd = { running = {} }

local Crowd = {}
Crowd.__index = Crowd

local function binary(name)
  local key = "binary of " .. name
  if not proc.shared[key] then
    local path = proc.new_dir(name) .. "/" .. name
    proc.must({ os.getenv("CC") or "gcc", "-O1", "-D_GNU_SOURCE", "-o", path, "spec/support/" .. name .. ".c" },
      { as_root = true, cwd = "." })
    proc.shared[key] = path
  end
  return proc.shared[key]
end

local function start(argv)
  local self = setmetatable({ process = proc.spawn(argv, { stdin = true, as_root = true }) }, Crowd)
  crowd.running[self] = true
  return self
end

--- Starts one: `place` as crowd.c wants it, its mode, and what follows.
function crowd.start(place, ...)
  local argv = { binary "crowd", place, ... }
  for i, word in ipairs(argv) do
    argv[i] = tostring(word)
  end
  return start(argv)
end

--- Holds the thread of that name of the process ("first": the one that runs main()); `finish` lets it go.
function crowd.freeze(pid, thread)
  return start({ binary "freeze", tostring(pid), thread }):wait_said("held")
end

--- Waits until it has said `word` in a line of its own.
function Crowd:wait_said(word, seconds)
  proc.wait_for(word .. " of " .. table.concat(self.process.argv, " "), seconds or 20, function()
    return ("\n" .. self.process:out()):find("\n" .. word .. "\n", 1, true) or not self.process:running()
  end)
  assert(("\n" .. self.process:out()):find("\n" .. word .. "\n", 1, true), self.process:out() .. self.process:err())
  return self
end

--- Ends its stdin and waits for its end: what it has counted, by name.
function Crowd:finish(seconds)
  if not self.process.stdin:is_closing() then
    proc.close(self.process.stdin)
  end
  return self:result(seconds)
end

--- Waits for its end: what it has counted, by name.
function Crowd:result(seconds)
  local code = self.process:wait(seconds or 30)
  assert(code == 0, table.concat(self.process.argv, " ") .. ": " .. tostring(code) .. self.process:err())
  local counts = {}
  for name, value in self.process:out():gmatch("(%w[%w_]*)=(%d+)") do
    counts[name] = tonumber(value)
  end
  return counts, self.process:out()
end

function crowd.stop_all()
  for one in pairs(crowd.running) do
    if one.process:running() then
      one.process:kill("sigkill")
      one.process:wait()
    end
    if one.process.stdin and not one.process.stdin:is_closing() then
      proc.close(one.process.stdin)
    end
  end
  crowd.running = {}
end

return crowd
