--- What `plusmoin check` concludes from what the nodes said.
--
-- A finding is a problem (something will not work: `plusmoin check` ends with 1) or
-- advice. Each has a text and, where one is known, its cure: the line that mends it. Each
-- file of check/ looks at one matter.
local answers = require "plusmoin.answers"
local beat = require "plusmoin.check.beat"
local cjson = require "cjson"
local delay = require "plusmoin.check.delay"
local facts = require "plusmoin.check.facts"
local files = require "plusmoin.check.files"
local findings = require "plusmoin.check.findings"
local members = require "plusmoin.check.members"
local network = require "plusmoin.check.network"
local pool = require "plusmoin.check.pool"
local programs = require "plusmoin.check.programs"
local reach = require "plusmoin.check.reach"
local rivals = require "plusmoin.check.rivals"
local row = require "plusmoin.check.row"
local show = require "plusmoin.check.show"
local tuning = require "plusmoin.check.tuning"
local twins = require "plusmoin.check.twins"
local window = require "plusmoin.check.window"

local given = answers.given
local check = {}

-- Returns what the server tells of its settings and rights (nil: nothing), and sets node.shape to what it tells of
-- the table heartbeat, and node.table_name to that table's name in SQL. Raises an error where an answer is malformed.
local function facts_of(node, advice)
  local text, shape = given(node.facts), given(node.table)
  node.shape = shape and assert(facts.of_table(shape)) or {}
  node.table_name = answers.get(node.shape, "name") or "heartbeat"
  if not text then
    advice(nil, "the server does not tell its settings and rights (it must be PostgreSQL 10 or later)")
  end
  return text and assert(facts.of_server(text))
end

local function judge(node, fleet, by_id)
  local config = delay.config_of(node, fleet)
  local problem, advice = findings.of(node)
  if not reach.judge(node, problem) then
    return
  end
  local told = facts_of(node, advice)
  if told then
    beat.judge(node, told, problem, advice)
    tuning.judge(node, told, config, advice)
    delay.judge(told, config, fleet, advice)
    pool.judge(node, told, problem)
    twins.note(node, told)
  end
  row.judge(node, by_id, config, problem, advice)
end

-- Returns true when some nodes said what they are, and none of them is a master: no beat can be written then.
local function find_masters(nodes)
  local masters, answered = 0, 0
  for _, node in ipairs(nodes) do
    answered = answered + (node.is_slave ~= nil and 1 or 0)
    masters = masters + (node.is_slave == false and 1 or 0)
  end
  return answered > 0 and masters == 0
end

-- Returns a sentence that says how soon plusmoin notices a server that answers on the kept connection and refuses new
-- ones; nil where plusmoin makes no fresh connections.
local function fresh_text(config)
  local every = config.fresh_connect
  if not every or every == 0 then
    return nil
  end
  local again = config.down_after - 1 -- a failed fresh connection is tried again after retry_interval
  local more = again > 0 and (" + %d x (retry_interval + query_timeout)"):format(again) or ""
  return ("A server that answers us but lets nobody else in is noticed within %g s (fresh_connect_interval "
    .. "+ query_timeout%s%s)."):format(every + config.query_timeout +
      again * (config.retry_interval + config.query_timeout), more, every > config.fresh_connect_interval
      and (": for %d nodes fresh_connect_interval counts as %g, for a login costs %.1f ms of processor time, and fresh "
      .. "ones take a quarter of a core at the most"):format(#config.nodes, every, config.login_cost_us / 1000) or "")
end

-- Advice when the nodes need more descriptors than whoever runs the check may have; nil: they fit. The daemon's own
-- limit may be another one.
local function fit_text(config)
  if config.fit and config.fit < #config.nodes then
    return ("advice: started from here plusmoin may have %d descriptors, into which about %d of %d nodes fit; cure: a "
      .. "greater limit (LimitNOFILE= of the unit, ulimit -Hn)"):format(config.descriptors, config.fit, #config.nodes)
  end
end

local function add_findings(result, list)
  for _, finding in ipairs(list) do
    result.settings[#result.settings + 1] = finding
    result.ok = result.ok and not finding.fatal
  end
end

--- Judges what the nodes answered (a table as src/command/check.c writes it). Returns {ok =,
-- detect_seconds =, no_master =, nodes = {{name, host, port, ok, reached, is_slave,
-- server_version, can_beat, clock, findings = {{text, cure, fatal}}}},
-- programs and settings = {{path, text, cure, fatal}}, members = of members.judge()}.
function check.judge(config)
  local by_id, result = {}, { ok = true, nodes = config.nodes }
  for _, node in ipairs(config.nodes) do
    by_id[node.id] = node
    node.findings, node.ok, node.can_beat = {}, true, false
    node.is_slave = given(node.is_slave)
  end
  for _, node in ipairs(config.nodes) do
    if not pcall(judge, node, config, by_id) then -- any program may listen there
      node.can_beat, node.clock = false, nil
      findings.of(node)(nil, "what the server tells of itself cannot be understood: is it a PostgreSQL server?")
    end
  end
  twins.find(config.nodes)
  rivals.find(config.nodes)
  result.no_master = find_masters(config.nodes)
  for _, node in ipairs(config.nodes) do
    result.ok = result.ok and node.ok
  end
  result.programs = programs.judge(answers.list(config, "programs"))
  for _, finding in ipairs(result.programs) do
    result.ok = result.ok and not finding.fatal
  end
  result.settings = network.judge(config)
  add_findings(result, files.judge(answers.list(config, "files")))
  local of_window, of_members
  of_window, result.window_text = window.judge(given(config.window))
  add_findings(result, of_window)
  of_members, result.members, result.members_text = members.judge(given(config.monitors))
  add_findings(result, of_members)
  -- the contract's worst case: the loss breaks no connection
  result.detect_seconds = config.heartbeat + config.down_after * config.query_timeout +
    (config.down_after - 1) * config.retry_interval
  result.detect_text = ("%g + %d x %g + %d x %g"):format(config.heartbeat, config.down_after, config.query_timeout,
    config.down_after - 1, config.retry_interval)
  result.fresh_text = fresh_text(config)
  result.fit_text = fit_text(config)
  return result
end

--- Returns what to print for `text` (the nodes' answers as JSON), and whether all will work.
function check.report(text, as_json)
  local result = check.judge(cjson.decode(text))
  return as_json and show.json(result) or show.text(result), result.ok
end

return check
