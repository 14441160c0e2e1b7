-- What an installation brings besides the program: the unit, the user, the rotation of
-- logs, the manual, completion.
local api = require "plusmoin.api"
local settings = require "plusmoin.settings"
local verbs = require "plusmoin.verbs"
local installed = require "spec.support.installed"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local texts = require "spec.support.texts"

local uv = proc.uv

local UNIT = "/usr/lib/systemd/system/plusmoin.service"
local EXPOSURE = 1.5 -- systemd-analyze's measure, 0 to 10; 1.3 with systemd 252

-- Runs a command as the one who runs the tests: exit code and all it printed.
local function run(...)
  local code, out, err = proc.run({ ... }, { as_root = true, seconds = 60 })
  return code, out .. err
end

local function verify(root)
  return { run("systemd-analyze", "--root=" .. root, "--man=no", "--recursive-errors=no", "verify",
    "plusmoin.service") }
end

local function exposure(root)
  local code, out = run("systemd-analyze", "--root=" .. root, "security", "--offline=true", "--no-pager",
    "plusmoin.service")
  return assert(tonumber(out:match("exposure level for plusmoin%.service: ([%d.]+)")), out), code
end

describe("the unit", function()
  it("is nothing that systemd complains of, and hardened", function()
    assert.same({ 0, "" }, verify(installed.dir()))
    local level = exposure(installed.dir())
    assert.is_true(level <= EXPOSURE, "exposure " .. level)
  end)

  it("starts what the prefix has", function()
    local dir = proc.new_dir("prefix")
    local path = "/lib/systemd/system/plusmoin.service"
    -- the recipe alone: another prefix would build anew
    local recipe = installed.run("make", "-n", "install", "DESTDIR=" .. dir, "prefix=/opt/pm")
    local line = assert(recipe:match("[^\n]*" .. (path:gsub("%p", "%%%0")) .. "[^\n]*\n[^\n]*"))
    installed.run("sh", "-c", line)
    local text = assert(proc.read_file(dir .. "/opt/pm" .. path))
    assert.truthy(text:find("\nExecStart=/opt/pm/bin/plusmoin start -x\n", 1, true), text)
    assert.truthy(text:find("\nExecReload=/opt/pm/bin/plusmoin reload\n", 1, true))
    assert.is_nil(text:find("/usr/bin/plusmoin", 1, true))
  end)

  it("is loosened for setuid programs by the drop-in", function()
    local root = proc.new_dir("dropin")
    local function put(from, to)
      installed.run("install", "-D", "-m", "0755", installed.dir() .. from, root .. to)
    end
    put("/usr/bin/plusmoin", "/usr/bin/plusmoin")
    put(UNIT, "/etc/systemd/system/plusmoin.service")
    put("/usr/share/doc/plusmoin/examples/setuid-triggers.conf", "/etc/systemd/system/plusmoin.service.d/setuid.conf")
    installed.run("chmod", "-R", "-x+X", root .. "/etc")
    assert.same({ 0, "" }, verify(root))
    -- each of these implies NoNewPrivileges for a unit with User= (systemd.exec(5))
    local dropin = installed.read("/usr/share/doc/plusmoin/examples/setuid-triggers.conf")
    for _, key in ipairs { "LockPersonality", "MemoryDenyWriteExecute", "PrivateDevices", "ProtectClock",
      "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces",
      "RestrictRealtime", "RestrictSUIDSGID", "NoNewPrivileges", "PrivateUsers" } do
      assert.truthy(dropin:find("\n" .. key .. "=no\n", 1, true), key)
    end
    for _, key in ipairs { "RestrictAddressFamilies", "SystemCallArchitectures", "SystemCallFilter" } do
      assert.truthy(dropin:find("\n" .. key .. "=\n", 1, true), key)
    end
  end)
end)

describe("the user", function()
  it("is made by systemd-sysusers", function()
    local root = proc.new_dir("users")
    installed.run("mkdir", root .. "/etc")
    local code, out = run("systemd-sysusers", "--root=" .. root,
      installed.dir() .. "/usr/lib/sysusers.d/plusmoin.conf")
    assert.equal(0, code, out)
    local user = (proc.read_file(root .. "/etc/passwd") or ""):match("plusmoin:[^\n]*")
    assert.truthy(user:find("/var/lib/plusmoin:/usr/sbin/nologin", 1, true), user)
    assert.truthy(proc.read_file(root .. "/etc/group"):find("plusmoin:", 1, true))
  end)
end)

describe("the log's rotation", function()
  local LOGROTATE = "/usr/sbin/logrotate"

  -- The installed file, for a daemon of these tests: code and output of `logrotate options`.
  local function rotation(daemon)
    local group = proc.must({ "id", "-gn", proc.user }):match("%S+")
    local text = installed.read("/etc/logrotate.d/plusmoin")
    local users
    text = text:gsub("/var/log/plusmoin/", daemon.dir .. "/")
    text = text:gsub("/usr/bin/plusmoin reload", plusmoin.binary() .. " -c " .. daemon.config_path .. " reload")
    text, users = text:gsub("plusmoin plusmoin\n", proc.user .. " " .. group .. "\n")
    assert.equal(2, users)
    local path = daemon.dir .. "/rotation"
    proc.write_file(path, text)
    if proc.is_root then
      assert(uv.fs_chown(path, 0, 0))
    end
    return function(...)
      return run(LOGROTATE, "-s", daemon.dir .. "/rotation.state", ..., path)
    end
  end

  after_each(scene.finish)

  it("gives the running daemon a new log of its mode", function()
    local daemon = plusmoin.new {}
    assert.equal(0, (daemon:daemonize()))
    local logrotate = rotation(daemon)
    local code, out = logrotate("-d")
    assert.equal(0, code, out)
    assert.is_nil(out:find("error", 1, true), out)
    local log = daemon.config.log_file
    local function has_line()
      return #(proc.read_file(log) or "") > 0
    end
    proc.wait_for("a line in the log (an empty one is not rotated)", 10, has_line,
      function() return daemon:diagnose() end)
    local before = assert(uv.fs_stat(log))
    code, out = logrotate("-f")
    assert.same({ 0, "" }, { code, out })
    local after = assert(uv.fs_stat(log))
    assert.not_equal(before.ino, after.ino)
    assert.equal(before.ino, assert(uv.fs_stat(log .. ".1")).ino)
    assert.equal(before.uid, after.uid)
    assert.equal("640", ("%o"):format(after.mode & 511))
    proc.wait_for("a line in the new log", 10, has_line, function() return daemon:diagnose() end)
  end)

  it("does not fail where no daemon runs, and no log is", function()
    local daemon = plusmoin.new {}
    local logrotate = rotation(daemon)
    assert.same({ 0, "" }, { logrotate("-f") })
    proc.write_file(daemon.config.log_file, "a line\n")
    assert.same({ 0, "" }, { logrotate("-f") })
    assert.equal("a line\n", proc.read_file(daemon.config.log_file .. ".1"))
  end)
end)

describe("the manual", function()
  -- The page as people see it, in one line, so that no line break is in the way.
  local function page(path)
    local code, out, err = proc.run({ "groff", "-man", "-ww", "-Tascii", "-P-c", "-P-b", "-P-u", "-rLL=1000n",
      installed.dir() .. path }, { as_root = true })
    assert.same({ 0, "" }, { code, err })
    return out
  end

  local function has_term(text, term)
    return text:find("\n *" .. term:gsub("%p", "%%%0") .. "[ \n]") ~= nil
  end

  it("has every setting in plusmoin.conf(5)", function()
    local text = page("/usr/share/man/man5/plusmoin.conf.5")
    for _, row in ipairs(settings.rows) do
      assert.is_true(has_term(text, row.name), row.name)
      assert.truthy(text:find(row.doc:gsub("`", ""), 1, true), row.doc)
    end
  end)

  it("has every function, field and word of the API in plusmoin-lua(7)", function()
    local text = page("/usr/share/man/man7/plusmoin-lua.7")
    local flat = text:gsub("%s+", " ")
    local function plain(words)
      return (words:gsub("`", ""):gsub("%s+", " "):gsub(" $", ""))
    end
    for _, row in ipairs(api.rows) do
      assert.is_true(has_term(text, api.call(row)), row.name)
      for _, words in ipairs { row.doc, row.example, table.unpack(row.more or {}) } do
        assert.truthy(flat:find(plain(words), 1, true), words)
      end
      for _, list in ipairs { row.params or {}, row.returns or {} } do
        for _, one in ipairs(list) do
          for _, field in ipairs(one.fields or { one }) do
            assert.truthy(text:find(" " .. (field.list or field.name):match("^[%w_.]+")), row.name)
            assert.truthy(flat:find(plain(field.doc or ""), 1, true), field.doc)
          end
        end
      end
    end
    for _, row in ipairs(api.words) do
      for _, value in ipairs(row.values) do
        assert.truthy(flat:find(value, 1, true), value)
      end
    end
  end)

  it("has the pages of conf/man, with all their headings and the rows of their tables", function()
    for _, one in ipairs(texts.all()) do
      local name = one.path:match("^conf/man/(.+)%.md$")
      local text = name and page("/usr/share/man/man7/" .. name)
      for title in (name and one.text or ""):gmatch("\n##+ ([^\n]+)") do
        assert.truthy(text:find("\n *" .. title:gsub("`", ""):gsub("%p", "%%%0") .. "\n"), title)
      end
      for cell in (name and one.text or ""):gmatch("\n| `([%w_]+)` |") do
        assert.is_true(has_term(text, cell), cell)
      end
    end
  end)

  it("has every verb of --help in plusmoin(8), and no other", function()
    local text = page("/usr/share/man/man8/plusmoin.8")
    local _, help = run(installed.dir() .. "/usr/bin/plusmoin", "--help")
    local told = {}
    for verb in help:gmatch("\n  (%l[%l-]*)") do
      told[verb] = true
      assert.is_true(has_term(text, verb), verb)
    end
    for _, row in ipairs(verbs.rows) do
      assert.is_true(told[row.name], row.name .. " is not in --help")
      told[row.name] = nil
    end
    assert.same({}, told)
    for option in help:match("\n.*"):gmatch("\n  (%-[%a])") do
      assert.truthy(text:find(option, 1, true), option)
    end
    for _, row in ipairs(settings.below("triggers.")) do
      assert.is_true(has_term(text, settings.key(row)), row.name)
    end
  end)
end)

describe("bash's completion", function()
  local SCRIPT = [[
set -eu
. "$1"
shift
complete -p plusmoin >&2
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_plusmoin
printf '%s\n' "${COMPREPLY[@]}"
]]

  -- What it offers after these words, sorted; the last one is where the cursor is.
  local function offers(...)
    local code, out, err = proc.run({ "bash", "-c", SCRIPT, "-",
      installed.dir() .. "/usr/share/bash-completion/completions/plusmoin", "plusmoin", ... }, { as_root = true })
    assert.equal(0, code, err)
    assert.equal("complete -F _plusmoin plusmoin\n", err)
    local words = {}
    for word in out:gmatch("[^\n]+") do
      words[#words + 1] = word
    end
    table.sort(words)
    return words
  end

  local function sorted(list)
    table.sort(list)
    return list
  end

  it("offers the verbs, until one stands", function()
    local names = {}
    for i, row in ipairs(verbs.rows) do
      names[i] = row.name
    end
    assert.same(sorted(names), offers(""))
    assert.same({ "start", "status", "stop" }, offers("st"))
    assert.same({ "reload" }, offers("-c", "start", "rel"))
    assert.same({}, offers("status", ""))
    assert.same({ "kill" }, offers("runs", ""))
    assert.same({}, offers("runs", "kill", ""))
  end)

  it("offers the options of the verb, and the common ones", function()
    for _, row in ipairs(verbs.rows) do
      local want = { "-c", "-h", "--help", "--version", table.unpack(row.options) }
      assert.same(sorted(want), offers(row.name, "-"), row.name)
    end
    assert.same({ "--help", "--json", "--version" }, offers("--"))
    assert.same({ "start" }, offers("-x", "")) -- the one it goes with
  end)

  it("offers files after -c", function()
    local dir = proc.new_dir("complete")
    for _, name in ipairs { "one.json", "two words.lua", "three" } do
      proc.write_file(dir .. "/" .. name, "")
    end
    assert.same({ dir .. "/one.json", dir .. "/three", dir .. "/two words.lua" }, offers("status", "-c", dir .. "/"))
    assert.same({ dir .. "/two words.lua" }, offers("-c", dir .. "/tw"))
    assert.same({ dir .. "/two words.lua" }, offers("run-trigger", dir .. "/tw"))
    assert.same({ "slave_down", "slave_up" }, offers("run-trigger", "slave_"))
    proc.must { "mkdir", dir .. "/threads" }
    assert.same({ dir .. "/threads" }, offers("lua-types", dir .. "/thr")) -- directories alone
  end)
end)
