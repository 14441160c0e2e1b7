-- The table of the API (lua/plusmoin/api.lua) against the real one: pm, what tables.c pushes, and each row's example.
local api = require "plusmoin.api"
local api_rows = require "spec.support.api_rows"
local cjson = require "cjson"
local peer = require "spec.support.peer"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local said = require "spec.support.said"
local scene = require "spec.support.scene"

-- Says `answer` and closes when a request is whole, or its other half is closed.
local function server(answer, whole)
  return peer.serving(function(client)
    local heard = ""
    client:read_start(function(_, data)
      heard = heard .. (data or "")
      if not data and not whole or data and whole and heard:find(whole) then
        peer.say_and_close(client, answer)
      end
    end)
  end)
end

-- What the examples are said to reach.
local function world()
  local http = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "\r\n\r\n.*}")
  local haproxy = server("# pxname,svname\n")
  return { http, haproxy }, { ["https://alerts.example.com/"] = ("http://127.0.0.1:%d/"):format(http.port),
    ["/run/haproxy/admin.sock"] = "127.0.0.1:" .. haproxy.port }
end

-- The configuration's triggers in Lua: each event is checked, and the examples that are for it run.
local function checking(puts)
  local parts = {}
  for text, put in pairs(puts) do
    parts[#parts + 1] = ("[%q] = %q"):format(text, put)
  end
  return ([[
local check = require "api_check"
local puts = { %s }
local seen = {}
for name, others in pairs(config.triggers) do
  config.triggers[name] = { others, function(event)
    if not seen[name] then
      seen[name] = true
      check.event(event)
      check.examples(event, puts)
    end
  end }
end
]]):format(table.concat(parts, ", "))
end

local ran = {} -- examples; the last test of this file looks at those of all before it

local function note_examples(text)
  assert.is_nil(text:match("example of [^\n]* failed: [^\n]*"))
  for name in text:gmatch("example of ([%w_.]+) ran") do
    ran[name] = true
  end
end

local function assert_set(wanted, found)
  for name in pairs(found) do
    assert.is_true(wanted[name] ~= nil, name .. " is not in the table of the API")
  end
  for name in pairs(wanted) do
    assert.is_true(found[name] ~= nil, "nobody has " .. name)
  end
end

describe("pm", function()
  after_each(scene.finish)

  it("has what the table of the API says, and nothing else", function()
    local real, told = {}, {}
    for _, text in ipairs(api_rows.names_of_pm()) do
      real[text] = true
    end
    for _, row in ipairs(api.rows) do
      if row.name:find("^pm") then
        told[row.name .. " " .. (row.kind == "value" and "userdata" or row.kind)] = true
      end
    end
    assert_set(told, real)
  end)

  it("is what help() and name_of() know in the daemon", function()
    local results = said.say [[
      local api = require "plusmoin.api"
      local near = select(2, api.help("pm.qeury"))
      return api.name_of(pm, pm.query), api.name_of(pm, pm.log.info), api.name_of(pm, pm),
        api.name_of(pm, print) == nil, api.help("pm.query"):match("^[^\n]+"), near[1]
    ]]
    assert.same({ "pm.query", "pm.log.info", "pm", true, "pm.query(target, sql, [params], [options])", "pm.query" },
      results)
  end)
end)

describe("the rows of events, nodes and clusters", function()
  local kept = {}
  after_each(function()
    for _, one in ipairs(kept) do
      one:close()
    end
    kept = {}
    scene.finish()
  end)

  it("name each key that src/script/tables.c sets, and no other", function()
    local sets, told = {}, {}
    local source = assert(proc.read_file("src/script/tables.c"))
    for key in source:gmatch('set_%w+%(L, "([%w_]+)"') do
      sets[key] = true
    end
    for key in source:gmatch('lua_setfield%(L, %-2, "([%w_]+)"') do
      sets[key] = true
    end
    for _, class in ipairs(api.rows) do
      if class.kind == "class" and not class.made then
        for _, row in ipairs(api.below(class.name)) do
          told[api.key(row)] = true
        end
      end
    end
    assert_set(told, sets)
  end)

  it("are those of real events; the examples for them run", function()
    local puts
    kept, puts = world()
    local daemon, master, slaves = scene.start { files = api_rows.files, lua = checking(puts),
      config = { trigger_timeout = 30, state_file = proc.new_dir("state") .. "/state" } }
    local found = {}
    local function take(kind)
      for name in pairs(api_rows.wait(daemon, kind)) do
        found[name] = true
      end
    end
    take "plusmoin_up"
    take "plusmoin_heartbeat"
    slaves[2]:kill9()
    take "slave_down"
    slaves[2]:start()
    take "slave_up"
    slaves[1]:promote()
    take "cluster_created"
    take "split_brain"
    slaves[1]:sql("ALTER TABLE heartbeat OWNER TO postgres; REVOKE ALL ON heartbeat FROM plusmoin", "plusmoin")
    take "node_held"
    master:kill9()
    take "master_down"
    slaves[2]:promote()
    take "master_up"
    proc.wait_for("the examples' end", 10, function()
      return daemon:logged("example of Trigger.timeout ") and daemon:logged("example of Vote.reason ")
        and daemon:logged("example of Event.rival ")
    end, function() return daemon:diagnose() end)
    note_examples(daemon:log())
    daemon:stop_and_check()
    daemon:start()
    proc.wait_for("a restored event", 10, function() return daemon:log():find("rows of [^\n]*Event.restored") end,
      function() return daemon:diagnose() end)
    found["Event.restored"] = true
    for _, row in ipairs(api.rows) do
      local is_rare = row.name:find("^Vote") or row.name == "Event.votes" or row.name == "Event.witnesses"
        or row.name == "Event.term" or row.name == "Event.rerun" -- votes_spec and witness_spec have them
      if row.kind == "field" and not is_rare and not row.name:find("^Trigger") then
        assert.is_true(found[row.name] == true, row.name .. " was in no event")
      end
    end
  end)

  -- Events of files, with all that there may be in them.
  local A, B = { host = "a", server_version = 150004 }, { host = "b", lag = 0.5, master_name = "a:5432" }
  local C = { host = "c", reason = "hung", message = "no answer" }
  local VOTES = { { monitor = "m1", sees = "fails", reason = "hung" }, { monitor = "m2", sees = "cannot say" } }
  local FILES = {
    node_held = { trigger = { host = "a", reason = "full", message = "too many clients" } },
    master_unreachable = { rule = "P6", trigger = A, witnesses = { B }, votes = VOTES, term = 3, rerun = true },
    slave_down = { rule = "S1", trigger = C, lost = { C }, votes = VOTES, restored = true },
    monitor_isolated = { rule = "P7", cluster_id = -1 },
    monitor_reconnected = { rule = "P7", cluster_id = -1 },
  }

  it("are those of events that need more than three servers", function()
    local files = { ["watch.lua"] = 'local check = require "api_check"\nreturn function(event) check.event(event) '
      .. 'check.examples(event, {}) end', ["api_check.lua"] = api_rows.files["api_check.lua"] }
    local daemon = plusmoin.new { files = files, config = { lua = { path = "?.lua" } } }
    local path, all = daemon.dir .. "/event.json", {}
    for name, event in pairs(FILES) do
      event.name, event.cluster_id = name, event.cluster_id or 0
      if event.cluster_id == 0 then
        event.master, event.slaves, event.clusterless = A, { B }, { { host = "d" } }
      end
      proc.write_file(path, cjson.encode(event))
      local code, out, err = daemon:cli("run-trigger", daemon.dir .. "/watch.lua", path)
      assert.equal(0, code, out .. err)
      note_examples(out)
      local seen = assert(out:match("rows of " .. name .. ": ([%w_. ]+)%."), out)
      for field in seen:gmatch("%S+") do
        all[field] = true
      end
    end
    for _, name in ipairs { "Event.witnesses", "Event.votes", "Event.term", "Event.rerun", "Event.restored",
      "Vote.monitor", "Vote.sees", "Vote.reason" } do
      assert.is_true(all[name] == true, name .. " was in no event")
    end
  end)

  it("each has an example that has run", function()
    for _, row in ipairs(api.rows) do
      assert.is_true(ran[row.name] == true, row.name)
    end
  end)
end)
