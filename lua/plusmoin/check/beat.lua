--- Whether the beat can be written to a node's table, and will be seen.
local answers = require "plusmoin.answers"
local findings = require "plusmoin.check.findings"
local keypath = require "plusmoin.keypath"
local obstacles = require "plusmoin.check.obstacles"
local sqltext = require "plusmoin.sqltext"

local get, given, list, in_database = answers.get, answers.given, answers.list, findings.in_database
local beat = {}

local DEAD_ROWS = 100000     -- of the table heartbeat: each beat reads past them, which takes 6 ms for so many
local TABLE_BYTES = 32 << 20 -- the size to which half a million dead rows bring a table of one row

-- Where a setting's value comes from (pg_settings.source), in the words of who set it.
local PLACES = {
  ["database user"] = "ALTER ROLE ... IN DATABASE", user = "ALTER ROLE", database = "ALTER DATABASE",
  global = "ALTER ROLE ALL", ["configuration file"] = "postgresql.conf or ALTER SYSTEM",
  ["command line"] = "the server's command line", client = "connection.options",
}

local function place_of(source)
  return PLACES[source] and ", by " .. PLACES[source] or ""
end

-- Returns the SQL that changes a setting for our role in this database alone; nil and words where only the
-- configuration's connection.options can change it. Such a setting wins over all other places of the server.
local function set_for_us(node, source, setting)
  if source == "client" then
    return nil, "connection.options: without " .. setting:match("^%S+")
  end
  return ("ALTER ROLE %s IN DATABASE %s SET %s;"):format(sqltext.name(node.user), sqltext.name(node.dbname), setting)
end

-- `cannot(cure, text, ...)` notes why a beat cannot be written.
local function judge_writing(node, facts, cannot)
  if facts.default_read_only then
    local source = get(node.shape, "read_only_source")
    local sql, cure = set_for_us(node, source, "default_transaction_read_only = off")
    cannot(sql and in_database(node, sql) or cure, "transactions are read-only%s: no beat can be written",
      place_of(source))
  elseif not node.is_slave and facts.read_only then
    cannot("is_slave_statement, which is SELECT pg_is_in_recovery() where nothing is said",
      "transactions are read-only: it is in recovery, and is_slave_statement calls it a master")
  end
  if given(facts.unlogged) then
    cannot(in_database(node, ("ALTER TABLE %s SET LOGGED;"):format(node.table_name)),
      "table heartbeat is unlogged: no slave ever sees a beat")
  end
end

-- Whether the right was granted column by column: plusmoin needs SELECT on two columns, INSERT on all three.
local function by_columns(node, right)
  local wanted = right == "select" and 2 or right == "insert" and 3 or math.huge
  for _, column in ipairs(list(node.shape, "columns")) do
    local counts = column.name == "master" or column.name == "tstamp"
      or column.name == "cluster_id" and right == "insert"
    if counts and column["may_" .. right] then
      wanted = wanted - 1
    end
  end
  return wanted == 0
end

local function judge_rights(node, facts, cannot)
  local missing = {}
  for _, right in ipairs { "select", "insert", "delete" } do
    if not facts["can_" .. right] and not by_columns(node, right) then
      missing[#missing + 1] = right:upper()
    end
  end
  if #missing > 0 then
    cannot(in_database(node, ("GRANT SELECT, INSERT, DELETE ON %s TO %s;"):format(node.table_name,
      sqltext.name(node.user))), "no right to %s on table heartbeat", table.concat(missing, ", "))
  end
end

-- Notes that search_path names no schema that exists and that our role may use.
local function judge_no_schema(node, cannot)
  local source, cures = get(node.shape, "path_source"), {}
  if node.shape.public == false then
    cures[1] = "CREATE SCHEMA public;"
  end
  cures[#cures + 1] = ("GRANT USAGE, CREATE ON SCHEMA public TO %s;"):format(sqltext.name(node.user))
  local sql, words = set_for_us(node, source, "search_path = public")
  if source ~= "default" then
    cures[#cures + 1] = sql
  end
  cannot((words and words .. "; " or "") .. in_database(node, table.concat(cures, " ")),
    "no schema of search_path (%s%s) is there for our role, so table heartbeat has no place",
    get(node.shape, "path") or "", place_of(source))
end

-- Judges whether plusmoin may make the missing table here.
local function judge_making(node, facts, cannot)
  if not given(facts.schema) then
    judge_no_schema(node, cannot)
  elseif given(facts.publishing) then
    cannot(in_database(node, sqltext.table(facts.schema)) .. " on each subscriber, and then here",
      "table heartbeat is missing, and plusmoin does not make it: publication %s would have it at once, and stop " ..
      "subscribers that lack it", keypath.quote(facts.publishing))
  elseif not facts.can_create then
    cannot(in_database(node, ("GRANT CREATE ON SCHEMA %s TO %s;"):format(sqltext.name(facts.schema),
      sqltext.name(node.user))), "table heartbeat is missing, and there is no right to make it in schema %s",
      facts.schema)
  end
end

-- Advises where dead rows slow down beats, because each beat and each look at a row reads the whole table. A hot
-- standby's table is its master's, which is judged there.
local function judge_size(node, facts, advice)
  local bytes, dead = given(facts.table_bytes) or 0, given(facts.dead_rows) or 0
  if facts.recovery or dead < DEAD_ROWS and bytes < TABLE_BYTES then
    return
  end
  -- the second VACUUM resets the count of dead rows in the server's statistics
  advice(in_database(node, ("VACUUM FULL %s; VACUUM %s;"):format(node.table_name, node.table_name)) ..
    " after the end of what keeps old rows: long transactions, " ..
    "prepared ones, slots that nobody reads (pg_stat_activity, pg_prepared_xacts, pg_replication_slots)",
    "table heartbeat has one row that counts, %d dead ones, and %.1f MiB: each beat reads all of it", dead,
    bytes / (1 << 20))
end

local function judge_publication(node, facts, problem, advice)
  if facts.publications == 0 or not facts.table then
    return
  end
  if not facts.published then
    local publication = get(node.shape, "publication")
    advice(in_database(node, ("ALTER PUBLICATION %s ADD TABLE %s;"):format(publication and sqltext.name(publication)
      or "...", node.table_name)),
      "there are publications, and none has table heartbeat: a slave that is a subscriber will see no beat")
  elseif facts.identity == false and not facts.owns then
    problem(in_database(node, ("ALTER TABLE %s REPLICA IDENTITY FULL;"):format(node.table_name)),
      "table heartbeat is published without a replica identity")
  end
end

--- Sets node.can_beat: whether the beat can be written here, on a slave once it is promoted. `node.shape` is the answer
-- to the question of src/pg/survey_table.c.
function beat.judge(node, facts, problem, advice)
  node.can_beat = true
  local function cannot(cure, text, ...)
    node.can_beat = false
    problem(cure, text, ...)
  end
  judge_writing(node, facts, cannot)
  if facts.table then
    judge_rights(node, facts, cannot)
  else
    judge_making(node, facts, cannot)
  end
  if not facts.recovery then -- a hot standby's table is its master's
    obstacles.judge(node, facts, cannot, advice)
  end
  judge_size(node, facts, advice)
  judge_publication(node, facts, problem, advice)
end

return beat
