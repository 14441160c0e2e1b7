-- plusmoin.roles: who should take writes and who reads.
local roles = require "plusmoin.roles"

-- A node table; `words`: its other fields.
local function node(name, state, words)
  local made = { host = name, port = 5432, name = name, state = state, is_slave = state == "slave" }
  for key, value in pairs(words or {}) do
    made[key] = value
  end
  return made
end

-- A cluster as pm.clusters() has it, from "master, slave slave, lost" by name.
local function cluster(id, master, slaves, lost, clusterless)
  local function list(names, state, words)
    local nodes = {}
    for i, name in ipairs(names or {}) do
      nodes[i] = node(name, state, words)
    end
    return nodes
  end
  return { cluster_id = id, master = master and node(master, "master") or nil, slaves = list(slaves, "slave"),
    lost = list(lost, "lost", { reason = "refused" }), clusterless = clusterless or {} }
end

-- All nodes of the clusters, by name.
local function all_of(clusters)
  local names = {}
  for _, one in ipairs(clusters) do
    for _, list in ipairs { { one.master }, one.slaves, one.lost, one.clusterless } do
      for _, each in ipairs(list) do
        names[#names + 1] = each.name
      end
    end
  end
  return table.concat(names, " ")
end

local function set(names)
  local ids = {}
  for name in names:gmatch("%S+") do
    ids[name .. ":5432"] = true
  end
  return ids
end

-- Writer's name or false, readers in order, problem.
local function decide(clusters, before, options)
  options = options or {}
  local listed = set(options.listed or all_of(clusters))
  local decided = roles.decide(clusters, listed, set(options.readable or "a b c d"), before and before .. ":5432",
    options.master_reads or "alone")
  local readers = {}
  for id in pairs(decided.readers) do
    readers[#readers + 1] = id:match("^[^:]+")
  end
  table.sort(readers)
  return decided.writer and decided.writer.name or false, table.concat(readers, " "), decided.problem, decided
end

-- Writer and readers are these.
local function check(writer, readers, clusters, before, options)
  assert.same({ writer, readers }, { table.unpack({ decide(clusters, before, options) }, 1, 2) })
end

describe("plusmoin.roles", function()
  it("the master writes, slaves in sync read", function()
    check("a", "b c", { cluster(0, "a", { "b", "c" }, { "d" }) })
    check("a", "c", { cluster(0, "a", { "b", "c" }) }, "a", { readable = "a c" })
  end)

  it("the master reads as it is told", function()
    local alone, together = { cluster(0, "a", {}, { "b" }) }, { cluster(0, "a", { "b" }) }
    check("a", "a", alone, "a")
    check("a", "", alone, "a", { master_reads = "never" })
    check("a", "b", together, "a")
    check("a", "a b", together, "a", { master_reads = "always" })
  end)

  it("nobody writes while the only seat is empty; readers go on", function()
    check(false, "b c", { cluster(0, nil, { "b", "c" }, { "a" }) }, "a")
    check("b", "c", { cluster(0, "b", { "c" }, { "a" }) }, "a")
    check("b", "c", { cluster(0, "b", { "c" }, { "a" }) })
  end)

  it("in a split the writer stays, then its cluster's next master, then the only other one", function()
    check("a", "c", { cluster(0, "a", { "c" }), cluster(1, "b") }, "a")
    check("b", "b", { cluster(0, "a", { "c" }), cluster(1, "b") }, "b")
    check("c", "c", { cluster(0, "c", {}, { "a" }), cluster(1, "b") }, "a")
    check("b", "b", { cluster(0, nil, { "c" }, { "a" }), cluster(1, "b") }, "a")
    local three = { cluster(0, nil, {}, { "a" }), cluster(1, "b"), cluster(2, "c", { "d" }) }
    local writer, readers, problem = decide(three, "a")
    assert.same({ false, "" }, { writer, readers })
    assert.truthy(problem:find("b, c are masters of different clusters", 1, true))
  end)

  it("of two masters and no writer so far none is taken", function()
    local writer, _, problem = decide { cluster(0, "a"), cluster(1, "b") }
    assert.is_false(writer)
    assert.truthy(problem)
    check("a", "a", { cluster(0, "a"), cluster(1, "b") }, nil, { listed = "a" })
  end)

  it("a new master that is not listed takes no writes, and nobody does in its place", function()
    local writer, _, problem = decide({ cluster(0, "b", {}, { "a" }), cluster(1, "c") }, "a", { listed = "a c" })
    assert.is_false(writer)
    assert.equal("the master b is none of the servers", problem)
  end)

  it("what is not known yet is not judged", function()
    local others = { node("a", "clusterless"), node("c", "clusterless", { reason = "refused" }) }
    local young = cluster(0, "b", {}, {}, others)
    local writer, _, problem, decided = decide({ young }, "a")
    assert.same({ false, nil, true }, { writer, problem, decided.undecided })
    assert.is_false(decided.known("a:5432"))
    assert.is_false(decided.known("d:5432"))
    assert.is_true(decided.known("c:5432") and decided.lost("c:5432") and not decided.lost("b:5432"))
    assert.is_true(select(4, decide { young }).undecided) -- a may be a master as well
    assert.same({ "b" }, { (decide({ young }, "b")) })
    -- c is down, and nobody knows whose it was
    assert.same({ "b" }, { (decide({ cluster(0, "b", {}, {}, { others[2] }) }, "c", { listed = "b c" })) })
    assert.same({ false }, { (decide({}, "a")) })
  end)
end)
