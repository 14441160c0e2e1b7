-- What `plusmoin runs` prints.
local cjson = require "cjson"
local runs = require "plusmoin.runs"

local NULL = cjson.null

local function lines(text)
  local list = {}
  for line in text:gmatch("([^\n]*)\n") do
    list[#list + 1] = line
  end
  return list
end

-- A row of an answer, with `more` in it.
local function row(id, more)
  local found = { id = id, state = "running", since = 940, waits_for = NULL, waits_since = NULL, behind = NULL,
    trigger = "triggers.slave_down[1]", kind = "lua", pid = NULL, name = "slave_down", event = "900-7", cluster_id = 3,
    node = "db2" }
  for key, value in pairs(more or {}) do
    found[key] = value
  end
  return found
end

local function cells(line)
  local found = {}
  for cell in (line .. "  "):gmatch("(.-)   *") do
    found[#found + 1] = cell
  end
  return found
end

describe("runs", function()
  local since = os.date("%Y-%m-%d %H:%M:%S", 940) .. " (1 min)"

  it("are a line each, as the daemon sorts them", function()
    local found = lines(runs.render({ ok = true, running = 3, waiting = 2, runs = {
      row("7.1", { waits_for = "query", waits_since = 970 }),
      row("9", { kind = "command", pid = 4711, state = "ending", name = "plusmoin_heartbeat", node = NULL }),
      row("12", { cluster_id = -1 }),
      row("7.2", { state = "waiting", waits_for = "turn", waits_since = 940, behind = "7.1" }),
      row("8", { state = "waiting", waits_for = "place", waits_since = 940, kind = "command" }),
    } }, 1000))
    assert.equal(6, #found)
    assert.same({ "ID", "STATE", "SINCE", "WAITS FOR", "TRIGGER", "KIND", "EVENT", "CLUSTER", "NODE" }, cells(found[1]))
    local last = { "triggers.slave_down[1]", "lua", "slave_down 900-7", "3", "db2" }
    assert.same({ "7.1", "running", since, "pm.query (30 s)", table.unpack(last) }, cells(found[2]))
    assert.same({ "9", "ending", since, "-", last[1], "command, pid 4711", "plusmoin_heartbeat 900-7", "3", "-" },
      cells(found[3]))
    assert.same({ "12", "running", since, "-", last[1], "lua", last[3], "-", "db2" }, cells(found[4]))
    assert.same({ "7.2", "waiting", since, "its turn (behind 7.1)", table.unpack(last) }, cells(found[5]))
    assert.same({ "8", "waiting", since, "a place (trigger_parallel)", last[1], "command", table.unpack(last, 3) },
      cells(found[6]))
  end)

  it("may be more than are listed, or none", function()
    assert.equal("1 of 60003 are listed: 3 run, 60000 wait",
      lines(runs.render({ running = 3, waiting = 60000, runs = { row "1" } }, 1000))[3])
    assert.equal("nothing runs, and nothing waits\n", runs.render({ running = 0, waiting = 0, runs = {} }, 1000))
  end)

  it("are the acting monitor's", function()
    local text = runs.render({ running = 0, waiting = 0, runs = {}, monitors = { acts = false, acting = "a" } }, 1000)
    assert.equal("standing by (a acts)\nnothing runs, and nothing waits\n", text)
    assert.equal("acting", lines(runs.render({ runs = { row "1" }, monitors = { acts = true } }, 1000))[1])
  end)

  it("that were ended are told in a line", function()
    for state, words in pairs { running = "it runs, and is ended", waiting = "it waited, and does not run",
      ending = "it is being ended already" } do
      assert.equal("7.1: triggers.slave_down[1] of slave_down 900-7: " .. words .. "\n",
        runs.render_killed { ok = true, run = row("7.1", { state = state }) })
    end
  end)

  it("are shown whatever the answer holds", function()
    for _, list in ipairs { {}, { 5 }, { NULL }, { {} }, "x",
      { { id = 5, since = "x", pid = "1", behind = 7, cluster_id = {} } },
      { { id = "\27[2J", waits_for = "\27", behind = "\27", state = 7 } } } do
      local text = runs.render({ runs = list, running = "x", waiting = {} }, 1000)
      assert.is_nil(text:find("\27", 1, true))
      assert.truthy(text:find("\n$"))
      assert.is_nil(runs.render_killed({ run = list[1] }):find("\27", 1, true))
    end
    assert.equal("nothing runs, and nothing waits\n", runs.render({}, 1))
  end)
end)
