-- A program whose exec does not return (a mount that does not answer) delays nobody else, and is timed out.
local has = require "spec.support.has"
local machine = require "spec.support.machine"
local hang = require "spec.support.hang"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- A program of the spec's own, which says in a file that it ran.
local function program()
  local dir = proc.new_dir("program")
  proc.write_file(dir .. "/run", "#!/bin/sh\necho run >> " .. dir .. "/ran\n", tonumber("755", 8))
  proc.give(dir .. "/run")
  return dir .. "/run", dir .. "/ran"
end

describe("an exec that hangs", function()
  after_each(function() scene.finish(hang.let_go) end)

  it("of a command is timed out, frees its slot, and the loop goes on; so is pm.exec's #core", function()
    local path, ran = program()
    hang.hold(path)
    local daemon = scene.start { slaves = 0, config = { trigger_timeout = 1, trigger_parallel = 1 }, lua = ([[
      local pm = require "plusmoin"
      config.triggers.plusmoin_up = { %q, config.triggers.plusmoin_up, function()
        local got = pm.exec { %q, timeout = 0.5 }
        pm.log.info("pm.exec timed out: %%s", got.timed_out)
      end, %q }
    ]]):format(path, path, path), nowait = true }
    local worst = hang.lateness(daemon, 30, function()
      return daemon:logged("pm.exec timed out: true")
    end)
    assert.is_true(worst < hang.LATE_MS, worst)
    assert.is_true(daemon:logged("timed out and was ended after", "plusmoin_up[1]"))
    daemon:expect_events { { "plusmoin_up" } } -- it had the slot next
    daemon:wait_logged("timed out and was ended after", "plusmoin_up[4]")
    hang.let_go()
    daemon:quiet_rounds(2)
    assert.is_nil(proc.read_file(ran))
  end)

  it("does not delay the end", function()
    local path = program()
    hang.hold(path)
    local daemon = scene.start { slaves = 0, triggers = { plusmoin_up = path },
      config = { trigger_timeout = 60, shutdown_grace = 0.1 }, nowait = true }
    daemon:wait_logged("watching")
    local began = proc.mono_ms()
    daemon:stop_and_check()
    assert.is_true(proc.mono_ms() - began < 5000)
    assert.is_true(daemon:logged("ended by signal 15"))
  end)

  it("delays neither a start, which says so, nor check, which tells which trigger it is", function()
    local path = program()
    hang.hold(path)
    local daemon = scene.start { slaves = 0, triggers = { plusmoin_up = { "sh -c true", path }, slave_up = path },
      config = { trigger_timeout = 1 }, nowait = true }
    daemon:wait_logged("plusmoin_up[2]", 'a look at "' .. path .. '" does not return within 0.5 s')
    daemon:wait_logged("watching")
    local code, out = daemon:cli("check")
    assert.equal(1, code, out)
    has(out, "triggers.plusmoin_up[2]: PROBLEM: a look at", "triggers.slave_up: PROBLEM: ", "an earlier look hangs")
  end)

  it("and heeds no signal leaves its thread behind, whose child is killed when it comes", function()
    machine.need("faked")
    local hold = proc.new_dir("hold") .. "/hold"
    local path, ran = program()
    local daemon = plusmoin.new { nodes = { pg.master() }, config = { trigger_timeout = 0.3, trigger_parallel = 1 },
      triggers = { plusmoin_heartbeat = path } }
    proc.write_file(hold, "")
    daemon:start { env = hang.no_clone(hold) }
    local worst = hang.lateness(daemon, 30, function()
      return daemon:logged("timed out and was ended after", "plusmoin_up")
    end)
    assert.is_true(worst < hang.LATE_MS, worst)
    assert(os.remove(hold))
    proc.wait_for("the next run", 10, function() return proc.read_file(ran) end,
      function() return daemon:diagnose() end)
    proc.write_file(hold, "") -- and the end: by _exit, with one under way
    local lines, since
    proc.wait_for("one that hangs", 20, function()
      local now = #proc.read_file(ran)
      if now ~= lines then
        lines, since = now, proc.mono_ms()
      end
      return proc.mono_ms() - since > 900 -- three heartbeats
    end, function() return daemon:diagnose() end)
    daemon:stop_and_check()
    os.remove(hold)
    assert.equal(lines, #proc.read_file(ran))
  end)
end)
