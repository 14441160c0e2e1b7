-- The harness itself: servers come up, obey and go away, waiting says what it waited for.
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"

describe("the harness", function()
  after_each(pg.stop_all)

  it("says what it waited for in vain", function()
    local ok, message = pcall(proc.wait_for, "a miracle", 0.02, function() return false end,
      function() return "none" end)
    assert.is_false(ok)
    assert.truthy(message:find("timed out waiting for a miracle", 1, true))
    assert.truthy(message:find("none", 1, true))
  end)

  it("runs commands: exit code, output, input", function()
    local code, out, err = proc.run({ "sh", "-c", "cat; echo no >&2; exit 3" }, { stdin = "hello" })
    assert.same({ 3, "hello", "no\n" }, { code, out, err })
    local sleeper = proc.spawn({ "sleep", "60" })
    sleeper:kill("sigterm")
    assert.same({ n = 2, nil, 15 }, table.pack(sleeper:wait(5)))
  end)

  it("never hands out a port twice", function()
    local seen = {}
    for _ = 1, 50 do
      local port = proc.free_port()
      assert.is_nil(seen[port])
      seen[port] = true
    end
  end)

  it("holds the ports it handed out, and a server can listen there", function()
    local port = proc.free_port()
    local server = proc.uv.new_tcp()
    assert(server:bind("127.0.0.1", port) and server:listen(1, function() end))
    local second = proc.uv.new_tcp()
    second:bind("127.0.0.1", port)
    assert.is_nil((second:listen(1, function() end)))
    proc.close(server)
    proc.close(second)
  end)

  it("gives a server that lost its port before its first start another one", function()
    local master = pg.master { stopped = true }
    local thief = proc.uv.new_tcp()
    assert(thief:bind("127.0.0.1", master.port) and thief:listen(1, function() end))
    local lost = master.port
    master:start()
    assert.not_equal(lost, master.port)
    assert.equal("f", master:sql("SELECT pg_is_in_recovery()")[1][1])
    proc.close(thief)
  end)

  it("makes a master and two standbys that stream", function()
    local master, slaves = pg.cluster(2)
    assert.equal("f", master:sql("SELECT pg_is_in_recovery()")[1][1])
    for _, slave in ipairs(slaves) do
      assert.equal("t", slave:sql("SELECT pg_is_in_recovery()")[1][1])
    end
    master:sql("CREATE TABLE seen (x int); INSERT INTO seen VALUES (42)", "plusmoin")
    proc.wait_for("the row on the standby", 5, function()
      return slaves[1]:sql("SELECT count(*) FROM pg_class WHERE relname = 'seen'", "plusmoin")[1][1] == "1"
    end)
  end)

  it("kills, promotes, repoints, and brings the old master back as a slave", function()
    local master, slaves = pg.cluster(2)
    master:kill9()
    assert.same({}, proc.pids_in(master.data))
    slaves[1]:promote()
    slaves[2]:repoint(slaves[1])
    slaves[1]:sql("CREATE TABLE after_promotion (x int)")
    master:rewind_as_slave_of(slaves[1])
    proc.wait_for("the table on the old master", 5, function()
      return master:sql("SELECT count(*) FROM pg_class WHERE relname = 'after_promotion'")[1][1] == "1"
    end)
  end)

  it("promotes a standby with what the killed master had sent to the other alone", function()
    local master, slaves = pg.cluster(2)
    slaves[1]:repoint({ host = "127.0.0.1", port = 1 }, { nowait = true })
    proc.wait_for("a standby that receives nothing", 5, function()
      return #slaves[1]:sql("SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'") == 0
    end)
    slaves[1].upstream = master
    local function has_table(server)
      return #server:sql("SELECT 1 FROM pg_class WHERE relname = 'sent_to_one'") == 1
    end
    master:sql("CREATE TABLE sent_to_one (x int)")
    proc.wait_for("the table on the other", 5, function() return has_table(slaves[2]) end)
    assert.is_false(has_table(slaves[1]))
    master:kill9()
    slaves[1]:promote()
    assert.is_true(has_table(slaves[1]))
    slaves[2]:repoint(slaves[1])
    slaves[1]:sql("CREATE TABLE after_promotion (x int)")
    proc.wait_for("what came after the promotion", 5, function()
      return #slaves[2]:sql("SELECT 1 FROM pg_class WHERE relname = 'after_promotion'") == 1
    end, function() return slaves[2]:log() end)
  end)

  it("freezes and thaws", function()
    local master = pg.master()
    master:freeze()
    local code = proc.run({ "psql", "-h", master.host, "-p", tostring(master.port), "-U", "postgres",
      "-c", "SELECT 1" }, { env = { PGCONNECT_TIMEOUT = "2" } })
    assert.not_equal(0, code)
    master:thaw()
    assert.equal("1", master:sql("SELECT 1")[1][1])
  end)
end)
