--- What `plusmoin check` concludes from what the nodes said, and how it says it.
--
-- A finding is a problem (something will not work: `plusmoin check` ends with 1) or
-- advice. Each has a text and, where there is one, the line that mends it.
local answers = require "plusmoin.answers"
local cjson = require "cjson"
local delay = require "plusmoin.check.delay"
local keypath = require "plusmoin.keypath"
local pool = require "plusmoin.check.pool"
local sqltext = require "plusmoin.sqltext"

local given = answers.given
local check = {}

local CLOCK_SECONDS = 1   -- a difference that people will stumble over when they compare logs
local FREE_SESSIONS = 3   -- one for plusmoin's connection, one while it is replaced, one for an administrator
local DEAD_ROWS = 100000     -- in the table of the beats: each beat reads past them, 6 ms for so many
local TABLE_BYTES = 32 << 20 -- what the table of one row has grown to by half a million of them
local SAME_START = 0.001  -- seconds: two servers do not start in the same millisecond

local function finder(node)
  local function add(fatal, cure, text, ...)
    node.findings[#node.findings + 1] = { fatal = fatal, text = text:format(...), cure = cure }
    node.ok = node.ok and not fatal
  end
  return function(cure, text, ...) add(true, cure, text, ...) end,
    function(cure, text, ...) add(false, cure, text, ...) end
end

local function in_database(node, sql)
  return ("in database %s: %s"):format(node.dbname, sql)
end

-- Whether the server gave this SQLSTATE: the same in each language.
local function said(node, sqlstate)
  return node.message:find(":  " .. sqlstate .. ": ", 1, true) ~= nil
end

local CURES = {
  auth = function(node)
    if said(node, "42501") then
      return ("GRANT CONNECT ON DATABASE %s TO %s;"):format(sqltext.name(node.dbname), sqltext.name(node.user))
    end
    if node.message:find("no password supplied", 1, true) then -- libpq's own words, never translated here
      return "password, or connection.passfile with a line for it that daemon_user alone can read (mode 0600)"
    end
    local address = given(node.own_address)
    if node.host:find("^[/@]") then
      address = false
    end
    return "pg_hba.conf: " .. sqltext.hba(node.dbname, node.user, address) ..
      ("; and the password: %s ALTER ROLE %s LOGIN PASSWORD '...';"):format(sqltext.SCRAM, sqltext.name(node.user))
  end,
  no_database = function(node)
    if said(node, "55000") then
      return ("ALTER DATABASE %s ALLOW_CONNECTIONS true;"):format(sqltext.name(node.dbname))
    end
    return ("CREATE DATABASE %s OWNER %s;"):format(sqltext.name(node.dbname), sqltext.name(node.user))
  end,
  full = function(node)
    if node.message:find("too many connections for role", 1, true) then
      return ("ALTER ROLE %s CONNECTION LIMIT 3; or more, or -1"):format(sqltext.name(node.user))
    elseif node.message:find("too many connections for database", 1, true) then
      return ("ALTER DATABASE %s CONNECTION LIMIT -1; or fewer clients"):format(sqltext.name(node.dbname))
    end
    return "fewer clients, or ALTER SYSTEM SET max_connections = ...; and a restart (and no CONNECTION LIMIT of the " ..
      "role's or the database's)"
  end,
  refused = function() return "start the server; listen_addresses and port of postgresql.conf; the firewall" end,
  dns = function() return "nodes[].host: a name that this machine can look up, or an address" end,
  malformed = function(node)
    return node.message:find("unsupported startup parameter", 1, true)
      and pool.CURE
  end,
  tls = function() return "connection.sslmode, sslrootcert; ssl = on in postgresql.conf" end,
}

local function judge_reach(node, problem)
  if not node.reached or node.is_slave == nil or node.reason ~= "" then
    local cure = CURES[node.reason]
    problem(cure and cure(node), "%s: %s", node.reason, node.message)
    return false
  end
  return true
end

-- May the beat be written here (or, on a slave, when it is promoted)?
local function judge_beat(node, facts, problem)
  local user = sqltext.name(node.user)
  node.can_beat = true
  local function cannot(cure, text, ...)
    node.can_beat = false
    problem(cure and in_database(node, cure), text, ...)
  end
  if facts.default_read_only or not node.is_slave and facts.read_only then
    cannot(("ALTER ROLE %s IN DATABASE %s SET default_transaction_read_only = off;"):format(user,
      sqltext.name(node.dbname)), "transactions are read-only: no beat can be written")
  end
  if given(facts.unlogged) then
    cannot("ALTER TABLE heartbeat SET LOGGED;", "table heartbeat is unlogged: no slave ever sees a beat")
  end
  if facts.table then
    local missing = {}
    for _, right in ipairs { "select", "insert", "delete" } do
      if not facts["can_" .. right] then
        missing[#missing + 1] = right:upper()
      end
    end
    if #missing > 0 then
      cannot(("GRANT SELECT, INSERT, DELETE ON heartbeat TO %s;"):format(user), "no right to %s on table heartbeat",
        table.concat(missing, ", "))
    end
  elseif not given(facts.schema) then
    cannot(("ALTER ROLE %s RESET search_path;"):format(user), "no schema of search_path is there: no place for the " ..
      "table heartbeat")
  elseif given(facts.publishing) then
    cannot(sqltext.TABLE .. " on each subscriber, and then here",
      "table heartbeat is missing, and plusmoin does not make it: publication %s would have it at once, and stop " ..
      "subscribers that lack it", keypath.quote(facts.publishing))
  elseif not facts.can_create then
    cannot(("GRANT CREATE ON SCHEMA %s TO %s;"):format(sqltext.name(facts.schema), user),
      "table heartbeat is missing, and there is no right to make it in schema %s", facts.schema)
  end
end

-- Each beat and each look at a row reads the whole table. A hot standby's is its master's.
local function judge_size(node, facts, advice)
  local bytes, dead = given(facts.table_bytes) or 0, given(facts.dead_rows) or 0
  if facts.recovery or dead < DEAD_ROWS and bytes < TABLE_BYTES then
    return
  end
  advice(in_database(node, "VACUUM FULL heartbeat;") .. " after the end of what keeps old rows: long transactions, " ..
    "prepared ones, slots that nobody reads (pg_stat_activity, pg_prepared_xacts, pg_replication_slots)",
    "table heartbeat has one row that counts, %d dead ones, and %.1f MiB: each beat reads all of it", dead,
    bytes / (1 << 20))
end

local function judge_publication(node, facts, problem, advice)
  if facts.publications == 0 or not facts.table then
    return
  end
  if not facts.published then
    advice(in_database(node, "ALTER PUBLICATION ... ADD TABLE heartbeat;"),
      "there are publications, and none has table heartbeat: a slave that is a subscriber will see no beat")
  elseif facts.identity == false and not facts.owns then
    problem(in_database(node, sqltext.IDENTITY), "table heartbeat is published without a replica identity")
  end
end

local function judge_row(node, by_id, config, problem, advice)
  local name, wrong = given(node.row_master), given(node.row_error) or ""
  local master = name and by_id[name]
  if wrong ~= "" then
    node.can_beat = false
    problem(nil, "table heartbeat cannot be read: %s", wrong)
  elseif not node.is_slave then
    return
  elseif not name then
    advice(nil, "shows no beat yet: plusmoin has not run, or its master's beats do not arrive")
  elseif not master then
    advice(nil, "its last beat names %s, which is no configured node (another monitor's name for its master, or " ..
      "a master that is not in nodes)", keypath.quote(name))
  elseif given(master.row_time) and master.row_time - node.row_time > config.max_sync_delay then
    advice(nil, "the beat that it shows is %.0f s older than its master's: out of sync",
      master.row_time - node.row_time)
  end
end

local function judge_clock(node, facts, advice)
  node.clock = facts.now - node.asked
  local uncertain = node.rtt / 2
  if math.abs(node.clock) - uncertain > CLOCK_SECONDS then
    advice("NTP on both machines", "its clock is %.1f s %s this machine's", math.abs(node.clock),
      node.clock > 0 and "ahead of" or "behind")
  end
end

local function judge_settings(facts, config, advice)
  local receiver = given(facts.wal_receiver_timeout_ms)
  if receiver == 0 then
    advice("ALTER SYSTEM SET wal_receiver_timeout = '60s';",
      "wal_receiver_timeout is 0: a slave whose master vanished without a word keeps waiting for it")
  elseif receiver and receiver / 1000 > config.max_sync_delay then
    advice(("ALTER SYSTEM SET wal_receiver_timeout = '%ds';"):format(math.max(1, config.max_sync_delay // 2)),
      "wal_receiver_timeout is %g s: a slave is out of sync (%g s) before it notices a dead link to its master",
      receiver / 1000, config.max_sync_delay)
  end
  local idle = given(facts.idle_session_timeout_ms) or 0
  if idle > 0 and idle / 1000 < config.heartbeat then
    advice(nil, "idle_session_timeout (%g s) is below heartbeat; plusmoin turns it off for its own session",
      idle / 1000)
  end
  local free = facts.max_connections - facts.reserved - facts.sessions
  if free < FREE_SESSIONS then
    advice("ALTER SYSTEM SET max_connections = ...; and a restart, or fewer clients",
      "only %d of its %d connections are free for ordinary roles", math.max(0, free), facts.max_connections)
  end
end

local function facts_of(node, advice)
  local text = given(node.facts)
  local facts = text and cjson.decode(text)
  if not facts then
    advice(nil, "the server does not tell its settings and rights (it must be PostgreSQL 10 or later)")
  end
  return facts
end

local function judge(node, fleet, by_id)
  local config = delay.config_of(node, fleet)
  local problem, advice = finder(node)
  if not judge_reach(node, problem) then
    return
  end
  local facts = facts_of(node, advice)
  if facts then
    pool.judge(node, facts, problem)
    judge_beat(node, facts, problem)
    judge_size(node, facts, advice)
    judge_publication(node, facts, problem, advice)
    judge_clock(node, facts, advice)
    judge_settings(facts, config, advice)
    delay.judge(facts, config, fleet, advice)
    if type(facts.system_id) == "string" and math.type(facts.started) then
      node.system, node.started = facts.system_id, facts.started
    end
  end
  judge_row(node, by_id, config, problem, advice)
end

-- What nodes of one server have in common, but for `near` (-1, 0, 1): how far their starts are rounded apart.
local function server_key(node, near)
  return node.system .. " " .. (node.started // SAME_START + near)
end

-- The first place in `nodes` that `seen` has of the node's server, and the first with its database there; nil: none.
local function twins_of(node, nodes, seen)
  local first, rival
  local function nearer(place, best)
    if place and (not best or place < best) and math.abs(node.started - nodes[place].started) < SAME_START then
      return place
    end
    return best
  end
  for near = -1, 1 do
    local there = seen[server_key(node, near)] or {}
    first, rival = nearer(there[1], first), nearer(there[node.dbname], rival)
  end
  return first, rival
end

-- One server under two names would be its own rival. Each is told the first twin that it has: a server may have
-- thousands of databases.
local function find_twins(nodes)
  local seen = {} -- server_key -> the first place, and by database
  for i, node in ipairs(nodes) do
    if node.system then
      local problem, advice = finder(node)
      local first, rival = twins_of(node, nodes, seen)
      if rival then
        problem("remove one of the two from nodes", "is the same server as %s", nodes[rival].name)
      elseif first then
        advice(nil, "is the same server as %s, by another database: two clusters, for plusmoin", nodes[first].name)
      end
      local key = server_key(node, 0)
      seen[key] = seen[key] or { i }
      seen[key][node.dbname] = seen[key][node.dbname] or i
    end
  end
end

-- A fleet has somebody to send beats to.
local function find_masters(nodes)
  local masters, answered = 0, 0
  for _, node in ipairs(nodes) do
    answered = answered + (node.is_slave ~= nil and 1 or 0)
    masters = masters + (node.is_slave == false and 1 or 0)
  end
  return answered > 0 and masters == 0
end

-- How soon a door that is shut is noticed, in words; nil: never.
local function fresh_text(config)
  local every = config.fresh_connect
  if not every or every == 0 then
    return nil
  end
  local again = config.down_after - 1 -- a door that is shut is tried again after retry_interval
  local more = again > 0 and (" + %d x (retry_interval + query_timeout)"):format(again) or ""
  return ("A server that answers us but lets nobody else in is noticed within %g s (fresh_connect_interval "
    .. "+ query_timeout%s%s)."):format(every + config.query_timeout +
      again * (config.retry_interval + config.query_timeout), more, every > config.fresh_connect_interval
      and (": for %d nodes fresh_connect_interval counts as %g"):format(#config.nodes, every) or "")
end

-- Of the limit of whoever runs the check: the daemon's may be another.
local function fit_text(config)
  if config.fit and config.fit < #config.nodes then
    return ("advice: started from here plusmoin may have %d descriptors, into which about %d of %d nodes fit; cure: a "
      .. "greater limit (LimitNOFILE= of the unit, ulimit -Hn)"):format(config.descriptors, config.fit, #config.nodes)
  end
end

--- Judges what was found (a table as src/command/check.c writes it). Returns {ok =,
-- detect_seconds =, no_master =, nodes = {{name, host, port, ok, reached, is_slave,
-- server_version, can_beat, clock, findings = {{text, cure, fatal}}}}}.
function check.judge(config)
  local by_id, result = {}, { ok = true, nodes = config.nodes }
  for _, node in ipairs(config.nodes) do
    by_id[node.id] = node
    node.findings, node.ok, node.can_beat = {}, true, false
    node.is_slave = given(node.is_slave)
  end
  for _, node in ipairs(config.nodes) do
    if not pcall(judge, node, config, by_id) then -- anybody may listen there
      node.can_beat, node.clock = false, nil
      finder(node)(nil, "what the server tells of itself cannot be understood: is it a PostgreSQL server?")
    end
  end
  find_twins(config.nodes)
  result.no_master = find_masters(config.nodes)
  for _, node in ipairs(config.nodes) do
    result.ok = result.ok and node.ok
  end
  -- contract: the worst case to detect a loss that breaks no connection
  result.detect_seconds = config.heartbeat + config.down_after * config.query_timeout +
    (config.down_after - 1) * config.retry_interval
  result.detect_text = ("%g + %d x %g + %d x %g"):format(config.heartbeat, config.down_after, config.query_timeout,
    config.down_after - 1, config.retry_interval)
  result.fresh_text = fresh_text(config)
  result.fit_text = fit_text(config)
  return result
end

local function version_text(version)
  if version <= 0 then
    return "-"
  elseif version >= 100000 then
    return ("%d.%d"):format(version // 10000, version % 10000)
  end
  return ("%d.%d.%d"):format(version // 10000, version // 100 % 100, version % 100)
end

local function role_of(node)
  if node.is_slave == nil then
    return nil
  end
  return node.is_slave and "slave" or "master"
end

local function cells_of(node)
  return {
    keypath.escape(node.name), node.reached and "yes" or node.reason, role_of(node) or "-",
    version_text(node.server_version), node.is_slave == nil and "-" or node.can_beat and "yes" or "no",
    node.clock and ("%+.1f s"):format(node.clock) or "-",
  }
end

local HEAD = { "NODE", "REACHED", "ROLE", "VERSION", "MAY BEAT", "CLOCK" }

local function table_lines(out, nodes)
  local rows, widths = { HEAD }, {}
  for _, node in ipairs(nodes) do
    rows[#rows + 1] = cells_of(node)
  end
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, #cell)
    end
  end
  for _, row in ipairs(rows) do
    local parts = {}
    for i, cell in ipairs(row) do
      parts[i] = cell .. (" "):rep(widths[i] - #cell)
    end
    out[#out + 1] = (table.concat(parts, "  "):gsub("%s+$", ""))
  end
end

local function finding_lines(out, node)
  for _, finding in ipairs(node.findings) do
    out[#out + 1] = ("%s: %s: %s"):format(keypath.escape(node.name), finding.fatal and "PROBLEM" or "advice",
      keypath.escape(finding.text))
    if finding.cure then
      out[#out + 1] = "    " .. keypath.escape(finding.cure)
    end
  end
end

--- The findings for people.
function check.text(result)
  local out = {}
  if #result.nodes > 0 then
    table_lines(out, result.nodes)
  else
    out[1] = "no nodes are configured: there is nothing to watch"
  end
  for _, node in ipairs(result.nodes) do
    finding_lines(out, node)
  end
  if result.no_master then
    out[#out + 1] = "advice: no node is a master now: slaves stay clusterless until one is"
  end
  out[#out + 1] = ("A loss that breaks no connection is detected within %g s (heartbeat + down_after x query_timeout"
    .. " + (down_after - 1) x retry_interval: %s)."):format(result.detect_seconds, result.detect_text)
  if result.fit_text then
    out[#out + 1] = result.fit_text
  end
  if result.fresh_text then
    out[#out + 1] = result.fresh_text
  end
  out[#out + 1] = result.ok and "All will work." or "Something will not work: see PROBLEM above."
  return table.concat(out, "\n") .. "\n"
end

local function json_list(items)
  return "[" .. table.concat(items, ", ") .. "]" -- cjson knows no empty list
end

--- The findings as the contract's JSON.
function check.json(result)
  local nodes = {}
  for i, node in ipairs(result.nodes) do
    local problems = {}
    for j, finding in ipairs(node.findings) do
      problems[j] = cjson.encode((finding.fatal and "" or "advice: ") .. finding.text)
    end
    local role = role_of(node)
    nodes[i] = ('{"host": %s, "port": %d, "ok": %s, "reached": %s, "role": %s, "server_version": %s, ' ..
      '"can_beat": %s, "problems": %s}'):format(cjson.encode(node.host), node.port, node.ok, node.reached,
      role and cjson.encode(role) or "null", node.server_version > 0 and ("%d"):format(node.server_version) or "null",
      node.can_beat, json_list(problems))
  end
  return ('{"ok": %s, "detect_seconds": %s, "nodes": %s}\n'):format(result.ok, cjson.encode(result.detect_seconds),
    json_list(nodes))
end

--- What to print for the findings `text` (JSON), and whether all will work.
function check.report(text, as_json)
  local result = check.judge(cjson.decode(text))
  return as_json and check.json(result) or check.text(result), result.ok
end

return check
