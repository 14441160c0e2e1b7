-- `plusmoin explain`: why a node is where it is, why not, and what came of an event.
local cjson = require "cjson"
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- Waits until `plusmoin explain WHAT` has the words (plain text); returns what it says then.
local function wait_explained(daemon, what, words)
  local out
  proc.wait_for("the words " .. words, 10, function()
    out = select(2, daemon:cli("explain", what))
    return out:find(words, 1, true)
  end, function() return out .. daemon:diagnose() end)
  return out
end

describe("explain", function()
  after_each(scene.finish)

  it("says of a lost slave what was seen, which rule spoke, what is missing, and what fired", function()
    local daemon, master, slaves = scene.start { config = { max_sync_delay = 5, recover_sync_delay = 3 } }
    slaves[1]:kill9()
    local down = daemon:expect_events { { "slave_down", slaves[1] } }
    local code, out = daemon:cli("explain", slaves[1].name)
    assert.equal(0, code)
    has(out, slaves[1].name .. ": lost in cluster 0 since ", " by S1: refused: connection to server at",
      "\nseen:\n", "slave, its row names " .. master.name, "refused: connection to server at",
      "\nfor the next change:\n  an answer\n  as slave a lag of at most 3 s (recover_sync_delay: L4, slave_up)\n",
      "\nevents:\n  slave_down " .. down.env.PLUSMOIN_EVENT_ID .. " at ", ", by S1: the slave was down")
    wait_explained(daemon, slaves[1].name, "\nlast judged by L1: it is down") -- when it has been judged since
    code, out = daemon:cli("explain")
    assert.equal(0, code)
    has(out, slaves[1].name .. ": lost")
    assert.is_nil(out:find(slaves[2].name .. ": ", 1, true), out)
    slaves[1]:start()
    daemon:expect_events { { "slave_up", slaves[1] } }
    code, out = daemon:cli("explain", slaves[1].name)
    assert.equal(0, code)
    has(out, ": slave in cluster 0 since ", "slave_up ")
    assert.truthy(out:find("it is lost when it fails %(S1%), or when its lag, now %d%.%d s, is over "
      .. "max_sync_delay, 5 s %(S2%)"), out)
    has(select(2, daemon:cli("explain")), "all 3 nodes are well")
  end)

  it("says of an event why it fired and how its triggers ended", function()
    local daemon, master, slaves = scene.start {
      triggers = { slave_down = { "/bin/true", "sh -c 'echo no luck; exit 3'", "/nonexistent/program" } },
    }
    slaves[1]:kill9()
    daemon:wait_place(slaves[1], "lost 0")
    proc.wait_for("the last trigger's end", 10, function()
      return daemon:logged("cannot start /nonexistent/program")
    end, function() return daemon:diagnose() end)
    local events = daemon:ask({ request = "events" }).events
    local id = events[#events].id
    local code, out = daemon:cli("explain", id)
    assert.equal(0, code)
    has(out, "slave_down " .. id .. " at ",
      " in cluster 0: " .. slaves[1].name .. ", by S1: the slave was down: refused: ",
      "\nseen until then:\n", "slave, its row names " .. master.name .. "\n", "refused: connection to server at",
      "\ntriggers:\n  triggers.slave_down[1]: done in ", "\n  triggers.slave_down[2]: failed with exit status 3 after ",
      "no luck", "\n  triggers.slave_down[3]: cannot start /nonexistent/program: No such file")
    local answer = cjson.decode((select(2, daemon:cli("explain", "--json", id))))
    assert.same({ true, "slave_down", 3 }, { answer.ok, answer.event.name, #answer.event.triggers })
    local seen = answer.event.seen
    assert.same({ "slave", "failure", "refused" }, { seen[#seen - 1].what, seen[#seen].what, seen[#seen].reason })
    has(select(2, daemon:cli("explain", events[1].id)), "plusmoin_up ")
  end)

  it("says of an event which of its triggers run still, and that none is configured", function()
    local go = proc.new_dir("go") .. "/on"
    local daemon, _, slaves = scene.start { triggers = { slave_up = false, slave_down = {
      ("sh -c 'until [ -e %s ]; do sleep 0.05; done'"):format(go), "/bin/true" } } }
    slaves[1]:kill9()
    daemon:wait_place(slaves[1], "lost 0")
    local events = daemon:ask({ request = "events" }).events
    local id = events[#events].id
    has(select(2, daemon:cli("explain", id)), "\ntriggers:\n  triggers.slave_down[1]: running\n"
      .. "  triggers.slave_down[2]: waiting\n")
    proc.write_file(go, "")
    local out
    proc.wait_for("the triggers' end", 10, function()
      out = select(2, daemon:cli("explain", id))
      return out:find("%[1%]: done in .*%[2%]: done in ")
    end, function() return out end)
    slaves[1]:start()
    daemon:wait_place(slaves[1], "slave 0")
    events = daemon:ask({ request = "events" }).events
    has(select(2, daemon:cli("explain", events[#events].id)), "slave_up ", "no trigger is configured for it")
  end)

  it("says that a cluster has no master where all that is left of it is well", function()
    local daemon, master = scene.start { config = { heartbeat = 0.5 } }
    master:kill9()
    daemon:expect_events { { "master_down", master } }
    table.remove(daemon.config.nodes, 1)
    daemon:reload()
    local out
    proc.wait_for("the two that are left", 10, function()
      out = select(2, daemon:cli("explain"))
      return out == "cluster 0 has no master\nbut for that all 2 nodes are well\n"
    end, function() return out end)
  end)

  it("says that a master that is back is refused, and the log says so once", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { heartbeat = 0.5 } }
    master:kill9()
    daemon:expect_events { { "master_down", master } }
    slaves[1]:promote()
    daemon:expect_events { { "master_up", slaves[1] } }
    master.settings.default_transaction_read_only = "on"
    master:start()
    local out = wait_explained(daemon, master.name,
      "\nlast judged by M5: it says that it is master, but its beat is refused")
    has(out, master.name .. ": lost in cluster 0 since ", ": read_only: ")
    daemon:expect_events { { "split_brain", slaves[1], cluster = 0 } } -- it takes writes, but ours
    daemon:quiet_rounds(3)
    local _, lines = daemon:log():gsub("it says that it is master, but its beat is not written: [^\n]*read%-only", "")
    assert.is_true(lines >= 1 and lines <= 2, daemon:log()) -- in the server's words, and in the catalogue's
  end)

  it("says of a lost slave that answers why it is lost, not that its door is shut", function()
    local daemon, _, slaves = scene.start { slaves = 1, config = { heartbeat = 0.5, fresh_connect_interval = 0.3,
      max_sync_delay = 2, recover_sync_delay = 1 } }
    slaves[1]:pause_replay()
    daemon:expect_events { { "slave_down", slaves[1], rule = "S2", reason = "lag" } }
    slaves[1]:let_in("reject")
    local out = wait_explained(daemon, slaves[1].name, "; a fresh connection: auth: ")
    has(out, ": lost in cluster 0 since ", " by S2: lag: ", "for the next change:\n  as slave a lag of at most 1 s")
    has(select(2, daemon:cli("status")), "out of sync")
  end)

  it("says what keeps a failing node in its place, and until when", function()
    local daemon, _, slaves = scene.start { config = { restart_grace = 30 } }
    slaves[1]:stop("fast")
    local out = wait_explained(daemon, slaves[1].name,
      "it keeps its place by P2: it said that it stops or starts (restart_grace)")
    has(out, "failing for ", "\n  an answer ends the failure\n", " s, if it fails still, it is lost (S1, slave_down)")
    has(select(2, daemon:cli("explain")), slaves[1].name .. ": slave in cluster 0 since ", "failing for ")
    slaves[1]:start()
    daemon:quiet_rounds(2)
  end)

  it("says all that a failing node has to go through, and no more", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { heartbeat = 0.5, max_sync_delay = 60,
      down_after = 40, restart_grace = 2, retry_interval = 0.5 } }
    slaves[1]:stop("fast")
    local function explained(server, ...)
      local words, out = { ... }, nil
      proc.wait_for("the words " .. words[1], 15, function()
        out = select(2, daemon:cli("explain", server.name))
        for _, word in ipairs(words) do
          if not out:find(word, 1, true) then
            return false
          end
        end
        return true
      end, function() return out end)
    end
    explained(slaves[1], "it keeps its place by P2: ", " s, and when ", " more attempts have failed, it is lost (S1,")
    explained(slaves[1], "it keeps its place by P3: ", "\n  when ", " more attempts have failed it is lost (S1,")
    slaves[1]:start()
    daemon:quiet_rounds(1)
    local lock = proc.spawn({ "psql", "-Xq", "-h", master.host, "-p", tostring(master.port), "-U", "postgres", "-d",
      "plusmoin", "-c", "BEGIN; LOCK TABLE heartbeat IN SHARE MODE; SELECT pg_sleep(600)" })
    explained(master, "it keeps its place by P5: ", "a beat that is written ends the failure")
    lock:kill()
  end)

  it("says what a held master and an empty seat wait for", function()
    local daemon, master, slaves = scene.start { config = { heartbeat = 0.5, fresh_connect_interval = 0.3 } }
    master:sql("ALTER ROLE plusmoin CONNECTION LIMIT 1")
    daemon:wait_event("node_held")
    local out -- a slow answer makes room for a fresh one, for a moment
    proc.wait_for("the hold's words", 10, function()
      out = select(2, daemon:cli("explain", master.name))
      return out:find(": master in cluster 0 since ", 1, true) and out:find(" by U2: full: ", 1, true) and
        out:find("a fresh connection that succeeds: until then it is held (P1)", 1, true) and
        out:find("master; a fresh connection: full: ", 1, true)
    end, function() return out .. daemon:diagnose() end)
    local events = daemon:ask({ request = "events" }).events
    has(select(2, daemon:cli("explain", events[#events].id)), "node_held ", ", by P1: its server is alive", ": full: ")
    master:sql("ALTER ROLE plusmoin CONNECTION LIMIT -1")
    proc.wait_for("the end", 10, function() return daemon:logged("no longer held", master.name) end)
    master:kill9()
    daemon:wait_event("master_down")
    has(select(2, daemon:cli("explain", slaves[1].name)),
      "the seat is empty: it takes the seat when it says that it is master")
    has(select(2, daemon:cli("explain", master.name)),
      "the seat is empty: as master it takes it when its beat is written")
  end)

  it("and status say that a node fails before it is down, and what each connection has said", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { heartbeat = 0.5, fresh_connect_interval = 0.3,
      restart_grace = 30 } }
    slaves[1]:stop("fast")
    daemon:wait_logged("no answer", slaves[1].name)
    local _, out = daemon:cli("status")
    assert.truthy(out:find(slaves[1].name .. " +failing .* refused: ") or
      out:find(slaves[1].name .. " +failing .* shutting_down: "), out)
    has(select(2, daemon:cli("explain", master.name)), ": master in cluster 0")
    slaves[1]:start()
    daemon:quiet_rounds(2)
    master:sql("ALTER TABLE heartbeat OWNER TO postgres; REVOKE ALL ON heartbeat FROM plusmoin;"
      .. "GRANT SELECT ON heartbeat TO plusmoin", "plusmoin")
    daemon:expect_events { { "node_held", master, reason = "table" } }
    master:let_in("reject")
    wait_explained(daemon, master.name, "master, beat not written: table: permission denied for table heartbeat; "
      .. "a fresh connection: auth: ")
  end)

  it("says that only a fresh connection brings back a node whose kept one answers", function()
    local daemon, _, slaves = scene.start { config = { heartbeat = 0.5, fresh_connect_interval = 0.3 } }
    slaves[1]:freeze_postmaster()
    daemon:expect_events { { "slave_down", slaves[1], reason = "no_new_connections" } }
    local out = select(2, daemon:cli("explain", slaves[1].name))
    has(out, " by S1: no_new_connections: ", "\n  a fresh connection that succeeds\n", "slave, its row names ",
      "; a fresh connection: timeout: ")
    slaves[1]:thaw()
    daemon:expect_events { { "slave_up", slaves[1] } }
  end)

  it("wants to know which, where two nodes have one name, and texts", function()
    local master, slaves = pg.cluster(1)
    master.label, slaves[1].label = "twin", "twin"
    local daemon = plusmoin.start { nodes = { master, slaves[1] } }
    local code, _, err = daemon:cli("explain", "twin")
    assert.equal(1, code)
    has(err, 'several nodes have this name: "host:port" tells which')
    has(select(2, daemon:cli("explain", slaves[1].name)), "twin (" .. slaves[1].name .. "): slave in cluster 0")
    for key, value in pairs { node = 5, event = true, since = {} } do
      assert.same({ ok = false, error = ('"%s" must be a text'):format(key) },
        daemon:ask({ request = "explain", [key] = value }))
    end
    assert.is_false(daemon:ask({ request = "events", since = 7 }).ok)
  end)

  it("says what there is not", function()
    local daemon, master = scene.start { slaves = 0 }
    local code, _, err = daemon:cli("explain", "nobody:5432")
    assert.equal(1, code)
    has(err, 'no such node: name it by its "host:port" or its name')
    code, _, err = daemon:cli("explain", "1-1")
    assert.equal(1, code)
    has(err, "no such event among the last 1,000 of this daemon's")
    assert.same({ ok = true, nodes = 1, unwell = {}, no_master = {}, isolated = cjson.null },
      cjson.decode((select(2, daemon:cli("explain", "--json")))))
    assert.equal(2, (daemon:cli("explain", "a", "b")))
    daemon:quiet_rounds(1)
    local answer = daemon:ask({ request = "explain", node = master.name })
    assert.same({ true, "M1", cjson.null }, { answer.ok, answer.rule, answer.failing })
    daemon:kill9()
    code, _, err = daemon:cli("explain", master.name)
    assert.equal(1, code)
    has(err, "no daemon answers at ")
    plusmoin.running[daemon] = nil
  end)
end)
