-- What systemd is told, played by a datagram socket; and the journal's priorities.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

-- A listener: its socket's path, and a function that gives all it heard.
local function listener()
  local dir = proc.new_dir("notify")
  local path = dir .. "/socket"
  proc.must({ os.getenv("CC") or "gcc", "-O1", "-o", dir .. "/notified", "spec/support/notified.c" },
    { as_root = true, cwd = "." })
  local process = proc.spawn({ dir .. "/notified", path })
  proc.wait_for("its socket", 5, function() return uv.fs_stat(path) end)
  return path, function() return process:out() end, process
end

local function count(text, part)
  return select(2, text:gsub(part:gsub("%p", "%%%0"), ""))
end

describe("systemd", function()
  after_each(scene.finish)

  it("is told of readiness, status, reloads, the end, and that the loop turns", function()
    local path, heard, process = listener()
    local daemon, master, slaves = scene.start { slaves = 1, env = { NOTIFY_SOCKET = path, WATCHDOG_USEC = "200000" } }
    local function wait(what, fn)
      proc.wait_for(what, 10, fn, function() return heard() .. daemon:diagnose() end)
    end
    wait("its status", function() return heard():find("[STATUS=1 clusters, 1 slaves, 0 lost]", 1, true) end)
    assert.equal(1, count(heard(), "READY=1"))
    local before = count(heard(), "WATCHDOG=1")
    wait("ten more signs", function() return count(heard(), "WATCHDOG=1") >= before + 10 end)
    slaves[1]:kill9()
    wait("a loss", function() return heard():find("[STATUS=1 clusters, 0 slaves, 1 lost]", 1, true) end)
    local code = daemon:cli("reload")
    assert.equal(0, code)
    wait("a reload", function() return heard():find("RELOADING=1 MONOTONIC_USEC=%d+%]\n.*%[READY=1") end)
    daemon:stop_and_check()
    wait("the end", function() return heard():find("[STOPPING=1]", 1, true) end)
    assert.equal(2, count(heard(), "READY=1"))
    process:kill()
    assert.truthy(master)
  end)

  it("is not told of readiness when the start fails", function()
    local path, heard, process = listener()
    local daemon = plusmoin.new { config = { status_file = "/proc/no" } }
    local code = proc.run({ plusmoin.binary(), "-c", daemon.config_path, "-x", "start" },
      { env = { NOTIFY_SOCKET = path }, cwd = daemon.dir })
    assert.equal(1, code)
    assert.equal(0, count(heard(), "READY=1"))
    process:kill()
  end)

  it("keeps its variables: triggers do not get them", function()
    local path, _, process = listener()
    local daemon = plusmoin.new { nodes = { pg.master() } }
    daemon.config.triggers.plusmoin_up = ("sh -c 'cd %s; env > env.new; mv env.new env'"):format(daemon.dir)
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start { env = { NOTIFY_SOCKET = path, WATCHDOG_USEC = "9000000", WATCHDOG_PID = "1", LISTEN_FDS = "0" } }
    local text
    proc.wait_for("the trigger", 10, function()
      text = proc.read_file(daemon.dir .. "/env")
      return text
    end, function() return daemon:diagnose() end)
    for _, name in ipairs { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS" } do
      assert.is_nil(text:find(name, 1, true))
    end
    process:kill()
  end)
end)

describe("the journal", function()
  after_each(scene.finish)

  it("gets priorities and no second clock", function()
    local path = proc.new_dir("journal") .. "/stream"
    proc.write_file(path, "")
    local stat = uv.fs_stat(path)
    local fd = assert(uv.fs_open(path, "a", 0))
    local daemon, _, slaves = scene.start {
      slaves = 1, stdout_fd = fd, env = { JOURNAL_STREAM = ("%d:%d"):format(stat.dev, stat.ino) },
    }
    uv.fs_close(fd)
    slaves[1]:kill9()
    daemon:expect_events { { "slave_down", slaves[1] } }
    local text
    proc.wait_for("the line", 10, function()
      text = proc.read_file(path)
      return text:find("event=slave_down", 1, true)
    end, function() return text end)
    assert.truthy(text:find("\n<3>error   a slave is down", 1, true), text)
    assert.truthy(text:find("\n<6>info    watching", 1, true), text)
    assert.is_nil(text:find("%d%d:%d%d:%d%d"))
  end)
end)
