-- A directory for one test of the loader, with the files that the test writes into
-- it, and what all specs of Lua triggers ask of a load.
local assert = require "luassert"
local cjson = require "cjson"
local config = require "plusmoin.config"

local loading = { dir = nil }

local package_path

--- Before each test: makes the directory, loading.dir.
function loading.setup()
  package_path = package.path
  loading.dir = os.tmpname()
  os.remove(loading.dir)
  assert(os.execute("mkdir " .. loading.dir))
end

--- After each test: removes it, and forgets modules whose names begin with plm_.
function loading.teardown()
  package.path = package_path
  assert(loading.dir:find("^/tmp/lua_%w+$"))
  os.execute("rm -r " .. loading.dir)
  for name in pairs(package.loaded) do
    if name:find("^plm_") then
      package.loaded[name] = nil
    end
  end
end

--- Writes a file below the directory and returns its path.
function loading.write(name, text)
  local path = loading.dir .. "/" .. name
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

function loading.make_directory(name)
  assert(os.execute(("mkdir '%s/%s'"):format(loading.dir, name)))
end

local function load_file(path)
  return config.load(path, { cwd = "/", trigger_dir = loading.dir .. "/share" })
end

--- Loads the JSON configuration c.json whose triggers are `triggers`, in line 2;
-- `more` stands behind them.
function loading.json(triggers, more)
  return load_file(loading.write("c.json", '{"dbname": "d", "user": "u", "nodes": [{"host": "a"}],\n"triggers": '
    .. triggers .. (more or "") .. "}"))
end

--- Loads the Lua configuration c.lua; `body`, from line 2, fills in its table t.
function loading.lua(body)
  return load_file(loading.write("c.lua",
    'local t = {dbname = "d", user = "u", nodes = {{host = "a"}}, triggers = {}}\n' .. body .. "\nreturn t"))
end

--- Loads a JSON configuration with this trigger for master_up.
function loading.entry(text)
  return loading.json('{"master_up": ' .. text .. "}")
end

--- The actions of master_up of a load that must be good.
function loading.actions(result)
  assert.same({}, result.errors)
  assert.same({}, result.warnings)
  return result.config.triggers.master_up
end

--- The only action of a good load, called; returns what it returns.
function loading.call(result)
  local list = loading.actions(result)
  assert.equal(1, #list)
  return list[1].run()
end

--- The load gave this one error; DIR in `wanted` is the test's directory.
function loading.assert_error(result, wanted)
  assert.is_nil(result.config)
  assert.same({ (wanted:gsub("DIR", loading.dir)) }, result.errors)
end

--- The load failed, and `part` stands in its errors.
function loading.assert_part(result, part)
  assert.is_nil(result.config)
  local all = table.concat(result.errors, "\n")
  assert.is_truthy(all:find(part:gsub("DIR", loading.dir), 1, true), all)
end

--- Loads a configuration of these keys beside the least that one needs, with that environment (config.load()).
function loading.object(keys, env)
  local object = { dbname = "d", user = "u", nodes = { { host = "a" } } }
  for key, value in pairs(keys) do
    object[key] = value
  end
  return config.load(loading.write("c.json", cjson.encode(object)), env)
end

--- The load gave one error, in line 1 at a key that begins so; `part` stands in it, and what is allowed. Returns it.
function loading.assert_key_error(result, key, part)
  assert.is_nil(result.config)
  assert.equal(1, #result.errors, table.concat(result.errors, "\n"))
  for _, words in ipairs { "1: " .. key, part, "allowed: " } do
    assert.is_truthy(result.errors[1]:find(words, 1, true), result.errors[1])
  end
  return result.errors[1]
end

--- The load is good and gave one warning, in which `part` stands.
function loading.assert_warning(result, part)
  assert.same({}, result.errors)
  assert.equal(1, #result.warnings, table.concat(result.warnings, "\n"))
  assert.is_truthy(result.warnings[1]:find(part, 1, true), result.warnings[1])
end

return loading
