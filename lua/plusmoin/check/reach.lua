--- Judges whether a node let us log in and said what it is, and names what mends a login that fails.
local answers = require "plusmoin.answers"
local pool = require "plusmoin.check.pool"
local sqltext = require "plusmoin.sqltext"

local given = answers.given
local reach = {}

-- Whether the server gave this SQLSTATE, which is the same whatever language its messages have.
local function said(node, sqlstate)
  return node.message:find(":  " .. sqlstate .. ": ", 1, true) ~= nil
end

local CURES = {
  auth = function(node)
    local user = sqltext.name(node.user)
    if said(node, "28000") and node.message:find("is not permitted to log in", 1, true) then
      return ("ALTER ROLE %s LOGIN;"):format(user)
    elseif said(node, "28000") and node.message:find("does not exist", 1, true) then
      return sqltext.SCRAM .. (" CREATE ROLE %s LOGIN PASSWORD '...';"):format(user)
    elseif said(node, "42501") then
      return ("GRANT CONNECT ON DATABASE %s TO %s;"):format(sqltext.name(node.dbname), user)
    end
    if node.message:find("no password supplied", 1, true) then -- libpq's text, never translated here
      return "password, or connection.passfile with a line for it that daemon_user alone can read (mode 0600)"
    end
    local address = given(node.own_address)
    if node.host:find("^[/@]") then
      address = false
    end
    return "pg_hba.conf: " .. sqltext.hba(node.dbname, node.user, address) ..
      ("; and the password: %s ALTER ROLE %s LOGIN PASSWORD '...';"):format(sqltext.SCRAM, user)
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
  starting = function(node)
    if node.message:find("not accepting connections", 1, true) then -- from 14 on, if lc_messages is C or en_*
      return "hot_standby = on in postgresql.conf, and a restart"
    end
    return "wait: it starts, or stops; a standby that says so for ever has hot_standby = off, and needs " ..
      "hot_standby = on in postgresql.conf and a restart"
  end,
  refused = function() return "start the server; listen_addresses and port of postgresql.conf; the firewall" end,
  dns = function() return "nodes[].host: a name that this machine can look up, or an address" end,
  malformed = function(node)
    return node.message:find("unsupported startup parameter", 1, true)
      and pool.CURE
  end,
  tls = function() return "connection.sslmode, sslrootcert; ssl = on in postgresql.conf" end,
}

--- Judges a node. Returns false when it could not be asked, so that there is nothing more to judge.
function reach.judge(node, problem)
  if not node.reached or node.is_slave == nil or node.reason ~= "" then
    local cure = CURES[node.reason]
    problem(cure and cure(node), "%s: %s", node.reason, node.message)
    return false
  end
  return true
end

return reach
