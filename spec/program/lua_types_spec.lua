-- `plusmoin lua-types`: the definitions for editors say what there is, and are written where they may be.
local api = require "plusmoin.api"
local api_rows = require "spec.support.api_rows"
local cats = require "spec.support.cats"
local cjson = require "cjson"
local given = require "plusmoin.given"
local has = require "spec.support.has"
local installed = require "spec.support.installed"
local nearest = require "plusmoin.nearest"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local settings = require "plusmoin.settings"

local uv = proc.uv
local FILES = { "configuration.lua", "events.lua", "plusmoin.lua", "triggers.lua" }
local BESIDE = ".plusmoin-lua-types"

-- Runs the verb in a directory: exit status, stdout, stderr.
local function lua_types(cwd, ...)
  return proc.run({ plusmoin.binary(), "lua-types", ... }, { cwd = cwd })
end

local function listing(dir)
  local names = {}
  for name in uv.fs_scandir_next, assert(uv.fs_scandir(dir)) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- What the files in `dir` say together.
local function read_all(dir)
  local read
  for _, name in ipairs(FILES) do
    read = cats.read(assert(proc.read_file(dir .. "/" .. name)), read)
  end
  return read
end

local function own_dir()
  local dir = proc.new_dir("types")
  assert(uv.fs_chmod(dir, tonumber("777", 8)))
  return dir
end

describe("the definitions of lua-types", function()
  local dir, read
  setup(function()
    dir = own_dir()
    assert.equal(0, (lua_types(dir)))
    read = read_all(dir .. "/" .. BESIDE)
  end)
  after_each(scene.finish)

  local function type_text(one, may_fail)
    return one.type .. ((one.optional or may_fail) and "|nil" or "")
  end

  -- The class has these fields, of these types, and no other.
  local function check_class(name, fields)
    local class, count = assert(read.classes[name], name), 0
    for _, field in ipairs(fields) do
      local key = field.name == "[1]" and "[integer]" or field.name
      local found = assert(class.fields[key], name .. "." .. key)
      assert.same({ field.type, field.optional == true }, { found.type, found.optional }, name .. "." .. key)
      assert.is_true(#found.doc > 0, name .. "." .. key)
      count = count + 1
    end
    assert.equal(count, #class.order, name .. ": " .. table.concat(class.order, " "))
  end

  it("know each name of pm, as the table of the API has it, and no other", function()
    local count = 0
    for _, row in ipairs(api.rows) do
      if row.name:find("^pm") then
        local value = assert(read.values[row.name], row.name)
        count = count + 1
        assert.truthy(table.concat(value.words, "\n"):find(row.doc, 1, true), row.name)
        assert.truthy(table.concat(value.words, "\n"):find(row.example, 1, true), row.name)
        for i, param in ipairs(row.params or {}) do
          local is_optional = param.optional == true
          assert.same({ param.name, param.type, is_optional }, { value.params[i].name, value.params[i].type,
            value.params[i].optional }, row.name)
          if param.fields then
            check_class(param.fields_of or param.type, param.fields)
          end
        end
        assert.equal(#(row.params or {}), #value.params, row.name)
        for i, one in ipairs(row.returns or {}) do
          assert.equal(type_text(one, row.fails), value.returns[i].type, row.name)
          if one.fields then
            check_class(one.type, one.fields)
          end
        end
        assert.equal(#(row.returns or {}) + (row.fails and 1 or 0), #value.returns, row.name)
      end
    end
    local found = 0
    for _ in pairs(read.values) do
      found = found + 1
    end
    assert.equal(count, found)
    assert.equal("plusmoin", cats.read(proc.read_file(dir .. "/" .. BESIDE .. "/plusmoin.lua")).module)
  end)

  it("make a pm, when they are run as Lua, that has what the real one has", function()
    local real, names = api_rows.names_of_pm(), {}
    local function walk(name, value)
      names[#names + 1] = name .. " " .. type(value)
      for key, one in pairs(type(value) == "table" and value or {}) do
        walk(name .. "." .. key, one)
      end
    end
    walk("pm", read.result)
    assert.equal("lightuserdata", read.values["pm.json.null"].type)
    names[#names + 1] = "pm.json.null userdata" -- a definition cannot make one
    table.sort(names)
    table.sort(real)
    assert.same(real, names)
  end)

  it("know each field of Event, Node, Cluster, Vote and Trigger, and each word", function()
    for _, class in ipairs(api.rows) do
      if class.kind == "class" then
        local fields = {}
        for i, row in ipairs(api.below(class.name)) do
          fields[i] = { name = api.key(row), type = row.type, optional = row.optional }
        end
        check_class(class.name, fields)
      end
    end
    for _, row in ipairs(api.words) do
      local choices = {}
      for i, value in ipairs(row.values) do
        choices[i] = ("%q"):format(value)
      end
      assert.same(choices, assert(read.aliases[row.name], row.name).choices)
    end
    assert.same({ "fun(event: Event)" }, read.aliases.TriggerFunction.choices)
  end)

  it("know each setting, and no other", function()
    local classes = { [""] = "Configuration", ["nodes[]."] = "NodeSettings", ["triggers."] = "Triggers",
      ["lua."] = "LuaSettings", ["http."] = "HttpSettings", ["monitors."] = "MonitorsSettings" }
    for prefix, name in pairs(classes) do
      local class, rows = assert(read.classes[name], name), settings.below(prefix)
      for _, row in ipairs(rows) do
        local field = assert(class.fields[settings.key(row)], row.name)
        assert.equal(not row.required, field.optional, row.name)
        assert.equal(1, (field.doc:find(row.doc, 1, true)), row.name)
      end
      assert.equal(#rows, #class.order, name)
    end
    for _, row in ipairs(settings.below("triggers.X.")) do
      local key = settings.key(row)
      assert.equal(key ~= "lua" and key ~= "settings", read.classes.CommandEntry.fields[key] ~= nil, key)
      assert.equal(key ~= "command", read.classes.LuaEntry.fields[key] ~= nil, key)
    end
    for name, type in pairs { heartbeat = "number", nodes = "NodeSettings[]", triggers = "Triggers",
      down_after = "integer", http = "HttpSettings", log_level = '"error"|"warning"|"info"|"debug"',
      second_opinion = "boolean" } do
      assert.equal(type, read.classes.Configuration.fields[name].type)
    end
  end)

  it("know the settings of each ready-made trigger as its file declares them", function()
    local code, out, err = proc.run({ "lua5.4", "tests/tools/ready-made.lua" }, { cwd = ".", as_root = true })
    assert.equal(0, code, err)
    assert.equal(proc.read_file("lua/plusmoin/api/ready_made.lua"), out,
      "lua5.4 tests/tools/ready-made.lua --update")
    local entries = {}
    for _, choice in ipairs(read.aliases.TriggerEntry.choices) do
      entries[choice] = true
    end
    for name in uv.fs_scandir_next, assert(uv.fs_scandir("triggers")) do
      local base = name:match("^(.*)%.lua$")
      local class = base and base:sub(1, 1):upper() .. base:sub(2)
      if base then
        assert.is_true(entries[class .. "Entry"], class)
        assert.equal(("%q"):format(name), read.classes[class .. "Entry"].fields.lua.type)
        assert.is_true(#read.classes[class .. "Settings"].order > 0, class)
      end
    end
    assert.equal("string[]", read.classes.EmailSettings.fields.to.type)
    assert.is_false(read.classes.EmailSettings.fields.to.optional)
    assert.equal("table<string, PgbouncerDatabases>", read.classes.PgbouncerSettings.fields.databases.type)
    assert.equal("integer", read.classes.PgbouncerConsole.fields.port.type)
    assert.equal("string", given.type_of { ok = given.is_path })
  end)

  it("name no type that there is not", function()
    local known, all = {}, {}
    for _, kind in ipairs { read.classes, read.aliases } do
      for name in pairs(kind) do
        known[name], all[#all + 1] = true, name
      end
    end
    local function check(where, type)
      for _, name in ipairs(cats.names_in(type)) do
        assert.is_true(known[name], ("%s: %s, nearest %s"):format(where, name, nearest.find(name, all)))
      end
    end
    for name, class in pairs(read.classes) do
      check(name, class.parent or "any")
      for key, field in pairs(class.fields) do
        check(name .. "." .. key, field.type)
      end
    end
    for name, alias in pairs(read.aliases) do
      check(name, table.concat(alias.choices, "|"))
    end
    for name, value in pairs(read.values) do
      for _, list in ipairs { value.params, value.returns } do
        for _, one in ipairs(list) do
          check(name, one.type)
        end
      end
    end
  end)
end)

describe("plusmoin lua-types", function()
  it("writes into the project's directory, with .luarc.json beside", function()
    local dir = own_dir()
    local code, out, err = lua_types(dir)
    assert.same({ 0, "" }, { code, err })
    has(out, BESIDE .. ": 4 files", "./.luarc.json: new")
    assert.same({ ".luarc.json", BESIDE }, listing(dir))
    assert.same(FILES, listing(dir .. "/" .. BESIDE))
    local luarc = cjson.decode(proc.read_file(dir .. "/.luarc.json"))
    assert.same({ BESIDE }, luarc["workspace.library"])
    assert.equal("Lua 5.4", luarc["runtime.version"])
  end)

  it("writes all into DIR, by its absolute name", function()
    local dir = own_dir()
    local code, out, err = lua_types(dir, "new dir/")
    assert.same({ 0, "" }, { code, err })
    has(out, "new dir/.luarc.json: new", "copy it")
    assert.same({ "new dir" }, listing(dir))
    assert.same({ ".luarc.json", table.unpack(FILES) }, listing(dir .. "/new dir"))
    local luarc = cjson.decode(proc.read_file(dir .. "/new dir/.luarc.json"))
    assert.same({ assert(uv.fs_realpath(dir .. "/new dir")) }, luarc["workspace.library"])
  end)

  it("writes over its own files, and never over a .luarc.json", function()
    local dir = own_dir()
    local luarc = dir .. "/.luarc.json"
    assert.equal(0, (lua_types(dir)))
    proc.write_file(dir .. "/" .. BESIDE .. "/plusmoin.lua", "---@meta plusmoin\n-- Made by plusmoin 0.0.1 lua-types\n")
    local code, out, err = lua_types(dir)
    assert.same({ 0, "" }, { code, err })
    has(out, "./.luarc.json: is there already, and names them")
    assert.truthy(proc.read_file(dir .. "/" .. BESIDE .. "/plusmoin.lua"):find("function pm.query", 1, true))
    for text, words in pairs {
      ["{}\n"] = 'stays as it is; add to it: "workspace.library": ["' .. BESIDE .. '"]',
      ['{"workspace": {"library": ["lua"]}}'] = 'add "' .. BESIDE .. '" to its "workspace.library"',
      ["not JSON"] = "stays as it is",
    } do
      proc.write_file(luarc, text)
      code, out, err = lua_types(dir)
      assert.same({ 0, "" }, { code, err })
      has(out, words)
      assert.equal(text, proc.read_file(luarc))
    end
    os.remove(luarc)
    assert(uv.fs_symlink("nowhere", luarc))
    code, out = lua_types(dir)
    assert.equal(0, code)
    has(out, "stays as it is")
    assert.is_nil(uv.fs_stat(dir .. "/nowhere"))
  end)

  it("needs no configuration", function()
    local dir = own_dir()
    local code, _, err = proc.run({ plusmoin.binary(), "-c", dir .. "/none.json", "lua-types" }, { cwd = dir })
    assert.same({ 0, "" }, { code, err })
  end)

  it("says what is in the way, and writes nothing then", function()
    local dir = own_dir()
    proc.write_file(dir .. "/file", "")
    proc.must { "mkdir", dir .. "/config", dir .. "/shut" }
    proc.write_file(dir .. "/config/triggers.lua", "return {}\n")
    local function fails(status, words, ...)
      local code, out, err = lua_types(dir, ...)
      assert.same({ status, "" }, { code, out }, err)
      has(err, words)
    end
    fails(1, "plusmoin: no/such: No such file or directory\n", "no/such")
    fails(1, "plusmoin: file: is a file; allowed: a directory", "file")
    fails(1, "plusmoin: config/triggers.lua: is there already and was not made by lua-types", "config")
    assert.same({ "triggers.lua" }, listing(dir .. "/config"))
    assert.equal("return {}\n", proc.read_file(dir .. "/config/triggers.lua"))
    assert(uv.fs_symlink(dir .. "/file", dir .. "/shut/events.lua"))
    fails(1, "shut/events.lua: is there already", "shut")
    fails(2, "the name of the directory is empty", "")
    fails(2, "one verb is enough: b", "a", "b")
    fails(2, "--json goes with", "--json")
    assert.same({ "config", "file", "shut" }, listing(dir))
  end)

  it("says that it may not write", function()
    local dir = own_dir()
    proc.must({ "chmod", "0555", dir }, { as_root = true })
    local code, _, err = lua_types(dir)
    assert.equal(1, code)
    has(err, BESIDE .. ": Permission denied")
    code, _, err = lua_types("/", dir)
    assert.equal(1, code)
    has(err, dir .. "/plusmoin.lua: Permission denied")
    assert.same({}, listing(dir))
  end)

  it("writes what make install brings", function()
    local dir, place = own_dir(), installed.dir() .. "/usr/share/plusmoin/lua-types"
    assert.equal(0, (lua_types(dir, "types")))
    for _, name in ipairs(FILES) do
      assert.equal(proc.read_file(dir .. "/types/" .. name), proc.read_file(place .. "/" .. name), name)
    end
    assert.same({ "/usr/share/plusmoin/lua-types" },
      cjson.decode(proc.read_file(place .. "/.luarc.json"))["workspace.library"])
  end)
end)
