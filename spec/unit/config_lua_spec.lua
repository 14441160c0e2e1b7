-- Triggers written in Lua, as the loader sees them: functions, files and where they
-- are, settings, timeouts.
local cjson = require "cjson"
local config = require "plusmoin.config"
local loading = require "spec.support.loading"

local actions = loading.actions
local assert_error = loading.assert_error
local assert_part = loading.assert_part
local call = loading.call
local entry = loading.entry
local load_json = loading.json
local load_lua = loading.lua
local make_directory = loading.make_directory
local write = loading.write

describe("a Lua trigger", function()
  before_each(loading.setup)
  after_each(loading.teardown)

  it("is a function of a Lua configuration", function()
    local list = actions(load_lua "t.triggers.master_up = function() return 'mine' end\nt.trigger_timeout = 7")
    assert.equal("mine", list[1].run())
    list[1].run = nil
    local source = loading.dir .. "/c.lua:2"
    assert.same({ { kind = "lua", timeout = 7, path = "triggers.master_up", source = source } }, list)
  end)

  it("is told with its absolute source, wherever it was written", function()
    write("plm_mod.lua", "\n\nreturn function() end")
    local list = actions(load_lua(
      "t.triggers.master_up = {require 'plm_mod', print, load('return 1', '=x'), load 'x()'}"))
    assert.same({ loading.dir .. "/plm_mod.lua:3", "[C]", "x:0", '[string "x()"]:0' },
      { list[1].source, list[2].source, list[3].source, list[4].source })
    write("r.lua", 'return {dbname = "d", user = "u", nodes = {{host = "a"}},\n'
      .. "triggers = {master_up = function() end}}")
    for _, name in ipairs { "r.lua", "./r.lua" } do
      local result = config.load(name, { cwd = loading.dir })
      assert.is_truthy(result.errors[1]:find("cannot be read", 1, true))
    end
    local up = "tmp/../.." .. loading.dir .. "/r.lua"
    local result = config.load(("../"):rep(20) .. up, { cwd = loading.dir })
    assert.same({}, result.errors)
    assert.equal(loading.dir .. "/" .. ("../"):rep(20) .. up .. ":2", result.config.triggers.master_up[1].source)
  end)

  it("is a file beside the configuration, of either kind", function()
    write("x.lua", "return function() return 'x' end")
    for _, result in ipairs { entry '{"lua": "x.lua"}', load_lua 't.triggers.master_up = {lua = "./x.lua"}',
      entry('{"lua": "' .. loading.dir .. '/x.lua"}') } do
      local action, source = actions(result)[1], loading.dir .. "/x.lua:1"
      assert.equal("x", action.run())
      action.run = nil
      assert.same({ kind = "lua", timeout = 60, path = "triggers.master_up", source = source }, action)
    end
  end)

  it("stands in lists with commands, in order", function()
    write("x.lua", "\nreturn function() end")
    local list = actions(entry '[null, "a b", {"lua": "x.lua", "timeout": 2}, {"command": ["c"]}]')
    list[2].run = nil
    assert.same({
      { kind = "command", argv = { "a", "b" }, timeout = 60, path = "triggers.master_up[2]" },
      { kind = "lua", timeout = 2, path = "triggers.master_up[3]", source = loading.dir .. "/x.lua:2" },
      { kind = "command", argv = { "c" }, timeout = 60, path = "triggers.master_up[4]" },
    }, list)
    list = actions(load_lua "t.triggers.master_up = {'a', function() end, {lua = 'x.lua'}, print}")
    assert.same({ "command", "lua", "lua", "lua" }, { list[1].kind, list[2].kind, list[3].kind, list[4].kind })
    assert.equal("triggers.master_up[4]", list[4].path)
  end)

  it("may be all null beside its key", function()
    write("x.lua", "return function() end")
    actions(entry '{"lua": "x.lua", "settings": null, "timeout": null, "command": null}')
    actions(entry '{"command": "a", "lua": null, "settings": null}')
  end)
end)

describe("a trigger file's place", function()
  before_each(loading.setup)
  after_each(loading.teardown)

  it("is beside the configuration before trigger_dir", function()
    make_directory "share"
    write("share/x.lua", "return function() return 'shared' end")
    assert.equal("shared", call(entry '{"lua": "x.lua"}'))
    assert.equal("shared", call(entry '{"lua": "./x.lua"}'))
    assert.equal(loading.dir .. "/share/x.lua:1", actions(entry '{"lua": "x.lua"}')[1].source)
    write("x.lua", "return function() return 'own' end")
    assert.equal("own", call(entry '{"lua": "x.lua"}'))
    make_directory "sub"
    write("sub/y.lua", "return function() return 'below' end")
    assert.equal("below", call(entry '{"lua": "sub/y.lua"}'))
  end)

  it("that holds no file names all that were tried", function()
    assert_error(entry '{"lua": "x.lua"}', 'DIR/c.json:2: triggers.master_up.lua: no such file: tried "DIR/x.lua", '
      .. 'then "DIR/share/x.lua"; allowed: a Lua file that is there')
    assert_part(entry '{"lua": "/nonexistent/x.lua"}', 'no such file: tried "/nonexistent/x.lua"; allowed')
    local path = write("c.json", '{"dbname": "d", "user": "u", "nodes": [{"host": "a"}],'
      .. '"triggers": {"master_up": {"lua": "x.lua"}}}')
    assert_part(config.load(path, { cwd = "/" }), 'no such file: tried "DIR/x.lua"; allowed')
    write("file", "")
    assert_part(entry '{"lua": "file/x.lua"}', 'then "DIR/share/file/x.lua"')
  end)

  it("may not hold what is no readable file; the fallback does not hide that", function()
    make_directory "share"
    write("share/d.lua", "return function() end")
    make_directory "d.lua"
    assert_error(entry '{"lua": "d.lua"}',
      'DIR/c.json:2: triggers.master_up.lua: "DIR/d.lua" cannot be read: Is a directory')
    write("big.lua", "return function() end --" .. ("x"):rep(1048576))
    assert_error(entry '{"lua": "big.lua"}',
      'DIR/c.json:2: triggers.master_up.lua: "DIR/big.lua" is too big; allowed: 1 MiB')
    assert_part(entry '{"lua": "/dev/zero"}', '"/dev/zero" is too big')
  end)

  for value, part in pairs {
    ["5"] = "a number where a string belongs; allowed: a path of a Lua file", ['""'] = "is empty",
    ['"x\\u0000y"'] = "NUL", ['"x\\ny"'] = "control characters", ['"x/"'] = "is a directory",
    ['["x.lua"]'] = "a list where a string belongs", ["true"] = "true or false where a string belongs",
  } do
    it("may not be " .. value, function()
      assert_part(entry('{"lua": ' .. value .. "}"), ":2: triggers.master_up.lua: ")
      assert_part(entry('{"lua": ' .. value .. "}"), part)
    end)
  end
end)

describe("a trigger file's settings", function()
  before_each(loading.setup)
  after_each(loading.teardown)

  it("are its ..., {} when there are none", function()
    write("x.lua", "local settings, more = ...\nassert(more == nil)\nreturn function() return settings end")
    assert.same({ a = { 1, "b", { c = true } }, n = cjson.null },
      call(entry '{"lua": "x.lua", "settings": {"a": [1, "b", {"c": true}], "n": null}}'))
    assert.same({}, call(entry '{"lua": "x.lua"}'))
    assert.same({}, call(entry '{"lua": "x.lua", "settings": {}}'))
    local read = call(entry '{"lua": "x.lua", "settings": {"i": 3, "f": 3.5}}')
    assert.same({ "integer", "float" }, { math.type(read.i), math.type(read.f) })
    assert.same({ "a", 2 }, call(load_lua "t.triggers.master_up = {lua = 'x.lua', settings = {'a', 2}}"))
  end)

  it("are the entry's own, and the file is run for each", function()
    write("x.lua", "local settings = ...\nsettings.n = settings.n + 1\nsettings.deep.n = 5\n"
      .. "return function() return settings end")
    local list = actions(load_lua([[
      local shared = {n = 1, deep = {}, f = print}
      shared.me, shared.object = shared, setmetatable({}, {__index = {a = "b"}})
      t.triggers.master_up = {{lua = "x.lua", settings = shared}, {lua = "x.lua", settings = shared},
        function() return shared end}]]))
    local one, two, three = list[1].run(), list[2].run(), list[3].run()
    assert.same({ 2, 2, 1 }, { one.n, two.n, three.n })
    assert.is_nil(three.deep.n)
    assert.is_true(one ~= two and one.me == one and two.me == two and one.f == print)
    assert.equal("b", one.object.a)
  end)

  for value, part in pairs {
    ["[]"] = "a list where a trigger's settings belong; allowed: an object", ["5"] = "a number where",
    ['"x"'] = "a string where", ["[1]"] = "a list where", ["false"] = "true or false where",
  } do
    it("may not be " .. value, function()
      write("x.lua", "return function() end")
      assert_part(entry('{"lua": "x.lua", "settings": ' .. value .. "}"),
        "DIR/c.json:2: triggers.master_up.settings: " .. part)
    end)
  end

  it("may not be a string or an object with a metatable in Lua", function()
    write("x.lua", "return function() end")
    assert_part(load_lua "t.triggers.master_up = {lua = 'x.lua', settings = 'a'}",
      "DIR/c.lua: triggers.master_up.settings: a string where a trigger's settings belong; allowed: a table")
    assert_part(load_lua "t.triggers.master_up = {lua = 'x.lua', settings = setmetatable({}, {})}",
      "a table with a metatable where a trigger's settings belong")
  end)

  it("that have a syntax error are not given to the file", function()
    write("x.lua", "error 'was run'")
    local result = entry '{"lua": "x.lua", "settings": {"a": 0x10}}'
    assert.equal(1, #result.errors)
    assert_part(result, "hexadecimal")
  end)
end)

describe("a Lua trigger's timeout", function()
  before_each(loading.setup)
  after_each(loading.teardown)

  it("is the configuration's before the file's before trigger_timeout", function()
    write("none.lua", "return {run = function() end}")
    write("own.lua", "return {run = function() return 'run' end, timeout = 0.5}")
    local list = actions(load_json([[{"master_up": [{"lua": "none.lua"}, {"lua": "own.lua"},
      {"lua": "own.lua", "timeout": 3}, {"lua": "none.lua", "timeout": 4}]}, "trigger_timeout": 9]]))
    assert.same({ 9, 0.5, 3, 4 }, { list[1].timeout, list[2].timeout, list[3].timeout, list[4].timeout })
    assert.equal("run", list[2].run())
    assert.equal(loading.dir .. "/own.lua:1", list[2].source)
  end)

  it("must be in range, in the configuration and in the file", function()
    write("x.lua", "return {run = function() end, timeout = 1}")
    assert_part(entry '{"lua": "x.lua", "timeout": 0}', "DIR/c.json:2: triggers.master_up.timeout: 0 is out of range")
    for value, part in pairs {
      ["0"] = "0 is out of range", ["86401"] = "86401 is out of range", ["0/0"] = "out of range",
      ["'5'"] = "a number in quotes", ["true"] = "true is no number", ["{}"] = "a table is no number",
    } do
      write("x.lua", "return {run = function() end, timeout = " .. value .. "}")
      assert_part(entry '{"lua": "x.lua", "timeout": 5}', "DIR/c.json:2: triggers.master_up.lua: DIR/x.lua: timeout: ")
      assert_part(entry '{"lua": "x.lua"}', part)
    end
  end)
end)

local ENTRY = '{"command": ..., "timeout": s} or {"lua": FILE, "settings": {}, "timeout": s}'

describe("a trigger's entry", function()
  before_each(loading.setup)
  after_each(loading.teardown)

  for text, wanted in pairs {
    ['{"command": "a", "lua": "x.lua"}'] = ": holds both command and lua; "
      .. "allowed: one of them; a list runs several, in order",
    ['{"timeout": 5}'] = ": holds neither command nor lua; allowed: " .. ENTRY,
    ["{}"] = ": holds neither command nor lua; allowed: " .. ENTRY,
    ['{"command": "a", "settings": {}}'] = ".settings: settings without lua: a command gets none; allowed: " .. ENTRY,
    ['{"lua": "x.lua", "setings": {}}'] = '.setings: unknown key; the nearest known key is "settings"; '
      .. "allowed: command, lua, settings, timeout, rerun, alone",
  } do
    it("refuses " .. text, function()
      write("x.lua", "return function() end")
      assert_error(entry(text), "DIR/c.json:2: triggers.master_up" .. wanted)
    end)
  end

  it("refuses settings alone once", function()
    assert_part(entry '{"settings": {}}', "triggers.master_up: holds neither command nor lua")
  end)

  it("is no {run = function}, and no callable object", function()
    local result = load_lua "t.triggers.master_up = {{run = print, timeout = 5}}"
    assert.equal(2, #result.errors)
    assert_part(result, 'triggers.master_up[1].run: unknown key; the nearest known key is "lua"')
    assert_part(result, "triggers.master_up[1]: holds neither command nor lua")
    assert_part(load_lua "t.triggers.master_up = setmetatable({}, {__call = print})", "a table with a metatable")
  end)

  it("is named in what an event may be", function()
    assert_part(entry "5", 'triggers.master_up: a number where a trigger belongs; allowed: a command line, '
      .. '{"command": ...}, {"lua": ...}, a Lua function (in a Lua configuration), a list of these, or null')
  end)
end)
