--- An application that asks a server through a proxy, once per 10 ms, and tries again when that fails.
local proc = require "spec.support.proc"

local client = {}

local Client = {}
Client.__index = Client

client.running = {}

local function binary()
  local path = proc.shared.client
  if not path then
    path = proc.new_dir("client") .. "/client"
    local flags = proc.must({ "pkg-config", "--cflags", "--libs", "libpq" }, { as_root = true, cwd = "." })
    local argv = { os.getenv("CC") or "gcc", "-O1", "-o", path, "spec/support/client.c" }
    for flag in flags:gmatch("%S+") do
      argv[#argv + 1] = flag
    end
    proc.must(argv, { as_root = true, cwd = "." })
    proc.shared.client = path
  end
  return path
end

--- Starts one. Options: port, sql (its first field is what is noted), dbname, fresh (a new connection each time),
-- password, answer_ms (1000): how long it waits for an answer, retry_ms (10): what it waits after a failure.
function client.start(options)
  local self = setmetatable({ path = proc.new_dir("client") .. "/answers" }, Client)
  local conninfo = ("host=127.0.0.1 port=%d user=plusmoin password=%s dbname=%s"):format(options.port,
    options.password or "none", options.dbname or "plusmoin")
  self.process = proc.spawn({ binary(), self.path, conninfo, options.sql, "10", options.fresh and "fresh" or "keep",
    tostring(options.answer_ms or 1000), tostring(options.retry_ms or 10) },
    { output = self.path .. ".log" })
  client.running[self] = true
  return self
end

--- All answers so far: list of { ms =, value = } or { ms =, failure = }.
function Client:answers()
  local list = {}
  for ms, text in (proc.read_file(self.path) or ""):gmatch("(%d+)\t([^\n]*)\n") do
    local failed = text:sub(1, 1) == "!"
    list[#list + 1] = { ms = tonumber(ms), value = not failed and text or nil, failure = failed and text:sub(2) or nil }
  end
  return list
end

--- What was answered from `ms` (monotonic) on: value -> how often.
function Client:values_since(ms)
  local counts = {}
  for _, answer in ipairs(self:answers()) do
    if answer.value and answer.ms >= ms then
      counts[answer.value] = (counts[answer.value] or 0) + 1
    end
  end
  return counts
end

--- Waits until the last `count` (10) asked were answers with `value`; returns the ms of the first of them.
function Client:wait_value(value, seconds, count)
  count = count or 10
  return proc.wait_for("answers of " .. value, seconds or 10, function()
    local list = self:answers()
    for i = #list, math.max(1, #list - count + 1), -1 do
      if list[i].value ~= tostring(value) then
        return nil
      end
    end
    return #list >= count and list[#list - count + 1].ms
  end, function() return self:tail() end)
end

--- The last lines, for people.
function Client:tail()
  local lines = {}
  for line in (proc.read_file(self.path) or ""):gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\n", math.max(1, #lines - 15))
end

function Client:stop()
  if self.process:running() then
    self.process:kill("sigkill")
    self.process:wait()
  end
  client.running[self] = nil
end

--- Ends all of them.
function client.stop_all()
  for one in pairs(client.running) do
    one:stop()
  end
end

return client
