--- Judges what can refuse a beat although our role has the rights: columns, row level security, rules, triggers and
-- constraints of the table heartbeat, and event triggers. What only the server can evaluate is named as advice.
local answers = require "plusmoin.answers"
local findings = require "plusmoin.check.findings"
local keypath = require "plusmoin.keypath"
local sqltext = require "plusmoin.sqltext"

local get, list, in_database = answers.get, answers.list, findings.in_database
local obstacles = {}

local COLUMNS = { { "cluster_id", "integer" }, { "master", "text" }, { "tstamp", "bigint" } }
local NUMBERS = { int8 = true, numeric = true, float8 = true } -- types that hold a beat's milliseconds
local KINDS = { v = "a view", m = "a materialized view", f = "a foreign table", S = "a sequence", i = "an index",
  I = "an index", c = "a type" }

-- Returns "ALTER TABLE ... rest;" with the database in which it must run.
local function alter(node, rest, ...)
  return in_database(node, ("ALTER TABLE %s %s;"):format(node.table_name, rest:format(...)))
end

-- Whether the column gives back the value that a beat writes into it.
local function holds(node, name, column)
  if name == "tstamp" then
    return NUMBERS[column.base]
  elseif name == "cluster_id" then
    return column.takes
  end
  local most = column.base == "name" and 63 or get(column, "length")
  return column.category == "S" and column.base ~= "bpchar" and column.base ~= "char"
    and not (most and #node.name > most)
end

local function judge_column(node, name, wanted, column, cannot)
  if not column then
    cannot(alter(node, "ADD COLUMN %s %s", name, wanted), "table heartbeat has no column %s", name)
  elseif column.generated or column.identity == "a" then
    cannot(alter(node, "DROP COLUMN %s, ADD COLUMN %s %s", name, name, wanted),
      "column %s of table heartbeat is generated: no beat can be written", name)
  elseif not holds(node, name, column) then
    cannot(in_database(node, ("TRUNCATE %s; ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT, ALTER COLUMN %s TYPE %s USING "
      .. "NULL;"):format(node.table_name, node.table_name, name, name, wanted)),
      "column %s of table heartbeat is of type %s, which cannot hold its values: %s can", name, column.type, wanted)
  end
end

local function judge_columns(node, cannot)
  local by_name = {}
  for _, column in ipairs(list(node.shape, "columns")) do
    by_name[column.name] = column
  end
  for _, row in ipairs(COLUMNS) do
    judge_column(node, row[1], row[2], by_name[row[1]], cannot)
    by_name[row[1]] = nil
  end
  for _, column in ipairs(list(node.shape, "columns")) do
    if by_name[column.name] and not column.generated then
      cannot(alter(node, "ALTER COLUMN %s DROP NOT NULL", sqltext.name(column.name)),
        "column %s of table heartbeat is NOT NULL and has no default: no beat can be written", column.name)
    end
  end
end

-- Returns the expression by which a policy judges the rows of a command; nil: the policy is not for that command.
local function expression(policy, command)
  if policy.command ~= "*" and policy.command ~= command then
    return nil
  end
  local using, check = get(policy, "using"), get(policy, "check")
  return command == "a" and (check or using) or command ~= "a" and using or "true"
end

-- Returns whether the policies allow a command: "yes", "no", or a list of the policies that only the server can
-- evaluate.
local function verdict(policies, command)
  local allowed, unsure = nil, {}
  for _, policy in ipairs(policies) do
    local text = expression(policy, command)
    if text == "false" and not policy.permissive then
      return "no"
    elseif text == "true" and policy.permissive then
      allowed = true
    end
  end
  for _, policy in ipairs(policies) do
    local text = expression(policy, command)
    if text and text ~= "true" and text ~= "false" and not (allowed and policy.permissive) then
      unsure[#unsure + 1] = policy
      allowed = allowed or policy.permissive
    end
  end
  return not allowed and "no" or #unsure == 0 and "yes" or unsure
end

local function open_security(node, policies)
  local name, taken = "plusmoin", {}
  for _, policy in ipairs(policies) do
    taken[policy.name] = true
    if not policy.permissive then
      return alter(node, "DISABLE ROW LEVEL SECURITY")
    end
  end
  while taken[name] do
    name = name .. "_"
  end
  return in_database(node, ("CREATE POLICY %s ON %s TO %s USING (true) WITH CHECK (true);"):format(name,
    node.table_name, sqltext.name(node.user)))
end

local function judge_security(node, cannot, advice)
  if not get(node.shape, "row_security") then
    return
  end
  local policies, refused, unsure = list(node.shape, "policies"), {}, {}
  for _, row in ipairs { { "SELECT", "r" }, { "INSERT", "a" }, { "DELETE", "d" } } do
    local result = verdict(policies, row[2])
    if result == "no" then
      refused[#refused + 1] = row[1]
    end
    for _, policy in ipairs(type(result) == "table" and result or {}) do
      unsure[policy.name] = policy
    end
  end
  if #refused > 0 then
    cannot(open_security(node, policies), "row level security of table heartbeat lets us %s no row",
      table.concat(refused, ", "))
    return
  end
  for _, policy in ipairs(policies) do
    if unsure[policy.name] then
      advice(alter(node, "DISABLE ROW LEVEL SECURITY"), "policy %s of table heartbeat decides on each beat: %s",
        keypath.quote(policy.name), get(policy, "check") or get(policy, "using") or "")
    end
  end
end

local function judge_code(node, cannot, advice)
  for _, name in ipairs(list(node.shape, "rules")) do
    cannot(alter(node, "DISABLE RULE %s", sqltext.name(name)),
      "rule %s of table heartbeat rewrites the beat: it cannot be written", keypath.quote(name))
  end
  for _, name in ipairs(list(node.shape, "triggers")) do
    advice(alter(node, "DISABLE TRIGGER %s", sqltext.name(name)),
      "trigger %s of table heartbeat runs at each beat, and may refuse it", keypath.quote(name))
  end
  for _, constraint in ipairs(list(node.shape, "constraints")) do
    local cure = alter(node, "DROP CONSTRAINT %s", sqltext.name(constraint.name))
    if constraint.of_domain then
      cure = nil
    end
    advice(cure, "constraint %s of table heartbeat must hold for each beat: %s", keypath.quote(constraint.name),
      constraint.text)
  end
end

-- Names each event trigger, because it may refuse CREATE TABLE. The cure makes the table while it is disabled.
local function judge_event_triggers(node, facts, advice)
  for _, trigger in ipairs(list(node.shape, "event_triggers")) do
    local name = sqltext.name(trigger.name)
    advice(in_database(node, ("ALTER EVENT TRIGGER %s DISABLE; %s ALTER TABLE %s.heartbeat OWNER TO %s; ALTER EVENT "
      .. "TRIGGER %s ENABLE%s;"):format(name, sqltext.table(facts.schema), sqltext.name(facts.schema),
      sqltext.name(node.user), name, trigger.enabled == "A" and " ALWAYS" or "")),
      "table heartbeat is missing, and event trigger %s may refuse to let us make it", keypath.quote(trigger.name))
  end
end

--- Judges the table of a node. `cannot(cure, text, ...)` notes why no beat can be written.
function obstacles.judge(node, facts, cannot, advice)
  local kind = get(node.shape, "kind")
  if next(node.shape) == nil or facts.table and not kind then
    advice(nil, "the server does not tell what of table heartbeat could refuse a beat")
    return
  elseif not facts.table then
    if facts.can_create and type(facts.schema) == "string" and not answers.given(facts.publishing) then
      judge_event_triggers(node, facts, advice)
    end
    return
  end
  if KINDS[kind] then
    cannot(nil, "heartbeat is %s, and no table", KINDS[kind])
    return
  end
  judge_columns(node, cannot)
  judge_security(node, cannot, advice)
  judge_code(node, cannot, advice)
end

return obstacles
