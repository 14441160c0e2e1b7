--- Whether the beat can be written to a node's table, and will be seen.
local answers = require "plusmoin.answers"
local findings = require "plusmoin.check.findings"
local keypath = require "plusmoin.keypath"
local sqltext = require "plusmoin.sqltext"

local given, in_database = answers.given, findings.in_database
local beat = {}

local DEAD_ROWS = 100000     -- in the table of the beats: each beat reads past them, 6 ms for so many
local TABLE_BYTES = 32 << 20 -- what the table of one row has grown to by half a million of them

-- May the beat be written here (or, on a slave, when it is promoted)?
local function judge_rights(node, facts, problem)
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

--- Judges it.
function beat.judge(node, facts, problem, advice)
  judge_rights(node, facts, problem)
  judge_size(node, facts, advice)
  judge_publication(node, facts, problem, advice)
end

return beat
