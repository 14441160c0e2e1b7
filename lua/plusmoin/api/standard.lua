-- The rows of standard functions that do something else in a trigger than Lua's own, or are refused; those that wait
-- are in waiting.lua (lua/plusmoin/api.lua says what a row has). lua/plusmoin/sandbox.lua changes the functions.
local function standard(name, doc, example, more)
  local row = { name = name, kind = "function", standard = true, doc = doc, example = example }
  for key, value in pairs(more or {}) do
    row[key] = value
  end
  return row
end

local REFUSED = { refused = true }

return {
  standard("print", "print writes a line into plusmoin's log, as pm.log.info does.", [[
print("a line", 1, nil)
]]),
  standard("warn", "warn writes a line into plusmoin's log, as pm.log.warning does.", [[
warn("a ", "line")
]]),
  standard("io.write", "io.write writes lines into plusmoin's log, and so do io.stdout and io.stderr.", [[
io.write("a line\n")
io.stderr:write("another one\n")
]]),
  standard("io.read", "io.read raises an error, and so do io.input and io.output: a trigger has no stdin.", [[
assert(not pcall(io.read))
]], REFUSED),
  standard("os.exit", "os.exit raises an error: a trigger returns, or raises an error of its own.", [[
assert(not pcall(os.exit))
]], REFUSED),
  standard("os.setlocale", "os.setlocale raises an error: it would change the whole daemon.", [[
assert(not pcall(os.setlocale, "C"))
]], REFUSED),
  standard("load", "load, loadfile and dofile take text only: bytecode raises an error.", [[
assert(load("return 1 + 1")() == 2)
assert(not pcall(load, "return 1", "name", "b"))
]]),
  standard("require", "require finds a module as Lua does, and first where `lua.path` says; its body cannot wait, "
    .. "and what it "
    .. "has "
    .. "found stays until a reload.", [[
assert(require "plusmoin" == pm)
]]),
  standard("package.loadlib", "package.loadlib is not there: require opens the libraries that are installed.", [[
assert(package.loadlib == nil)
]], REFUSED),
  standard("coroutine.wrap", "coroutine.wrap and coroutine.resume pass on what waits: code in a coroutine may wait, "
    .. "too.",
    [[
local step = coroutine.wrap(function()
  pm.sleep(0.01)
  coroutine.yield("waited")
end)
assert(step() == "waited")
]]),
  standard("setmetatable", "setmetatable raises an error for a metatable with __gc.", [[
assert(not pcall(setmetatable, {}, { __gc = print }))
]]),
  standard("collectgarbage", "collectgarbage knows \"collect\", \"step\" and \"count\", and raises an error for all "
    .. "else.", [[
assert(collectgarbage("count") > 0)
assert(not pcall(collectgarbage, "stop"))
]]),
  standard("debug.traceback", "debug.traceback and debug.getinfo are all of debug that a trigger has.", [[
assert(debug.traceback():find("traceback"))
assert(debug.sethook == nil)
]]),
  standard("_G", "A running trigger raises an error when it writes a global or a field of a library: what it keeps "
    .. "is local, "
    .. "an upvalue, or in pm.state.", [[
assert(not pcall(function() _G.counter = 1 end))
]], { kind = "table", refused = true }),
}
