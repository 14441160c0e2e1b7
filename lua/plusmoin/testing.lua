--- Tests of your own triggers: this module gives them pm without a daemon, under plain `busted --lua=lua5.4`.
--
--   local testing = require "plusmoin.testing"
--
--   it("pages somebody, and again after a minute", function()
--     local t = testing.new()
--     local page = t:load("page.lua", { url = "https://pages.example.com/" })
--     t:expect("http", { method = "POST" }, nil, "timed out")
--     t:expect("http", { method = "POST" }, { status = 200 })
--     t:run(page, t:event("master_down"))
--     assert.equal(60, t.elapsed)
--     t:done()
--   end)
--
-- A trigger runs here with the daemon's own Lua code, down to the functions that ask other
-- programs: those get their answers from the test. The clock of a test moves only while a
-- trigger waits, and at once: pm.sleep(60) takes no time. A call that the test does not
-- expect fails it.
local cores = require "plusmoin.testing.cores"
local nodes = require "plusmoin.testing.nodes"

local testing = {}

local World = {}
World.__index = World

local BEGIN = 1700000000.0 -- a moment of 2023, at which the clock of a new world stands
local TIMEOUT = 60         -- trigger_timeout's default
local LEVELS = { [0] = "error", "warning", "info", "debug" }
local KINDS = { exec = true, http = true, query = true, request = true }
local OURS = "^plusmoin[.]?" -- matches modules that each world loads anew

--- Returns a new world, as `t` above: no calls, no log, an empty pm.state. Options: now
-- (epoch seconds), clusters (what pm.clusters() returns; default: the event's cluster),
-- state (the content of pm.state).
--
-- A test may read its fields: `calls`, a list of {kind = "http", at = seconds, spec = ...};
-- `logs`, a list of {level =, text =}; `state`, the content of pm.state; `time`, the clock;
-- `elapsed`, seconds since the last run began.
function testing.new(options)
  options = options or {}
  local world = setmetatable({ time = options.now or BEGIN, elapsed = 0, state = options.state or {},
    clusters = options.clusters or {}, given_clusters = options.clusters ~= nil, calls = {}, logs = {},
    expected = {}, allowed = {}, failures = {}, events = 0, running = false, loaded = {} }, World)
  for name, module in pairs(cores.of(world)) do
    world.loaded[name] = module
  end
  world.pm = world:require("plusmoin")
  return world
end

--- Makes a node table: t:node("slave", {host = "db2", lag = 3}). Other fields get plausible values.
function World:node(state, given)
  return nodes.node(state, given, { now = self.time })
end

--- Makes a cluster table: t:cluster{cluster_id = 0, master = "db1", slaves = {"db2"}, lost = {...},
-- clusterless = {...}}. A node is a host, or a table of a node's fields.
function World:cluster(given)
  return nodes.cluster(given, self.time)
end

--- Makes an event: t:event("slave_down", {lost = {"db2"}, trigger = "db2", rule = "S2"}). What
-- is not given gets values that fit such an event: its cluster, its node, its rule.
function World:event(name, given)
  self.events = self.events + 1
  return nodes.event(name, given, self.time, self.events)
end

-- Ends the run by a yield, which no pcall of the trigger stops; in a coroutine of the trigger by an error.
local function stop(world, why)
  if coroutine.running() == world.co then
    coroutine.yield()
  end
  error(why, 0)
end

-- Notes a failure of the test, and ends the run.
function World:fail(format, ...)
  self.failures[#self.failures + 1] = format:format(...)
  stop(self, self.failures[#self.failures])
end

-- The cores call it before they wait. Raises an error where nothing can wait.
function World:check_wait(what)
  if not self.running then
    error(what .. " waits, and while a configuration is being loaded nothing can", 0)
  elseif not coroutine.isyieldable() then
    error(what .. " waits, and here Lua cannot (in a callback of sort or gsub, a metamethod called from C, require)", 0)
  end
end

-- The cores call it to move the clock. It ends a run whose timeout is over.
function World:wait(what, seconds)
  self:check_wait(what)
  local left = self.deadline - self.time
  self.time = self.time + math.min(seconds, left)
  self.elapsed = self.time - self.began
  if seconds >= left then
    self.timed_out = true
    stop(self, "timed out")
  end
end

local function equals(wanted, value)
  if type(wanted) == "function" then
    return wanted(value) and true or false
  elseif type(wanted) ~= "table" or type(value) ~= "table" then
    return wanted == value
  end
  for key, item in pairs(wanted) do
    if not equals(item, value[key]) then
      return false
    end
  end
  return true
end

local function show(value)
  if type(value) == "string" then
    return ("%q"):format(value)
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  local keys, parts = {}, {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, key in ipairs(keys) do
    parts[i] = (type(key) == "string" and key .. " = " or "") .. show(value[key])
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

-- Returns the expectation that answers a call: the first one of its kind that is left, if the call
-- matches it, else one that is allowed and matches; nil: none.
function World:find_answer(kind, spec)
  for i, one in ipairs(self.expected) do
    if one.kind == kind then
      if equals(one.match, spec) then
        return table.remove(self.expected, i)
      end
      break
    end
  end
  for _, one in ipairs(self.allowed) do
    if one.kind == kind and equals(one.match, spec) then
      return one
    end
  end
end

-- The cores call it to get the answer to `spec`; nil and a message where the call fails.
function World:ask(kind, spec, timeout)
  self.calls[#self.calls + 1] = { kind = kind, at = self.time, spec = spec }
  local found = self:find_answer(kind, spec)
  if not found then
    local next_one
    for _, one in ipairs(self.expected) do
      next_one = next_one or one.kind == kind and one or nil
    end
    self:fail("not expected: pm.%s %s; expected: %s", kind, show(spec), next_one and show(next_one.match) or "none")
  end
  local answer, why = found.answer, found.why
  if type(answer) == "function" then
    answer, why = answer(spec)
  end
  local takes = type(answer) == "table" and answer.takes or found.takes or 0
  if timeout and takes >= timeout then
    self:wait("pm." .. kind, timeout)
    if kind == "exec" then
      return { signal = 15, timed_out = true }
    end
    return nil, ("no answer within %g s"):format(timeout)
  end
  self:wait("pm." .. kind, takes)
  return answer, why
end

-- The cores call it to log a line.
function World:note(level, text)
  self.logs[#self.logs + 1] = { level = LEVELS[level], text = text }
end

local function expectation(kind, match, answer, why)
  if not KINDS[kind] then
    error(("testing: %s is nothing that is asked; allowed: exec, http, query, request"):format(tostring(kind)), 3)
  elseif match ~= nil and type(match) ~= "table" and type(match) ~= "function" then
    error("testing: a table of what is asked, or a function of it, expected", 3)
  end
  return { kind = kind, match = match or {}, answer = answer, why = why }
end

--- Expects one call. `kind` is "exec", "http", "query" or "request". `match` has the fields that
-- the call must have (values, tables of such, or functions that return whether a value fits), or
-- is a function that gets the whole call: exec's is a list of its arguments, query's has host,
-- port, sql, params, dbname, ... Calls of one kind must come in the order in which they are expected.
--
-- `answer` is, for exec, {code = 0, stdout = "", stderr = "", signal =, timed_out =} or the text
-- of stdout; for http {status = 200, headers = {}, body = ""} or the body; for query a list of
-- rows, with n and command where they matter; for request a text. A table may have `takes`,
-- seconds. A function gets the call and returns the answer. With nil the call fails with `why`.
function World:expect(kind, match, answer, why)
  table.insert(self.expected, expectation(kind, match, answer, why))
end

--- Answers any number of calls, also none, as expect() does, where no expected call matches.
function World:allow(kind, match, answer, why)
  table.insert(self.allowed, expectation(kind, match, answer, why))
end

-- Makes the globals of a trigger: Lua's own, and those that plusmoin replaces. A running trigger cannot write to them.
local function environment(world)
  local files
  local function stand_ins()
    files = files or world:require("plusmoin.sandbox.files")
    return files
  end
  local env = {}
  local own = {
    _G = env,
    require = function(name) return world:require(name) end,
    print = function(...)
      local words = table.pack(...)
      for i = 1, words.n do
        words[i] = tostring(words[i])
      end
      world:note(2, table.concat(words, "\t"))
    end,
    os = setmetatable({
      execute = function(line) return stand_ins().execute(line) end,
      exit = function() error("os.exit is not for triggers: return, or raise an error", 2) end,
      time = function(t) return t and os.time(t) or world.time // 1 | 0 end,
      date = function(format, time) return os.date(format, time or world.time // 1 | 0) end,
    }, { __index = os }),
    io = setmetatable({
      popen = function(...) return stand_ins().popen(...) end,
      write = function(...) return stand_ins().console():write(...) end,
      read = function() error("io.read: a trigger has no stdin", 2) end,
    }, { __index = function(_, key)
      if key == "stdout" or key == "stderr" then
        return stand_ins().console()
      end
      return io[key]
    end }),
  }
  return setmetatable(env, {
    __index = function(_, key)
      local value = own[key]
      if value == nil then
        value = _G[key]
      end
      return value
    end,
    __newindex = function(_, key, value)
      if world.running then
        error(("a trigger writes the global %s: what a trigger keeps is local, an upvalue, or in pm.state")
          :format(tostring(key)), 2)
      end
      own[key] = value
    end,
  })
end

-- Stands for a trigger's require. Each world loads modules in Lua itself, so that those which
-- require "plusmoin" get its pm.
function World:require(name)
  local loaded = self.loaded[name]
  if loaded ~= nil then
    return loaded
  end
  local path = package.searchpath(name == "plusmoin" and "plusmoin.init" or name, package.path)
  if not path or not name:find(OURS) and package.loaded[name] ~= nil then
    return require(name)
  end
  local chunk = assert(loadfile(path, "t", name:find(OURS) and setmetatable({
    require = function(other) return self:require(other) end }, { __index = _G }) or self:globals()))
  loaded = chunk(name, path)
  self.loaded[name] = loaded == nil and true or loaded
  return self.loaded[name]
end

-- Returns the trigger's globals; all triggers of a world share them.
function World:globals()
  self.env = self.env or environment(self)
  return self.env
end

--- Loads a trigger's file as plusmoin does, with its settings. Returns a trigger for t:run().
-- Raises the errors of the file.
function World:load(path, settings)
  local chunk = assert(loadfile(path, "t", self:globals()))
  local trigger = chunk(settings or {})
  local run = type(trigger) == "table" and trigger.run or trigger
  if type(run) ~= "function" then
    error(("testing: %s returns %s; allowed: a function, or {run = function, timeout = s}"):format(path, type(trigger)),
      2)
  end
  return { run = run, timeout = type(trigger) == "table" and trigger.timeout or nil }
end

--- Runs a trigger (of t:load(), or a function) for an event to its end. Returns true; false where
-- it was ended because its time was over. Raises the trigger's errors, and an error for a call
-- that was not expected. `timeout` (seconds) stands in place of the file's own, or of 60 s.
function World:run(trigger, event, timeout)
  local run = type(trigger) == "table" and trigger.run or trigger
  timeout = timeout or type(trigger) == "table" and trigger.timeout or TIMEOUT
  if not self.given_clusters then
    self.clusters = { { cluster_id = event.cluster_id, master = event.master, slaves = event.slaves,
      lost = event.lost, clusterless = event.clusterless } }
  end
  self.began, self.elapsed, self.deadline, self.timed_out = self.time, 0, self.time + timeout, false
  self.co = coroutine.create(run)
  self.running = true
  local ok, what = coroutine.resume(self.co, event)
  self.running = false
  if #self.failures > 0 then
    error(debug.traceback(self.co, table.concat(self.failures, "\n")), 2)
  elseif not ok then
    error(what, 0)
  elseif self.timed_out then
    return false
  end
  return true
end

--- Raises an error when an expected call has not been made.
function World:done()
  local missing = {}
  for i, one in ipairs(self.expected) do
    missing[i] = ("pm.%s %s"):format(one.kind, show(one.match))
  end
  if #missing > 0 then
    error("expected, and never asked: " .. table.concat(missing, "; "), 2)
  end
end

--- Returns whether one line of the log has all these words (plain text).
function World:logged(...)
  for _, line in ipairs(self.logs) do
    local all = true
    for _, word in ipairs { ... } do
      all = all and (line.level .. " " .. line.text):find(word, 1, true) ~= nil
    end
    if all then
      return true
    end
  end
  return false
end

return testing
