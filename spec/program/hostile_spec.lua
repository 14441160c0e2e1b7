-- Triggers that do harm (tests/hostile, a file each): the daemon stays healthy,
-- the culprit is named, and whoever runs beside it does not notice.
local fleet = require "spec.support.fleet"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

local DIR = "tests/hostile/"
local STALLS = { pattern = true } -- holds its host in one C call, and so everybody on it

-- What each culprit's file begins with: the words, "|" between, one of which the log must have.
local function culprits()
  local list = {}
  for name in uv.fs_scandir_next, assert(uv.fs_scandir(DIR)) do
    local text = assert(proc.read_file(DIR .. name))
    local expects = {}
    for words in text:match("^%-%- expects: ([^\n]*)"):gmatch("[^|]+") do
      expects[#expects + 1] = words:match("^%s*(.-)%s*$")
    end
    list[#list + 1] = { name = name:gsub("%.lua$", ""), text = text, expects = expects }
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local BODY = [[
local pm = require "plusmoin"
local dir, here = DIR, {}
for _, node in ipairs(config.nodes) do
  if node.name ~= "bystander" then
    here[node.name] = assert(loadfile(dir .. node.name .. ".lua"))()
  end
end
function here.bystander()
  local worst = 0
  for _ = 1, 8 do
    local before = pm.now()
    pm.sleep(0.3)
    worst = math.max(worst, pm.now() - before)
  end
  pm.log.info("bystander worst %.3f", worst)
end
config.triggers.plusmoin_up = function(event)
  local name = event.master.name
  pm.log.info("begins %s .", name)
  here[name](event)
end
config.triggers.cluster_created = config.triggers.plusmoin_up -- one that answered late at the start
config.triggers.plusmoin_heartbeat = function(event)
  collectgarbage()
  pm.log.info("alive %s with %d KiB", event.master.name, collectgarbage("count") // 1 | 0)
end
]]

-- A plusmoin on whose clusters each of these runs, and a bystander. `patience`: of a host that one of them is to
-- hold; else on a busy machine nobody does so by chance.
local function start(list, timeout, patience)
  local names, files = { "bystander" }, {}
  for _, culprit in ipairs(list) do
    names[#names + 1] = culprit.name
    files[culprit.name .. ".lua"] = culprit.text
  end
  local server, nodes = fleet.start(names)
  local daemon = plusmoin.new { nodes = {}, files = files,
    config = { nodes = nodes, trigger_timeout = timeout, heartbeat = 1, query_timeout = 5, log_level = "info",
      lua = { patience = patience or 60 } } }
  daemon.config_path = daemon.dir .. "/plusmoin.lua"
  proc.write_file(daemon.config_path, daemon:lua((BODY:gsub("DIR", ("%q"):format(daemon.dir .. "/")))))
  daemon:start()
  return daemon, server
end

-- The line that ends the culprit's run; nil while there is none.
local function ending(log, culprit)
  local cluster = log:match(" begins " .. culprit.name .. " %. (cluster=%d+) ")
  for line in (cluster and log or ""):gmatch("[^\n]+") do
    local ended = line:find(" failed after ", 1, true) or line:find(" timed out and ", 1, true) or
      line:find(" done in ", 1, true)
    if ended and line:find(cluster .. " ", 1, true) and not line:find("event=plusmoin_heartbeat", 1, true) then
      return line
    end
  end
end

-- `also`: further words that will do.
local function check(daemon, list, seconds, also)
  for _, culprit in ipairs(list) do
    local line = proc.wait_for("the end of " .. culprit.name, seconds, function()
      return ending(daemon:log(), culprit)
    end, function() return daemon:diagnose() end)
    local found = false
    for _, words in ipairs { also or culprit.expects[1], table.unpack(culprit.expects) } do
      found = found or line:find(words, 1, true) ~= nil
    end
    assert.is_true(found, culprit.name .. " ended otherwise: " .. line:sub(1, 200))
    if not line:find(" done in ", 1, true) then
      -- in a crowd one may have been ended before its first line was seen
      assert.truthy(line:find((also and "[%w_]+" or culprit.name) .. ".lua:%d+"),
        "without file and line: " .. line:sub(1, 200))
    end
  end
end

-- Every cluster's function runs again, and the memory is back.
local function check_healthy(daemon, list, seconds)
  local from = #daemon:log()
  local names = { { name = "bystander" }, table.unpack(list) }
  for _, culprit in ipairs(names) do
    proc.wait_for("a heartbeat of " .. culprit.name .. " with little memory", seconds, function()
      local last
      for kib in daemon:log():sub(from):gmatch(" alive " .. culprit.name .. " with (%d+) KiB") do
        last = tonumber(kib)
      end
      return last and last < 48 * 1024
    end, function() return daemon:diagnose() end)
  end
  assert.is_true(daemon:ask({ request = "status" }).ok)
end

describe("hostile triggers", function()
  after_each(scene.finish)

  it("all at once, beside a bystander whose pm.sleep(0.3) takes 0.3 s", function()
    local list = {}
    for _, culprit in ipairs(culprits()) do
      if not STALLS[culprit.name] then
        list[#list + 1] = culprit
      end
    end
    assert.is_true(#list >= 50)
    local daemon = start(list, 12) -- the bystander's 8 x 0.3 s, late as they may be here
    for _, culprit in ipairs(list) do -- in a crowd others may take the memory first
      table.insert(culprit.expects, "memory")
    end
    check(daemon, list, 60, "timed out")
    local line = proc.wait_for("the bystander", 60, function()
      return ending(daemon:log(), { name = "bystander" })
    end, function() return daemon:diagnose() end)
    assert.truthy(line:find(" done in ", 1, true), line)
    local worst = tonumber(daemon:log():match("bystander worst ([%d.]+)"))
    assert.is_true(worst < 0.3 + 4, "the bystander slept " .. tostring(worst))
    check_healthy(daemon, list, 60)
  end)

  for _, culprit in ipairs(culprits()) do
    it("alone: " .. culprit.name .. " #hostile", function()
      local loops = culprit.expects[1] == "timed out"
      local stalls = STALLS[culprit.name]
      local daemon = start({ culprit }, stalls and 60 or loops and 0.7 or 5, -- memory takes its time under ASan
        stalls and 2 or nil)
      check(daemon, { culprit }, 40)
      local worst = proc.wait_for("the bystander", 30, function()
        return tonumber(daemon:log():match("bystander worst ([%d.]+)")) or daemon:logged("bystander.lua") or
          daemon:logged("timed out", "cluster=") or daemon:logged("its script host gives no sign", "cluster=")
      end)
      assert.truthy(worst)
      check_healthy(daemon, { culprit }, 40)
    end)
  end
end)
