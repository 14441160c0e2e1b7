--- Makes SQL and lines of pg_hba.conf for people to use, which `check` and `init-sql`
-- print, with names and strings quoted.
local sqltext = {}

--- Returns a name as an SQL identifier.
function sqltext.name(text)
  return '"' .. text:gsub('"', '""') .. '"'
end

--- Returns a string as an SQL literal that is right whatever standard_conforming_strings is.
function sqltext.literal(text)
  local quoted = "'" .. text:gsub("'", "''"):gsub("\\", "\\\\") .. "'"
  return text:find("\\", 1, true) and "E" .. quoted or quoted
end

-- Returns a word of pg_hba.conf, quoted where it would be a keyword (all, replication) or has other characters.
local function hba_word(text)
  local plain = text:find("^[%w_]+$") and text ~= "all" and text ~= "replication" and text ~= "sameuser"
    and text ~= "samerole" and text ~= "samegroup"
  return plain and text or '"' .. text:gsub('"', '""') .. '"'
end

--- Returns the line of pg_hba.conf that lets `user` into `dbname` from `address` (nil: it is
-- not known; false: over the socket directory).
function sqltext.hba(dbname, user, address)
  if address == false then
    return ("local   %s  %s  scram-sha-256"):format(hba_word(dbname), hba_word(user))
  end
  local bits = address and address:find(":", 1, true) and 128 or 32
  return ("host    %s  %s  %s/%d  scram-sha-256"):format(hba_word(dbname), hba_word(user),
    address or "ADDRESS-OF-THIS-MACHINE", bits)
end

--- SQL to run before a password is set. By default PostgreSQL 10 to 13 store a password as md5, which does not work
-- with the method scram-sha-256 of hba().
sqltext.SCRAM = "SET password_encryption = 'scram-sha-256';"

--- Returns psql's command to connect to another database, with its name quoted.
function sqltext.connect(dbname)
  local value = dbname:gsub("[\\']", "\\%0"):gsub('"', '""')
  return ('\\connect -reuse-previous=on "dbname=\'%s\'"'):format(value)
end

--- Returns the SQL that makes the table heartbeat in a schema (by default public), as plusmoin makes it.
function sqltext.table(schema)
  return ("CREATE TABLE IF NOT EXISTS %s.heartbeat (cluster_id INT, master TEXT, tstamp BIGINT);"):format(
    schema and sqltext.name(schema) or "public")
end

return sqltext
