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

--- The table of the beats, as plusmoin makes it.
sqltext.TABLE = "CREATE TABLE IF NOT EXISTS heartbeat (cluster_id INT, master TEXT, tstamp BIGINT);"
sqltext.IDENTITY = "ALTER TABLE heartbeat REPLICA IDENTITY FULL;"

return sqltext
