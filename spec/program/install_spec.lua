-- make install: what is there afterwards. Nothing is built that is there already.
local installed = require "spec.support.installed"
local proc = require "spec.support.proc"
local texts = require "spec.support.texts"

local run = installed.run

local function lines_of(text)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  table.sort(lines)
  return lines
end

describe("make install", function()
  it("puts the program, the triggers and the Lua where they belong", function()
    local dir = installed.dir()
    local want = { "755 usr/bin/plusmoin", "644 etc/logrotate.d/plusmoin", "644 usr/lib/sysusers.d/plusmoin.conf",
      "644 usr/lib/systemd/system/plusmoin.service", "644 usr/share/bash-completion/completions/plusmoin",
      "644 usr/share/man/man5/plusmoin.conf.5", "644 usr/share/man/man7/plusmoin-lua.7",
      "644 usr/share/man/man8/plusmoin.8" }
    for _, one in ipairs(texts.all()) do
      want[#want + 1] = one.path:find("^conf/man/") and "644 usr/share/man/man7/" .. one.path:match("([^/]+)%.md$")
        or nil
    end
    for _, name in ipairs { "LICENSE", "README.md", "examples/plusmoin.json", "examples/plusmoin.lua",
      "examples/setuid-triggers.conf", "examples/prometheus-rules.yml", "examples/grafana.json" } do
      want[#want + 1] = "644 usr/share/doc/plusmoin/" .. name
    end
    for _, name in ipairs { ".luarc.json", "configuration.lua", "events.lua", "plusmoin.lua", "triggers.lua" } do
      want[#want + 1] = "644 usr/share/plusmoin/lua-types/" .. name
    end
    for _, path in ipairs(lines_of(run("find", "lua/plusmoin", "-name", "*.lua"))) do
      want[#want + 1] = "644 usr/share/lua/5.4/" .. path:gsub("^lua/", "")
    end
    for _, path in ipairs(lines_of(run("find", "triggers", "-type", "f"))) do
      want[#want + 1] = (path:find("/sh/", 1, true) and "755" or "644") .. " usr/share/plusmoin/" .. path
    end
    table.sort(want)
    assert.same(want, lines_of(run("find", dir, "-type", "f", "-printf", "%m %P\\n")))
  end)

  it("brings plusmoin.testing for plain busted: README's spec of README's trigger", function()
    local dir, place = installed.dir(), proc.new_dir("user")
    local files = 0
    for _, language in ipairs { "lua", "lua spec" } do
      for _, block in ipairs(texts.blocks(language, "README.md")) do
        local name = block.text:match("^%-%- (page[%w_]*%.lua)")
        if name then
          proc.write_file(place .. "/" .. name, block.text)
          files = files + 1
        end
      end
    end
    assert.equal(2, files)
    local share = dir .. "/usr/share/lua/5.4/"
    local code, out, err = proc.run({ "busted", "--lua=lua5.4", "page_spec.lua" }, { cwd = place,
      env = { LUA_PATH = share .. "?.lua;" .. share .. "?/init.lua;;" } })
    assert.equal(0, code, out .. err)
    assert.truthy(out:find("1 success", 1, true), out)
  end)

  it("fails when a file in the middle cannot be put there", function()
    local dir = proc.new_dir("install")
    run("mkdir", "-p", dir .. "/share/lua/5.4/plusmoin")
    proc.write_file(dir .. "/share/lua/5.4/plusmoin/config", "in the way")
    local ok, message = pcall(installed.make, "DESTDIR=", "prefix=" .. dir)
    assert.is_false(ok)
    assert.truthy(message:find("exit 2", 1, true), message)
  end)
end)
