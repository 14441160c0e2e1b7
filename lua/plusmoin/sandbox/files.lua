--- Replaces what the standard library has for processes and standard files in a trigger:
-- io.popen and os.execute wait like pm.exec, and stdout and stderr go to the log.
local core = require "plusmoin.core"
local exec = require "plusmoin.exec"

local files = {}

local POPEN_BYTES = 4 * 1024 * 1024

-- Logs a program's output line by line, or what a trigger writes to stdout.
local function log_lines(text)
  for line in text:gmatch("[^\n]+") do
    core.log(2, line)
  end
end

-- Returns a program's end as os.execute does, and close() of a file of io.popen.
local function outcome(result)
  if result.signal then
    return nil, "signal", result.signal
  elseif result.code == 0 then
    return true, "exit", 0
  end
  return nil, "exit", result.code
end

--- os.execute of a trigger. It waits, and the command's output goes to the log.
function files.execute(command)
  if command == nil then
    return true
  end
  local result, err = exec.run({ "/bin/sh", "-c", command })
  if not result then
    return nil, err
  end
  log_lines(result.stdout)
  log_lines(result.stderr)
  return outcome(result)
end

local Reader = {}
Reader.__index = Reader

-- Reads one item by a format of io.read; nil at the end of the text.
local function read_item(self, format)
  local text, at = self.text, self.at
  if type(format) == "number" then
    if at > #text and format > 0 then
      return nil
    end
    self.at = math.min(at + format, #text + 1)
    return text:sub(at, self.at - 1)
  end
  local kind = tostring(format):gsub("^%*", ""):sub(1, 1)
  if kind == "a" then
    self.at = #text + 1
    return text:sub(at)
  elseif kind == "n" then
    local number, stop = text:match("^%s*([-+%w.]+)()", at)
    self.at = stop or at
    return tonumber(number)
  elseif kind ~= "l" and kind ~= "L" then
    error("bad argument #1 to 'read' (invalid format)", 3)
  elseif at > #text then
    return nil
  end
  local stop = text:find("\n", at, true) or #text + 1
  self.at = stop + 1
  return text:sub(at, kind == "L" and stop or stop - 1)
end

local function check_open(self)
  if self.closed then
    error("attempt to use a closed file", 3)
  end
end

function Reader:read(...)
  check_open(self)
  local formats = table.pack(...)
  if formats.n == 0 then
    return (read_item(self, "l"))
  end
  local items = {}
  for i = 1, formats.n do
    items[i] = read_item(self, formats[i])
    if items[i] == nil then
      break
    end
  end
  return table.unpack(items, 1, formats.n)
end

function Reader:lines(format)
  check_open(self)
  return function()
    return (read_item(self, format or "l"))
  end
end

function Reader:close()
  check_open(self)
  self.closed = true
  return outcome(self.result)
end

function Reader:write()
  check_open(self)
  return nil, "this file is open for reading", 9
end

function Reader:flush()
  return self
end

function Reader.setvbuf()
  return true
end

local Writer = { read = function() return nil, "this file is open for writing", 9 end,
  flush = Reader.flush, setvbuf = Reader.setvbuf }
Writer.__index = Writer

function Writer:write(...)
  check_open(self)
  for _, word in ipairs { ... } do
    self.size = self.size + #tostring(word)
    if self.size > POPEN_BYTES then
      return nil, "more than 4 MiB for a program's input", 27
    end
    self.parts[#self.parts + 1] = tostring(word)
  end
  return self
end

-- Runs the program, which reads what was written, and waits for its end.
function Writer:close()
  check_open(self)
  self.closed = true
  local result, err = exec.run({ "/bin/sh", "-c", self.command, stdin = table.concat(self.parts) })
  if not result then
    return nil, err
  end
  log_lines(result.stdout)
  log_lines(result.stderr)
  return outcome(result)
end

--- io.popen of a trigger. With mode "r" it waits until the program has ended, and 4 MiB of
-- its output can be read. With mode "w" the program runs when the file is closed, which waits.
function files.popen(command, mode)
  mode = mode or "r"
  if mode ~= "r" and mode ~= "w" then
    error("bad argument #2 to 'popen' (invalid mode)", 2)
  elseif mode == "w" then
    return setmetatable({ command = tostring(command), parts = {}, size = 0 }, Writer)
  end
  local result, err = exec.read { "/bin/sh", "-c", tostring(command) }
  if not result then
    return nil, err
  end
  log_lines(result.stderr)
  return setmetatable({ text = result.stdout, at = 1, result = result }, Reader)
end

--- Makes io.stdout and io.stderr of a trigger: each line that it writes becomes a line of the log.
function files.console()
  local console = { flush = Reader.flush, setvbuf = Reader.setvbuf, close = function() return true end }
  function console:write(...)
    local words = table.pack(...)
    for i = 1, words.n do
      words[i] = tostring(words[i])
    end
    log_lines(table.concat(words))
    return self
  end
  function console.read()
    return nil, "this file is open for writing", 9
  end
  function console.lines()
    error("this file is open for writing", 2)
  end
  return console
end

--- Makes io.stdin of a trigger: an empty file.
function files.no_input()
  return setmetatable({ text = "", at = 1, result = { code = 0 } }, Reader)
end

return files
