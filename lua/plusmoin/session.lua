--- The console's sessions inside the running daemon: it runs the code that is typed there, as the run of a trigger.
--
-- The script host's state keeps a session's variables until the session ends, or until a new host replaces this one
-- (at a reload, or because a run has blocked it). src/script/snippet.c calls these functions on the host's thread.
local completion = require "plusmoin.completion"
local pretty = require "plusmoin.pretty"

local session = {}

local OUTPUT_BYTES = 1024 * 1024 -- of one run; the rest is cut, and a note says so

local sessions = {} -- name -> { environment, and of its running code: output = list of texts, bytes, ... }

local function add_output(one, text)
  if one.bytes > OUTPUT_BYTES then
    return
  end
  one.bytes = one.bytes + #text
  if one.bytes > OUTPUT_BYTES then
    text = text:sub(1, OUTPUT_BYTES) .. "\n(cut: a run at the console may print 1 MiB)\n"
  end
  one.output[#one.output + 1] = text
end

-- Returns the help on a name ("pm.query") or on a function or table itself (pm.query); for nil an overview.
local function help_text(pm, what)
  local api = require "plusmoin.api"
  local name = what
  if what ~= nil and type(what) ~= "string" then
    name = api.name_of(pm, what)
    if not name then
      return "that is none of plusmoin's; help() lists what there is"
    end
  end
  local text, near = api.help(name)
  return text or ("there is no %s; nearest: %s; help() lists what there is"):format(name, table.concat(near, ", "))
end

-- Makes the globals of a session's code: plusmoin's API, Lua's globals, and the session's own variables.
local function new_environment(one)
  local pm = require "plusmoin"
  local environment = { pm = pm }
  function environment.print(...)
    add_output(one, pretty.line({ ... }, select("#", ...)) .. "\n")
  end
  environment.io = setmetatable({
    write = function(...)
      for _, text in ipairs { ... } do
        add_output(one, tostring(text))
      end
    end,
  }, { __index = io })
  function environment.help(what)
    add_output(one, help_text(pm, what) .. "\n")
  end
  function environment.COMPLETE(word)
    local words = completion.words(word, environment)
    if #words > 0 then
      return table.concat(words, "\n")
    end
  end
  environment._G = environment
  return setmetatable(environment, { __index = _G })
end

local function begin(name)
  local one = sessions[name]
  local is_first = one == nil
  if is_first then
    one = {}
    one.environment = new_environment(one)
    sessions[name] = one
  end
  one.output, one.bytes, one.is_first, one.refused, one.is_unfinished = {}, 0, is_first, nil, false
  return one
end

-- Compiles the code as an expression, else as statements. Returns a function; or nil and the message.
local function compile(code, chunk, environment)
  local expression = load("return " .. code, chunk, "t", environment)
  if expression then
    return expression
  end
  return load(code, chunk, "t", environment)
end

--- Runs `code` and prints what it returns. An error of the code is raised; `chunk` names the code in its message.
function session.run(name, chunk, code)
  local one = begin(name)
  local typed, err = compile(code, chunk, one.environment)
  if not typed then
    one.refused, one.is_unfinished = err, err:find("<eof>", -5, true) ~= nil
    return
  end
  local results = table.pack(typed())
  if results.n > 0 then
    add_output(one, pretty.line(results, results.n) .. "\n")
  end
end

--- Takes the outcome of a run that has ended. Returns what it has printed (nil: nothing), why it could not be compiled
-- (nil: it could), whether more lines may complete the code, and whether it was the session's first run in this host.
function session.take(name)
  local one = sessions[name]
  if not one then
    return nil, nil, false, true
  end
  local text = #one.output > 0 and table.concat(one.output) or nil
  one.output = {}
  return text, one.refused, one.is_unfinished, one.is_first
end

--- Forgets a session that has ended, with its variables.
function session.forget(name)
  sessions[name] = nil
end

return session
