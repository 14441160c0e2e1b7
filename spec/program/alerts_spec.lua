-- What is written about /metrics: the table of plusmoin-window(7), the alerts of conf/prometheus-rules.yml and the
-- dashboard of conf/grafana.json name what there is, and the alerts fire as tests/rules.yml says.
local proc = require "spec.support.proc"
local prometheus = require "spec.support.prometheus"
local scene = require "spec.support.scene"
local texts = require "spec.support.texts"
local web = require "spec.support.web"
local cjson = require "cjson"

local RULES, DASHBOARD = "conf/prometheus-rules.yml", "conf/grafana.json"

-- Families by name: their type, and the names of their labels in order ("le" is every histogram's).
local function rendered()
  local place = web.place()
  scene.start { slaves = 1, config = { http = { listen = place } } }
  local text, families = prometheus.scrape(place), {}
  for _, family in ipairs(prometheus.families(text)) do
    local sample = ("\n" .. text):match("\n" .. family.name .. "([^\n]*) ") or ""
    local labels = {}
    for name in sample:gmatch('([%w_]+)="') do
      labels[#labels + 1] = name ~= "le" and name or nil
    end
    families[family.name] = { type = family.type, labels = table.concat(labels, ", ") }
  end
  return families
end

-- The families that an expression names.
local function named(expr, families)
  local list = {}
  for name in expr:gmatch("plusmoin_[%w_]+") do
    local base = name:gsub("_bucket$", ""):gsub("_sum$", ""):gsub("_count$", "")
    list[#list + 1] = families[name] and name or base
  end
  return list
end

local function assert_named(expr, families)
  local names = named(expr, families)
  for _, name in ipairs(names) do
    assert(families[name], ("%s, of %s, is no metric"):format(name, expr))
  end
  return #names
end

-- All values of that key, wherever they are in the table.
local function collect(value, key, into)
  for name, inner in pairs(value) do
    if type(inner) == "table" then
      collect(inner, key, into)
    elseif name == key then
      into[#into + 1] = inner
    end
  end
  return into
end

local function promtool(...)
  local code, out, err = proc.run({ "promtool", ... }, { as_root = true, cwd = "." })
  assert(code == 0, out .. err)
end

describe("what is written about /metrics", function()
  after_each(function() scene.finish(web.close_all) end)

  it("the page's table is what is there", function()
    local families, said = rendered(), {}
    local rows = texts.match("<!%-%- metrics:begin %-%->\n(.-)<!%-%- metrics:end %-%->")
    for name, kind, labels in rows:gmatch("\n| `(plusmoin_[%w_]+)` | (%w+) |([^|]*)| [^\n]+") do
      said[name] = { type = kind, labels = labels:gsub("`", ""):gsub("^%s+", ""):gsub("%s+$", "") }
    end
    assert.same(families, said)
  end)

  it("alerts are good rules about metrics that there are, each with what to do, and tried", function()
    promtool("check", "rules", RULES)
    promtool("test", "rules", "tests/rules.yml")
    local families, text = rendered(), assert(proc.read_file(RULES))
    local tests, alerts = assert(proc.read_file("tests/rules.yml")), 0
    for rule in text:gsub("%- alert: ", "\0"):gmatch("\0([^\0]+)") do
      local name = rule:match("^%w+")
      alerts = alerts + 1
      assert.is_true(assert_named(rule:match("expr: ([^\n]+)"), families) > 0, name)
      for _, key in ipairs { "severity: [cw]", 'summary: "', 'runbook: "' } do
        assert(rule:find(key), name .. " has no " .. key)
      end
      assert(tests:find("alertname: " .. name .. "\n%s+eval_time: %w+\n%s+exp_alerts:"), name .. " is not tried")
    end
    assert.is_true(alerts >= 15)
  end)

  it("the dashboard asks for metrics that there are", function()
    local families, rules = rendered(), { "groups:\n  - name: x\n    rules:\n" }
    local dashboard = cjson.decode((assert(proc.read_file(DASHBOARD))))
    local exprs = collect(dashboard, "expr", {})
    for i, expr in ipairs(exprs) do
      assert.is_true(assert_named(expr, families) > 0, expr)
      expr = expr:gsub("%$__rate_interval", "1m"):gsub("'", "''")
      rules[#rules + 1] = ("      - {record: 'a:%d', expr: '%s'}\n"):format(i, expr)
    end
    assert.is_true(#exprs >= 20)
    local dir = proc.new_dir("dashboard")
    proc.write_file(dir .. "/rules.yml", table.concat(rules))
    promtool("check", "rules", dir .. "/rules.yml") -- that each can be parsed
  end)
end)
