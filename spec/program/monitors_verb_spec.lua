-- `plusmoin monitors`, `status` and `watch` of daemons that share a real etcd.
local cjson = require "cjson"
local etcd = require "spec.support.etcd"
local has = require "spec.support.has"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- One that stands by runs no trigger for the start.
local function start(cluster, master, name, stands_by)
  return plusmoin.start { nodes = { master }, nowait = stands_by,
    config = { monitors = { etcd = cluster:urls(), name = name, ttl = 2 } } }
end

-- Waits until the daemon's answer is as `fn` wants it.
local function wait_answer(daemon, what, fn)
  local answer
  proc.wait_for(what, 15, function()
    answer = daemon:ask { request = "monitors" }
    return answer.ok and fn(answer)
  end, function() return cjson.encode(answer) .. daemon:log() end)
  return answer
end

describe("monitors", function()
  after_each(scene.finish)
  teardown(etcd.stop_all)

  it("are shown, and hand over when they are told to", function()
    local cluster, master = etcd.start(1), pg.master()
    local one = start(cluster, master, "one")
    wait_answer(one, "one acts", function(answer) return answer.acts end)
    local two = start(cluster, master, "two", true)
    local function both(answer)
      return answer.acting == "one" and #answer.monitors == 2 and answer.monitors[1].answering == 1
        and answer.monitors[2].answering == 1
    end
    local answer = wait_answer(one, "both are there", both)
    wait_answer(two, "both are there", both)
    assert.is_true(answer.term > 0)

    local code, out, err = one:cli("monitors")
    assert.equal(0, code, out .. err)
    assert.equal("acting", out:match("[^\n]+"))
    has(out, ("term %d"):format(answer.term))
    assert.truthy(out:find("\none +%S.* same\ntwo +%S.* differ: triggers\n"), out) -- each has its own journal
    code, out = two:cli("monitors")
    assert.equal(0, code)
    assert.equal("standing by (one acts)", out:match("[^\n]+"))
    assert.equal("standing by (one acts)", (select(2, two:cli("status")):match("[^\n]+")))
    assert.equal("acting", (select(2, one:cli("status")):match("[^\n]+")))
    code, out = two:cli("monitors", "--json")
    assert.equal(0, code)
    assert.same({ false, "one", cjson.null, "two" }, (function(seen)
      return { seen.acts, seen.acting, seen.term, seen.name }
    end)(cjson.decode(out)))

    code, out, err = two:cli("monitors", "resign") -- it has nothing to hand over
    assert.equal(0, code, err)
    assert.equal("plusmoin: this monitor does not act, so there is nothing to hand over: one acts\n", err)
    assert.equal("standing by (one acts)", out:match("[^\n]+"))
    code, out, err = one:cli("monitors", "resign")
    assert.equal(0, code, out .. err)
    assert.equal("standing by (two acts)", out:match("[^\n]+"))
    wait_answer(two, "two acts", function(seen) return seen.acts end)
    one:stop_and_check()
    code, out = two:cli("monitors")
    assert.equal(0, code)
    assert.equal("acting", out:match("[^\n]+"))
    assert.falsy(out:find("\none ", 1, true), out)
    code, out, err = two:cli("monitors", "resign")
    assert.same({ 1, "plusmoin: this monitor acts again: no other one has taken over\n" }, { code, err }, out)
  end)

  it("show whose settings differ, also when a monitor has reloaded others", function()
    local cluster, master = etcd.start(1), pg.master()
    local one = start(cluster, master, "one")
    local two = plusmoin.start { nodes = { master }, triggers = one.config.triggers, nowait = true,
      config = { monitors = { etcd = cluster:urls(), name = "two", ttl = 2 } } }
    local function shows(daemon, name, words)
      local out
      proc.wait_for(("%s to show for %s: %s"):format(daemon.config.monitors.name, name, words), 5, function()
        out = select(2, daemon:cli("monitors"))
        return out:find(("\n%s +%%S[^\n]* %s\n"):format(name, words))
      end, function() return tostring(out) end)
    end
    shows(one, "two", "same")
    two.config.heartbeat = 0.4
    two:reload()
    shows(one, "two", "differ: rules")
    shows(two, "one", "differ: rules")
    one:wait_logged("settings of other monitors differ from ours: rules of two")
    two:wait_logged("settings of other monitors differ from ours: rules of one")
    one.config.heartbeat = 0.4
    one:reload()
    shows(one, "two", "same")
    shows(two, "one", "same")
    one.config.triggers.slave_up = cjson.null
    one.config.nodes[1].name = "renamed"
    one:reload()
    shows(one, "two", "differ: nodes, triggers")
    shows(two, "one", "differ: nodes, triggers")
    one:wait_logged("settings of other monitors differ from ours: nodes, triggers of two")
  end)
end)
