-- What is said when a trigger file is wrong; modules; the settings of Lua.
local loading = require "spec.support.loading"

local assert_error = loading.assert_error
local assert_part = loading.assert_part
local call = loading.call
local entry = loading.entry
local load_json = loading.json
local load_lua = loading.lua
local make_directory = loading.make_directory
local write = loading.write

-- What a file holds, and the rest of the error it gives.
local BAD_FILES = {
  { "return 5", ": returns a number; allowed: a function, or {run = function, timeout = seconds}" },
  { "return 'rm -rf'", ": returns a string; allowed: a function, or {run = function, timeout = seconds}" },
  { "", ": returns nothing; allowed: a function, or {run = function, timeout = seconds}" },
  { "return {print}", ": returns a list; allowed: a function, or {run = function, timeout = seconds}" },
  { "return setmetatable({}, {__call = print})",
    ": returns a table with a metatable; allowed: a function, or {run = function, timeout = seconds}" },
  { "return {}", ": run: is missing; allowed: a function" },
  { "return {run = 'x'}", ": run: a string is no function; allowed: a function" },
  { "return {run = print, timeuot = 5}",
    ': timeuot: unknown key; the nearest known key is "timeout"; allowed: run, timeout' },
  { "return {run = print, settings = {}}",
    ': settings: unknown key; the nearest known key is "run"; allowed: run, timeout' },
  { "\n\nreturn function( end", ":3: <name> or '...' expected near 'end'" },
  { "return function()", ":1: 'end' expected near <eof>" },
  { "\nlocal a = nil + 1", ":2: attempt to perform arithmetic on a nil value" },
  { "\nerror 'needs a \"to\"'", ':2: needs a "to"' },
  { "error('two\\nlines\27[1m', 0)", ": two lines\\x1b[1m" },
  { "error({})", ": raised table instead of a message" },
  { "error()", ": raised nil instead of a message" },
  { "local s = ... return s.a.b", ":1: attempt to index a nil value (field 'a')" },
  { "coroutine.yield()", ": attempt to yield from outside a coroutine" },
}

describe("a trigger file", function()
  before_each(loading.setup)
  after_each(loading.teardown)

  for _, case in ipairs(BAD_FILES) do
    it(("is refused: %q"):format(case[1]):gsub("\n", " "), function()
      write("x.lua", case[1])
      assert_error(entry '[\n{"lua":"x.lua"}]', "DIR/c.json:3: triggers.master_up[1].lua: DIR/x.lua" .. case[2])
      local result = load_lua "t.triggers.master_up = {lua = 'x.lua'}"
      assert_error(result, "DIR/c.lua: triggers.master_up.lua: DIR/x.lua" .. case[2])
    end)
  end

  it("is text, never bytecode", function()
    write("x.lua", string.dump(function() return print end))
    assert_part(entry '{"lua": "x.lua"}', "DIR/c.json:2: triggers.master_up.lua: DIR/x.lua: ")
    assert_part(entry '{"lua": "x.lua"}', "attempt to load a binary chunk")
  end)

  it("may begin with #! or a mark, keeps its lines, and knows its name", function()
    write("x.lua", "\xEF\xBB\xBF#!/usr/bin/lua5.4\nreturn function() return debug.getinfo(1, 'S').source end")
    assert.equal("@" .. loading.dir .. "/x.lua", call(entry '{"lua": "x.lua"}'))
    write("x.lua", "#!/usr/bin/lua5.4\nerror 'no'")
    assert_part(entry '{"lua": "x.lua"}', "DIR/x.lua:2: no")
  end)

  it("is named in full, however long its name, and its modules too", function()
    local long = ("n"):rep(70)
    make_directory(long)
    write(long .. "/x.lua", "require 'plm_raises'")
    write(long .. "/plm_raises.lua", "\nerror 'oh no'")
    assert_error(entry(('{"lua": "%s/x.lua"}'):format(long)),
      ("DIR/c.json:2: triggers.master_up.lua: DIR/%s/x.lua: DIR/%s/plm_raises.lua:2: oh no"):format(long, long))
    write(long .. "/x.lua", "error 'oh no'")
    assert_part(entry(('{"lua": "%s/x.lua"}'):format(long)), ("lua: DIR/%s/x.lua:1: oh no"):format(long))
  end)

  it("shows but the beginning of an endless message", function()
    write("x.lua", "error(('x'):rep(1e6))")
    assert.is_true(#entry('{"lua": "x.lua"}').errors[1] < 3000)
  end)

  it("is reported with all else that is wrong", function()
    write("x.lua", "error 'one'")
    local result = load_json('{"master_up": {"lua": "x.lua"}, "slave_up": [{"lua": "y.lua"}, {}]}, "heartbeat": 0')
    assert.equal(4, #result.errors)
  end)
end)

describe("modules", function()
  before_each(loading.setup)
  after_each(loading.teardown)

  it("are found beside the configuration, of either kind, also later", function()
    write("plm_a.lua", "return 'a'")
    write("plm_b.lua", "return 'b'")
    write("x.lua", "local a = require 'plm_a'\nreturn function() return a .. require 'plm_b' end")
    assert.equal("ab", call(entry '{"lua": "x.lua"}'))
    assert.equal("ab", call(load_lua "t.triggers.master_up = {lua = 'x.lua'}"))
  end)

  it("are found beside a trigger file elsewhere, but behind the configuration's", function()
    make_directory "share"
    write("share/plm_a.lua", "return 'shared'")
    write("share/x.lua", "return function() return require 'plm_a' end")
    assert.equal("shared", call(entry '{"lua": "x.lua"}'))
    package.loaded.plm_a = nil
    write("plm_a.lua", "return 'own'")
    assert.equal("own", call(entry '{"lua": "x.lua"}'))
  end)

  it("are found where lua.path says, behind the configuration's directory", function()
    make_directory "lib"
    make_directory "far"
    write("lib/plm_a.lua", "return 'lib'")
    write("far/plm_b.lua", "return 'far'")
    write("x.lua", "return function() return require 'plm_a' .. require 'plm_b' end")
    local more = (', "lua": {"path": "lib/?.lua;;%s/far/?.lua"}'):format(loading.dir)
    local result = load_json('{"master_up": {"lua": "x.lua"}}', more)
    assert.equal("libfar", call(result))
    local wanted = ("DIR/?.lua;DIR/?/init.lua;DIR/lib/?.lua;DIR/far/?.lua;"):gsub("DIR", loading.dir)
    assert.equal(wanted, package.path:sub(1, #wanted))
    assert.is_nil((";" .. package.path .. ";"):find(";./?.lua;", 1, true))
  end)

  it("that a Lua configuration's own package.path names stay found", function()
    make_directory "mine"
    write("mine/plm_a.lua", "return function() return 'mine' end")
    assert.equal("mine", call(load_lua(("package.path = package.path .. ';%s/mine/?.lua'\n"):format(loading.dir)
      .. "t.lua = {path = 'lib/?.lua'}\nt.triggers.master_up = require 'plm_a'")))
    assert.is_truthy(package.path:find(loading.dir .. "/mine/?.lua", 1, true))
    assert.is_truthy(package.path:find(loading.dir .. "/lib/?.lua", 1, true))
    assert.same({}, load_lua("package.path = nil").errors)
  end)

  it("that are wrong are errors with their own file and line", function()
    write("x.lua", "require 'plm_a'")
    write("plm_a.lua", "\n\nerror 'oh no'")
    assert_error(entry '{"lua": "x.lua"}',
      "DIR/c.json:2: triggers.master_up.lua: DIR/x.lua: DIR/plm_a.lua:3: oh no")
    write("plm_a.lua", "\nx x")
    assert_part(entry '{"lua": "x.lua"}', "DIR/c.json:2: triggers.master_up.lua: DIR/x.lua: "
      .. "error loading module 'plm_a' from file 'DIR/plm_a.lua': DIR/plm_a.lua:2: syntax error near 'x'")
    write("x.lua", "\nrequire 'plm_none'")
    local result = entry '{"lua": "x.lua"}'
    assert_part(result, "DIR/c.json:2: triggers.master_up.lua: DIR/x.lua:2: module 'plm_none' not found")
    assert.equal(1, #result.errors)
    assert.is_nil(result.errors[1]:find("\n", 1, true))
  end)

  it("are not looked for in a directory whose name is a template", function()
    make_directory "a;b"
    write("a;b/x.lua", "return function() return 'x' end")
    assert.equal("x", call(entry '{"lua": "a;b/x.lua"}'))
    assert.is_nil(package.path:find("a;b", 1, true))
  end)
end)

describe("lua", function()
  before_each(loading.setup)
  after_each(loading.teardown)

  local function load_object(text)
    return load_json("{}", ', "lua": ' .. text)
  end

  it("has its defaults", function()
    for _, text in ipairs { "{}", "null", '{"path": null, "memory_limit": null, "patience": null}' } do
      assert.same({ memory_limit = 64, patience = 5 }, load_object(text).config.lua)
    end
    assert.same({ memory_limit = 64, patience = 5 }, load_json("{}").config.lua)
    assert.same({ memory_limit = 8, patience = 0.5 },
      load_object('{"memory_limit": 8, "patience": 0.5, "path": "a/?.lua"}').config.lua)
    assert.same({ memory_limit = 16384, patience = 86400 },
      load_lua("t.lua = {memory_limit = 16384.0, patience = 86400}").config.lua)
  end)

  for text, part in pairs {
    ["[]"] = "lua: a list where settings of Lua belong; allowed: an object with path, memory_limit, patience",
    ['"x.lua"'] = "lua: a string where settings of Lua belong", ["true"] = "lua: true or false where",
    ['{"memory_limit": 7}'] = "lua.memory_limit: 7 is out of range; allowed: a whole number from 8 to 16384",
    ['{"memory_limit": 16385}'] = "out of range", ['{"memory_limit": 64.5}'] = "lua.memory_limit: 64.5 is not whole",
    ['{"memory_limit": "64"}'] = "a number in quotes", ['{"patience": 0}'] = "lua.patience: 0 is out of range",
    ['{"patience": 86401}'] = "out of range", ['{"path": 5}'] = "lua.path: a number where a string belongs",
    ['{"path": ""}'] = "lua.path: is empty", ['{"path": ["a"]}'] = "lua.path: a list where a string belongs",
    ['{"memory_limt": 64}'] = 'lua.memory_limt: unknown key; the nearest known key is "memory_limit"',
    ['{"heartbeat": 64}'] = "lua.heartbeat: unknown key here; allowed: as a key of the top level",
  } do
    it("refuses " .. text, function()
      local result = load_object(text)
      assert.equal(1, #result.errors)
      assert_part(result, "DIR/c.json:2: lua")
      assert_part(result, part)
    end)
  end

  it("warns of a template that finds nothing", function()
    local result = load_object('{"path": "lib/"}')
    assert.same({}, result.errors)
    assert.equal(loading.dir .. '/c.json:2: lua.path: "lib/" has no ? for the module\'s name; '
      .. 'a directory\'s modules are found by "lib/?.lua"', result.warnings[1])
  end)

  it("sends its keys home", function()
    assert_part(load_json("{}", ', "memory_limit": 5'), "memory_limit: unknown key here; allowed: as a key of lua")
    assert_part(load_json("{}", ', "command": 5'), "command: unknown key here; allowed: as a key of a trigger's entry")
  end)
end)
