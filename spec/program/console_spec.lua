-- `plusmoin console`: Lua in the running daemon, and the requests `console` and `console_stop` behind it.
local cjson = require "cjson"
local hang = require "spec.support.hang"
local machine = require "spec.support.machine"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local uv = proc.uv

local CTRL_C, CTRL_D, TAB, UP = "\3", "\4", "\t", "\27[A"

local function has(text, ...)
  for _, words in ipairs { ... } do
    assert.truthy(text:find(words, 1, true), ("%q is not in %s"):format(words, text))
  end
end

-- What `plusmoin console -e` prints; it must end well.
local function eval(daemon, code)
  local status, out, err = daemon:cli("console", "-e", code)
  assert.equal(0, status, err)
  assert.equal("", err)
  return out
end

-- The standard error of code that fails.
local function fails(daemon, ...)
  local status, out, err = daemon:cli("console", ...)
  assert.equal(1, status, out .. err)
  return err, out
end

-- A console in a pseudo-terminal. type(text) types it, see(words) waits until they are shown behind what was seen,
-- ends(status) waits for the console's end with that status: the shell prints it, so that what was shown before it
-- stands beside it when it is another one. The shell itself ignores Ctrl-C.
local function terminal(daemon, ...)
  machine.need("terminal")
  local command = "trap : INT; " .. table.concat({ plusmoin.binary(), "-c", daemon.config_path, "console", ... }, " ")
    .. "; echo exit status $?"
  local self = { process = proc.spawn({ "script", "-qfec", command, "/dev/null" },
    { cwd = daemon.dir, stdin = true, env = { TERM = "xterm", HOME = daemon.dir,
      LSAN_OPTIONS = "print_suppressions=0:suppressions=" .. plusmoin.binary():gsub("plusmoin$", "lsan.supp") } }),
    seen = 1 }
  function self.see(words)
    local at
    proc.wait_for(("%q in the terminal"):format(words), 10, function()
      local _, last = self.process:out():find(words, self.seen, true)
      at = last
      return last
    end, function() return self.process:out():sub(self.seen) .. self.process:err() end)
    self.seen = at + 1
  end
  function self.type(text)
    self.process.stdin:write(text)
  end
  function self.ends(status)
    self.see(("exit status %d\r\n"):format(status))
    self.process:wait()
  end
  self.see("plusmoin> ")
  return self
end

describe("console", function()
  after_each(scene.finish)

  it("prints what code returns, and what it prints", function()
    local daemon, _, slaves = scene.start { slaves = 1 }
    daemon:wait_place(slaves[1], "slave 0")
    assert.equal("1\n", eval(daemon, "return #pm.cluster(0).slaves"))
    assert.equal("", eval(daemon, "local x = 1"))
    assert.equal("nil\n", eval(daemon, "return nil"))
    assert.equal("a b\t1\ttrue\n", eval(daemon, '"a b", 1, true'))
    assert.equal("1\t2\nx3\n3\n", eval(daemon, "print(1, 2) io.write('x', 3, '\\n') return 3"))
    assert.equal('{ 1, "two", [4] = { "x" }, a = { b = {} }, ["c d"] = "\\n" }\n',
      eval(daemon, "return {1, 'two', [4] = {'x'}, a = {b = {}}, ['c d'] = '\\n'}"))
    has(eval(daemon, "local t = {} t.t = t return t"), "t = {... itself}")
    has(eval(daemon, "return setmetatable({}, {__tostring = function() return 'mine' end})"), "mine")
    has(eval(daemon, "return pm.cluster(0)"), "\n  cluster_id = 0,\n",
      "\n  master = {\n    cluster_id = 0,\n    host =")
    has(eval(daemon, "for i = 1, 300 do print(('x'):rep(10000)) end"), "cut: a run at the console may print 1 MiB")
    assert.equal("2\n", (select(2, proc.run({ plusmoin.binary(), "-c", daemon.config_path, "console" },
      { stdin = "#!/usr/bin/plusmoin\nlocal x = 1\nreturn x + 1\n" }))))
    proc.write_file(daemon.dir .. "/ask.lua", "#!x\nerror 'here'\n")
    has(fails(daemon, "-f", daemon.dir .. "/ask.lua"), "ask.lua:2: here\nstack traceback:")
    daemon:wait_logged("info", "console (uid ", "return #pm.cluster(0).slaves")
  end)

  it("runs code as a trigger runs", function()
    local daemon, master = scene.start { slaves = 0 }
    assert.equal("1\n", eval(daemon, "pm.sleep(0.01) return pm.exec{'sh', '-c', 'exit 1'}.code"))
    assert.equal("5\n", eval(daemon, ("return assert(pm.query({host = '%s', port = %d}, 'SELECT 5 v'))[1].v")
      :format(master.host, master.port)))
    eval(daemon, "pm.state.x = 7 pm.log.info('from %s', 'there')")
    assert.equal("7\n", eval(daemon, "return pm.state.x"))
    daemon:wait_logged("from there", "trigger=console")
    has(fails(daemon, "-e", "string.x = 1"), "-e:1: a trigger writes string.x")
    assert.equal(1, (fails(daemon, "-e", "os.exit()"):find("plusmoin: os.exit is not for triggers", 1, true)))
    has(eval(daemon, "return pm.exec{'env'}.stdout"), "PATH=")
    assert.is_nil(eval(daemon, "return pm.exec{'env'}.stdout"):find("PLUSMOIN_EVENT_ID", 1, true))
  end)

  it("tells errors with a traceback of what was typed, and nothing of its own", function()
    local daemon = scene.start { slaves = 0 }
    assert.equal("plusmoin: -e:1: boom\nstack traceback:\n\t[C]: in global 'error'\n\t-e:1: in local 'f'\n"
      .. "\t-e:1: in local 'typed'\n", fails(daemon, "-e", "local function f() error 'boom' end f()"))
    local err, out = fails(daemon, "-e", "print 'before' error {}")
    has(err, "plusmoin: table: 0x")
    assert.equal("before\n", out)
    assert.equal("plusmoin: -e:1: unexpected symbol near <eof>\n", fails(daemon, "-e", "x ="))
    has(fails(daemon, "-e", "x y"), "-e:1: syntax error near 'y'")
    has(fails(daemon, "-f", "/nowhere/it/is"), "/nowhere/it/is: No such file or directory")
    has(fails(daemon, "-e", "return '" .. ("x"):rep(66000) .. "'"), "the code is longer than the daemon takes at once")
    has(fails(daemon, "-f", "/dev/zero"), "/dev/zero: is no text, or longer than 64 KiB")
    daemon.config.trigger_timeout = 0.2
    daemon:reload()
    has(fails(daemon, "-e", "while true do end"), "plusmoin: trigger_timeout is over at -e:1\n")
  end)

  it("refuses what it does not take, and says when there is no daemon", function()
    local daemon = plusmoin.new {}
    local code, _, err = daemon:cli("console", "-e", "return 1")
    assert.equal(1, code)
    has(err, "no daemon answers at", daemon.config.control_socket)
    for words, message in pairs {
      ["console -e"] = "-e needs code", ["console -f"] = "a file is needed behind: -f",
      ["status -e x"] = "-e and -f go with console", ["console -e x -f y"] = "-e or -f, not both",
      ["console --json"] = "--json goes with", ["console x"] = "one verb is enough: x",
    } do
      local argv = {}
      for word in words:gmatch("%S+") do
        argv[#argv + 1] = word
      end
      code, _, err = daemon:cli(table.unpack(argv))
      assert.equal(2, code, words)
      has(err, message)
    end
  end)

  it("keeps a session's variables in a terminal, where lines are edited and completed", function()
    local daemon = scene.start { slaves = 0 }
    local at = terminal(daemon)
    at.type("x = 41\n")
    at.see("plusmoin> ")
    at.type("x + 1\n")
    at.see("\n42\r\n")
    at.see("plusmoin> ")
    at.type("for i = 8, 9 do\n")
    at.see("       >> ")
    at.type("print(i)\n")
    at.see("       >> ")
    at.type("end\n")
    at.see("\n8\r\n9\r\nplusmoin> ")
    at.type("pm.sl" .. TAB .. "(0)\n")
    at.see("eep(0)")
    at.see("plusmoin> ")
    at.type("pm.clu" .. TAB .. TAB)
    at.see("\npm.cluster\r\npm.clusters\r\n")
    at.type(CTRL_C)
    at.see("plusmoin> ")
    at.type("error 'this'\n")
    at.see("plusmoin: console:1: this")
    at.see("plusmoin> ")
    at.type("pm.log.info(('turns '):rep(2)) while true do end\n")
    at.see("while true do end\r\n")
    daemon:wait_logged("turns turns")
    at.type(CTRL_C)
    at.see("plusmoin: ended by hand at console:1")
    at.see("plusmoin> ")
    at.type("help(pm.sleep)\n")
    at.see("pm.sleep(seconds)")
    at.see("plusmoin> ")
    at.type("'x is ' .. x\n")
    at.see("x is 41")
    at.see("plusmoin> ")
    at.type(CTRL_D)
    at.ends(0)
    local stat = uv.fs_stat(daemon.dir .. "/.plusmoin_history")
    assert.equal(tonumber("600", 8), stat.mode & tonumber("777", 8))
    at = terminal(daemon)
    at.type(UP .. UP .. "\n") -- of the session before
    at.see("pm.sleep(seconds)")
    at.see("plusmoin> ")
    at.type("return x\n")
    at.see("\nnil\r\nplusmoin> ")
    at.type(CTRL_D)
    at.ends(0)
  end)

  it("is another one for each client; a reload takes the variables, and says so", function()
    local daemon = scene.start { slaves = 0 }
    local at, other = terminal(daemon), terminal(daemon)
    at.type("x = 'mine'\n")
    at.see("plusmoin> ")
    other.type("x\n")
    other.see("\nnil\r\n")
    daemon:reload()
    at.type("x\n")
    at.see("this session's variables are gone")
    at.see("nil\r\n")
    at.see("plusmoin> ")
    at.type("y = 1\n")
    at.see("plusmoin> ")
    at.type("y\n")
    at.see("\n1\r\n")
    daemon:stop_and_check()
    at.type("y\n")
    at.see("has closed the connection")
    at.ends(1)
    other.process:kill("sigkill")
  end)

  it("helps", function()
    local daemon = scene.start { slaves = 0 }
    has(eval(daemon, "help()"), "pm.query", "pm.sleep")
    has(eval(daemon, "help(pm.query)"), "pm.query(", "Waits.")
    has(eval(daemon, "help 'Event.node'"), "nearest: ")
    has(eval(daemon, "help 'pm.querry'"), "there is no pm.querry; nearest: pm.query")
    has(eval(daemon, "help(print)"), "help() lists what there is")
  end)

  it("ends what a client runs that has gone", function()
    local daemon = scene.start { slaves = 0, config = { trigger_timeout = 60 } }
    local pid_file = daemon.dir .. "/sleeper"
    local process = proc.spawn({ plusmoin.binary(), "-c", daemon.config_path, "console", "-e",
      ("pm.exec { 'sh', '-c', 'echo $$ > %s; exec sleep 60' }"):format(pid_file) })
    local pid = proc.wait_for("the program", 10, function()
      return tonumber(proc.read_file(pid_file) or "")
    end)
    assert.equal(0, uv.kill(pid, 0))
    process:kill("sigkill")
    proc.wait_for("the program's end", 10, function() return uv.kill(pid, 0) ~= 0 end)
  end)

  it("is among the runs, and can be ended there", function()
    local daemon = scene.start { slaves = 0, config = { trigger_timeout = 60 } }
    local process = proc.spawn { plusmoin.binary(), "-c", daemon.config_path, "console", "-e", "pm.sleep(60)" }
    local id = proc.wait_for("it in the list", 10, function()
      return (select(2, daemon:cli("runs"))):match("\n(console%.%d+) +running .* pm%.sleep .* console +lua +%- ")
    end)
    local code, _, err = daemon:cli("runs", "kill", "console.0")
    assert.equal(1, code)
    has(err, "there is no run console.0: there are " .. id)
    local _, out = daemon:cli("runs", "kill", id)
    has(out, id .. ": console: ")
    assert.equal(1, process:wait())
    has(process:err(), "plusmoin: ended by hand at -e:1\n")
    daemon:wait_logged("`plusmoin runs kill` (uid ", "ends " .. id)
    assert.equal(0, daemon:ask({ request = "runs" }).running)
  end)

  it("is for root and the daemon's user alone", function()
    if not proc.is_root then
      return pending("the tests do not run as root")
    end
    local daemon = scene.start { slaves = 0 }
    local _, gid = proc.run { "id", "-g" }
    local code, out, err = proc.run({ "setpriv", "--reuid", "65534", "--regid", gid:match("%d+"), "--clear-groups",
      plusmoin.binary(), "-c", daemon.config_path, "console", "-e", "return 1" }, { as_root = true, cwd = "/" })
    assert.equal(1, code, out)
    has(err, "the console is for root and for the user that plusmoin runs as (uid ", "you are uid 65534")
    assert.equal(0, (daemon:root_cli("console", "-e", "return 1")))
  end)

  it("leaves a hung run behind as a trigger's, with polls on time and the console going on", function()
    local daemon = scene.start { slaves = 0, config = { lua = { patience = 0.5 } } }
    local ended = false
    local process = proc.spawn({ plusmoin.binary(), "-c", daemon.config_path, "console", "-e",
      "return ('a'):rep(40):find(('a?'):rep(40) .. ('a'):rep(40))" })
    local late = hang.lateness(daemon, 20, function()
      ended = not process:running()
      return ended
    end)
    assert.is_true(late < 200, late .. " ms late")
    assert.equal(1, process:wait())
    has(process:err(), "plusmoin: gives no sign since -e:1: it holds its script host in one call")
    daemon:wait_logged("the script host is left behind")
    assert.equal("1\n", eval(daemon, "return 1"))
  end)

  it("stands all culprits at once, each in a session of its own #hostile", function()
    local daemon = scene.start { slaves = 0, config = { trigger_timeout = 6, lua = { patience = 60 } } }
    local waiting, count = 0, 0
    for name in uv.fs_scandir_next, assert(uv.fs_scandir("tests/hostile")) do
      if name ~= "pattern.lua" then
        local text = proc.read_file("tests/hostile/" .. name)
        local pipe = uv.new_pipe(false)
        count, waiting = count + 1, waiting + 1
        pipe:connect(daemon.config.control_socket, function(err)
          assert(not err, err)
          pipe:write(cjson.encode { request = "console", chunk = "@" .. name,
            code = "local hostile = (function() " .. text .. " end)() return hostile {}" } .. "\n")
          local parts = {}
          pipe:read_start(function(_, data)
            parts[#parts + 1] = data
            if not data or data:find("\n", 1, true) then
              waiting = waiting - (table.concat(parts):find('"ok":true', 1, true) and 1 or 0)
              pipe:close()
            end
          end)
        end)
      end
    end
    assert.is_true(count >= 50)
    local late = hang.lateness(daemon, 60, function() return waiting == 0 end)
    assert.is_true(late < 200, late .. " ms late")
    assert.equal("1\n", eval(daemon, "collectgarbage() return 1"))
  end)
end)
