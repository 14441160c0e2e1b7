--- SQL and pg_hba.conf text for people to use: quoting, and the lines that `check`
-- and `init-sql` both print.
local sqltext = {}

--- A name as an SQL identifier.
function sqltext.name(text)
  return '"' .. text:gsub('"', '""') .. '"'
end

--- A string as an SQL literal, whatever standard_conforming_strings says.
function sqltext.literal(text)
  local quoted = "'" .. text:gsub("'", "''"):gsub("\\", "\\\\") .. "'"
  return text:find("\\", 1, true) and "E" .. quoted or quoted
end

-- A word of pg_hba.conf; a quoted one is no keyword (all, replication).
local function hba_word(text)
  local plain = text:find("^[%w_]+$") and text ~= "all" and text ~= "replication" and text ~= "sameuser"
    and text ~= "samerole" and text ~= "samegroup"
  return plain and text or '"' .. text:gsub('"', '""') .. '"'
end

--- The pg_hba.conf line that lets `user` into `dbname` from `address` (nil: not
-- known; false: over the socket directory).
function sqltext.hba(dbname, user, address)
  if address == false then
    return ("local   %s  %s  scram-sha-256"):format(hba_word(dbname), hba_word(user))
  end
  local bits = address and address:find(":", 1, true) and 128 or 32
  return ("host    %s  %s  %s/%d  scram-sha-256"):format(hba_word(dbname), hba_word(user),
    address or "ADDRESS-OF-THIS-MACHINE", bits)
end

--- Comes before a password is set: PostgreSQL 10 to 13 would keep md5's hash of it, which lets nobody in by the
-- method of the lines above.
sqltext.SCRAM = "SET password_encryption = 'scram-sha-256';"

--- psql's command that goes over to a database, whatever its name is.
function sqltext.connect(dbname)
  local value = dbname:gsub("[\\']", "\\%0"):gsub('"', '""')
  return ('\\connect -reuse-previous=on "dbname=\'%s\'"'):format(value)
end

--- The table of the beats in a schema (by default public), as plusmoin makes it.
function sqltext.table(schema)
  return ("CREATE TABLE IF NOT EXISTS %s.heartbeat (cluster_id INT, master TEXT, tstamp BIGINT);"):format(
    schema and sqltext.name(schema) or "public")
end

return sqltext
