-- A rolling upgrade of several monitors: one after another is stopped and started again, the one that acts hands over
-- before. Servers die meanwhile.
local etcd = require "spec.support.etcd"
local history = require "spec.support.history"
local monitors = require "spec.support.monitors"
local pg = require "spec.support.pg"
local scene = require "spec.support.scene"

describe("a rolling upgrade of monitors", function()
  after_each(function() scene.finish(history.stop_all, etcd.stop_all) end)

  it("loses no event and runs none twice", function()
    local cluster = etcd.start(1)
    local master, slaves = pg.cluster(1)
    local group = monitors.new { etcd = cluster, nodes = { master, slaves[1] }, ttl = 10 }
    local daemons = { monitors.wait_acts(group:monitor "a"), group:monitor "b", group:monitor "c" }
    local terms = {}
    group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    for i = 1, #daemons do
      local acting = group:acting()
      slaves[1]:kill9()
      assert.equal(0, (acting:cli("monitors", "resign"))) -- the verb waits until another one acts
      acting:stop_and_check()
      local down = group:wait_entry({ what = "end", name = "slave_down", which = 2 }, i)
      acting:start()
      acting:wait_logged("stands by")
      slaves[1]:start()
      terms[i] = group:wait_entry({ what = "end", name = "slave_up", which = 2 }, i).term
      assert.is_true(terms[i] >= down.term and (i == 1 or terms[i] > terms[i - 1]))
    end
    group:assert_none_twice() -- a stop may have cut a run short, which then is one with RERUN
    local seen, events = {}, { slave_down = 0, slave_up = 0 }
    for _, entry in ipairs(group:entries { what = "start" }) do
      local run = entry.id .. " " .. entry.which
      if not seen[run] and events[entry.name] then
        events[entry.name] = events[entry.name] + 1
      end
      seen[run] = true
    end
    assert.same({ slave_down = 2 * #daemons, slave_up = 2 * #daemons }, events, group:diagnose())
    group:wait_all_done(5)
  end)
end)
