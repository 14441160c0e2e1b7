--- Renders what `plusmoin init-sql` prints: role, database, table, publication and
-- lines of pg_hba.conf for a configuration, for psql on every master.
local answers = require "plusmoin.answers"
local cjson = require "cjson"
local keypath = require "plusmoin.keypath"
local sqltext = require "plusmoin.sqltext"

local given = answers.given
local init_sql = {}

-- Returns the different accounts of the nodes, in order: a list of {user, password, dbname, nodes, hba}.
local function accounts(nodes)
  local list, by_key = {}, {}
  for _, node in ipairs(nodes) do
    local key = ("%s\0%s\0%s"):format(node.user, node.dbname, given(node.password) or "")
    local account = by_key[key]
    if not account then
      account = { user = node.user, password = given(node.password), dbname = node.dbname, nodes = {},
        hba = {}, seen = {} }
      by_key[key] = account
      list[#list + 1] = account
    end
    account.nodes[#account.nodes + 1] = node.id
    local address = given(node.own_address)
    if node.host:find("^[/@]") then
      address = false
    end
    local line = sqltext.hba(node.dbname, node.user, address)
    if not account.seen[line] then
      account.seen[line] = true
      account.hba[#account.hba + 1] = line
    end
  end
  return list
end

local function add_account(out, account)
  local user = sqltext.name(account.user)
  local function add(text, ...)
    out[#out + 1] = select("#", ...) > 0 and text:format(...) or text
  end
  add("-- The role and the database, on every master of %s.", keypath.escape(table.concat(account.nodes, ", ")))
  add("SELECT 'CREATE ROLE ' || quote_ident(%s) WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)\\gexec",
    sqltext.literal(account.user), sqltext.literal(account.user))
  add(sqltext.SCRAM)
  add("ALTER ROLE %s LOGIN%s;", user, account.password and " PASSWORD " .. sqltext.literal(account.password) or "")
  if not account.password then
    add("-- The configuration has no password: \\password %s, a certificate, or a passfile.", account.user)
  end
  add("SELECT 'CREATE DATABASE ' || quote_ident(%s) || ' OWNER ' || quote_ident(%s)",
    sqltext.literal(account.dbname), sqltext.literal(account.user))
  add("  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = %s)\\gexec", sqltext.literal(account.dbname))
  add(sqltext.connect(account.dbname))
  add("")
  add("-- The table in which plusmoin writes its beats; it makes the table itself where it may.")
  add("SET client_min_messages = warning;")
  add(sqltext.table())
  add("ALTER TABLE public.heartbeat REPLICA IDENTITY FULL;")
  add("GRANT USAGE ON SCHEMA public TO %s;", user)
  add("GRANT SELECT, INSERT, DELETE ON public.heartbeat TO %s;", user)
  add("")
  add("-- With pg_monitor the role may read pg_stat_wal_receiver. So slaves can say also of an idle master whether")
  add("-- they still hear it when plusmoin cannot reach it (second_opinion):")
  add("-- GRANT pg_monitor TO %s;", user)
  add("")
  add("-- For logical replication only: the table must be in the publication, and you must make it on the")
  add("-- subscriber. Where the publication is for all tables, make it on the subscriber first.")
  add("-- CREATE PUBLICATION plusmoin FOR TABLE public.heartbeat;")
  add("-- on the subscriber: %s", sqltext.table())
  add("")
  add("-- pg_hba.conf of every server, master or slave, above lines that say otherwise; then")
  add("-- SELECT pg_reload_conf();")
  for _, line in ipairs(account.hba) do
    add("-- " .. line)
  end
  add("")
end

--- Returns the text for a configuration (JSON, as src/command/check.c writes it), and true.
function init_sql.render(text)
  local config = cjson.decode(text)
  local out = { "-- What plusmoin needs, for psql as a superuser: plusmoin init-sql | psql -d postgres", "" }
  for _, account in ipairs(accounts(config.nodes)) do
    add_account(out, account)
  end
  if #config.nodes == 0 then
    out[#out + 1] = "-- No nodes are configured."
  end
  return table.concat(out, "\n") .. "\n", true
end

return init_sql
