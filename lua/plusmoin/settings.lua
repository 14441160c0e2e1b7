--- The table of all settings of plusmoin, one row each. A setting is defined nowhere else.
--
-- The loader, its checks and defaults, the sample files' spec, plusmoin.conf(5)
-- and the help are made from these rows. A row:
--   name         key path: "heartbeat", "nodes[].port", "triggers.master_up",
--                "triggers.X.timeout" (a key of a trigger's entry)
--   type         seconds, integer, string, secret, path, choice, words, addresses,
--                statement, host, nodes, connection, boolean, triggers, trigger, command, object,
--                listen, listens, names, urls
--   min, max     range of numbers, both included; min_open: min itself is out
--   default      the value, where it is fixed
--   default_doc  the default in words, where it is computed or its text differs
--   required     true: there is no default
--   allowed      choice, words: the list of words; else a sentence for messages
--   reload       "live": taken by a reload; "restart": needs one (contract,
--                "Reload")
--   doc          one sentence: what the setting does, for people
-- Times are seconds and may be fractional; 86,400 is the longest (contract).
local settings = {}

local DAY = 86400
local SHORTEST = 0.05
local URLS = '"http://HOST:PORT" or "https://HOST:PORT"'
local LISTEN = '"address:port" ("[address]:port" of IPv6), "/path.sock"'

local rows = {
  { name = "dbname", type = "string", required = true, reload = "live",
    doc = "Database that holds plusmoin's heartbeat table; the same on every cluster." },
  { name = "user", type = "string", required = true, reload = "live",
    doc = "Role to log in as; must be allowed to write to that database." },
  { name = "password", type = "secret", default_doc = "none: libpq looks for one", reload = "live",
    doc = "Password of that role; may be left out where libpq finds one (`passfile`, certificate, trust)." },
  { name = "heartbeat", type = "seconds", min = SHORTEST, max = DAY, default = 60, reload = "live",
    doc = "How often plusmoin looks at every node and writes the master's beat." },
  { name = "max_sync_delay", type = "seconds", min = 0, min_open = true, max = DAY, default = 120, reload = "live",
    doc = "A slave that is further behind its master than this is out of sync (lost)." },
  { name = "recover_sync_delay", type = "seconds", min = 0, min_open = true, max = DAY, default = 60,
    default_doc = "60, at most `max_sync_delay`", reload = "live",
    doc = "A lost slave must be this close to its master to be taken back, so that it does not flap at the limit." },
  { name = "nodes", type = "nodes", default_doc = "[]", reload = "live",
    allowed = "a list of nodes, each with at least a host",
    doc = "The servers to watch, each `host` and `port` once." },
  { name = "nodes[].host", type = "host", required = true, reload = "live",
    allowed = "a name, an IPv4 or IPv6 address without brackets, or a socket directory (\"/...\"); no blanks",
    doc = "Name, IPv4 address, IPv6 address, or socket directory." },
  { name = "nodes[].port", type = "integer", min = 1, max = 65535, default = 5432, reload = "live",
    doc = "Port of the server." },
  { name = "nodes[].name", type = "string", default_doc = "`host:port`", reload = "live",
    doc = "Name that people see instead of `host:port`." },
  { name = "nodes[].user", type = "string", default_doc = "`user`", reload = "live",
    doc = "Role to log in as on this node." },
  { name = "nodes[].password", type = "secret", default_doc = "`password`", reload = "live",
    doc = "Password of that role on this node." },
  { name = "nodes[].dbname", type = "string", default_doc = "`dbname`", reload = "live",
    doc = "Database on this node." },
  { name = "nodes[].connection", type = "connection", default_doc = "{}", reload = "live",
    allowed = "libpq keywords and their values",
    doc = "Further libpq keywords for this node, on top of `connection`." },
  { name = "nodes[].max_sync_delay", type = "seconds", min = SHORTEST, max = DAY,
    default_doc = "`max_sync_delay`", reload = "live",
    doc = "How far behind this slave may be: more than the fleet's for a standby that is delayed on purpose." },
  { name = "nodes[].recover_sync_delay", type = "seconds", min = SHORTEST, max = DAY,
    default_doc = "its `max_sync_delay` minus the difference of the fleet's two delays, at least half of it",
    reload = "live",
    doc = "How close to its master this slave must be to be taken back when it is lost." },
  { name = "nodes[].ignore_system_id", type = "boolean", default_doc = "false", reload = "live",
    doc = "Whether this node is a copy of another server and a master on purpose: `split_brain` never fires for it." },
  { name = "connection", type = "connection",
    default_doc = "{} (`gssencmode` is `disable` unless set)", reload = "live",
    allowed = "libpq keywords and their values",
    doc = "Further libpq keywords: `sslmode`, `sslrootcert`, `passfile`, `keepalives_idle`, ..." },
  { name = "triggers", type = "triggers", default_doc = "{}", reload = "live",
    allowed = "event names, each with a command, a Lua trigger, a list of these, or nothing",
    doc = "What to run on which event." },
  { name = "triggers.plusmoin_up", type = "trigger", default_doc = "null", reload = "live",
    doc = "Once per cluster when plusmoin has started." },
  { name = "triggers.plusmoin_heartbeat", type = "trigger", default_doc = "null", reload = "live",
    doc = "After every regular round, once all other triggers have run." },
  { name = "triggers.master_up", type = "trigger", default_doc = "null", reload = "live",
    doc = "A new master is available." },
  { name = "triggers.master_down", type = "trigger", default_doc = "null", reload = "live",
    doc = "The master went down or was demoted, and nobody replaces it." },
  { name = "triggers.slave_up", type = "trigger", default_doc = "null", reload = "live",
    doc = "A slave is back up and in sync." },
  { name = "triggers.slave_down", type = "trigger", default_doc = "null", reload = "live",
    doc = "A slave went down or out of sync." },
  { name = "triggers.cluster_created", type = "trigger", default_doc = "null", reload = "live",
    doc = "A new cluster was found or split off; the trigger's node is its master." },
  { name = "triggers.split_brain", type = "trigger", default_doc = "null", reload = "live",
    doc = "Two masters of one origin take writes: the newer is the trigger's node, the other one its rival." },
  { name = "triggers.master_unreachable", type = "trigger", default_doc = "null", reload = "live",
    doc = "plusmoin cannot reach a master, but its slaves still hear it: it stays the master of its cluster." },
  { name = "triggers.monitor_isolated", type = "trigger", default_doc = "null", reload = "live",
    doc = "plusmoin itself is cut off from all other hosts: no loss counts until one of them answers again." },
  { name = "triggers.monitor_reconnected", type = "trigger", default_doc = "null", reload = "live",
    doc = "Other hosts answer plusmoin again: it asks all nodes anew." },
  { name = "triggers.node_held", type = "trigger", default_doc = "null", reload = "live",
    doc = "A node is alive but lets nobody in (`hold_on`): it keeps its place." },
  { name = "triggers.X.command", type = "command", default_doc = "none: this or `lua` is required", reload = "live",
    allowed = "a command line, or a list of a program and its arguments",
    doc = "The entry's program: a command line (split like a shell's words, no shell runs it) or a list of words." },
  { name = "triggers.X.lua", type = "path", default_doc = "none: this or `command` is required", reload = "live",
    allowed = "a path of a Lua file",
    doc = "The entry's Lua file, beside the configuration or one that comes with plusmoin; it returns a function." },
  { name = "triggers.X.settings", type = "object", default_doc = "{}", reload = "live",
    allowed = "an object, for entries with `lua`",
    doc = "What the entry's Lua file gets as its `...`." },
  { name = "triggers.X.timeout", type = "seconds", min = 0, min_open = true, max = DAY,
    default_doc = "the Lua file's own, else `trigger_timeout`", reload = "live",
    doc = "Seconds this entry may run." },
  { name = "triggers.X.rerun", type = "boolean", default = true, reload = "live",
    doc = "With several `monitors`: whether it runs again when the monitor that had started it died before its end." },
  { name = "triggers.X.alone", type = "choice", allowed = { "hold", "act" }, default_doc = "`monitors.away`",
    reload = "live",
    doc = "With several `monitors`: `act` runs it at once, also while etcd does not answer (pagers); it may run "
      .. "twice." },
  { name = "trigger_timeout", type = "seconds", min = 0, min_open = true, max = DAY, default = 60, reload = "live",
    doc = "Seconds a trigger may run; then its process group gets TERM and 5 s later KILL." },
  { name = "lua", type = "object", default_doc = "{}", reload = "live",
    allowed = "an object with path, memory_limit, patience",
    doc = "Where Lua triggers find modules, and their limits." },
  { name = "lua.path", type = "string", default_doc = "none", reload = "live",
    allowed = "templates as of Lua's package.path, separated by semicolons",
    doc = "Further places where `require` looks, before Lua's own; a Lua configuration itself is read too early for "
      .. "them." },
  { name = "lua.memory_limit", type = "integer", min = 8, max = 16384, default = 64, reload = "live",
    doc = "MiB of memory that all Lua triggers have together." },
  { name = "lua.patience", type = "seconds", min = 0, min_open = true, max = DAY, default = 5, reload = "live",
    doc = "Seconds that one call may block the Lua triggers; then plusmoin goes on with a new thread for them." },
  { name = "trigger_parallel", type = "integer", min = 1, max = 1000, default = 16, reload = "live",
    doc = "How many external commands may run at once; `master_*` have as many slots again for themselves." },
  { name = "shutdown_grace", type = "seconds", min = 0, max = DAY, default = 10, reload = "live",
    doc = "Seconds that running triggers have to end when plusmoin stops." },
  { name = "connect_timeout", type = "seconds", min = 0, min_open = true, max = DAY, default = 60, reload = "live",
    doc = "Seconds a connection may take to come up." },
  { name = "query_timeout", type = "seconds", min = SHORTEST, max = DAY,
    default_doc = "`connect_timeout`, at most 10", reload = "live",
    doc = "Seconds a node has to answer in a round, also when it must be connected to anew first." },
  { name = "down_after", type = "integer", min = 1, max = 100, default = 1, reload = "live",
    doc = "How many attempts must fail before a failure counts." },
  { name = "retry_interval", type = "seconds", min = SHORTEST, max = DAY,
    default_doc = "1, at most `heartbeat`", reload = "live",
    doc = "How often failing, lost and clusterless nodes are asked; one that refuses for long is asked less often." },
  { name = "restart_grace", type = "seconds", min = 0, max = DAY,
    default_doc = "`heartbeat`, at most 10", reload = "live",
    doc = "Seconds a server that said it is stopping or starting has to come back before it counts as down." },
  { name = "hold_on", type = "words",
    allowed = { "refused", "unreachable", "dns", "timeout", "reset", "starting", "shutting_down", "full", "auth",
      "no_database", "tls", "hung", "query_error", "read_only", "table", "malformed" },
    default = { "full", "auth", "no_database", "table", "tls" },
    default_doc = '`["full", "auth", "no_database", "table", "tls"]`',
    reload = "live",
    doc = "Classes of failure that let a node keep its place: the server is alive and only refuses new sessions." },
  { name = "isolation_anchors", type = "addresses", default_doc = "[]", reload = "live",
    allowed = 'a list of "host:port" ("[address]:port" of IPv6)',
    doc = "Addresses that plusmoin tries by a TCP connect when it may be cut off itself: a gateway, a name server." },
  { name = "isolation_grace", type = "seconds", min = 0, max = DAY, default_doc = "null: as long as it lasts",
    reload = "live",
    doc = "Seconds for which no loss counts while the monitor is cut off from all other hosts; then losses count." },
  { name = "second_opinion", type = "boolean", default = true, reload = "live",
    doc = "Whether plusmoin asks the slaves of a master that it cannot reach whether they still hear it." },
  { name = "fresh_connect_interval", type = "seconds", min = 0, max = DAY, default = 30, reload = "live",
    doc = "How often a fresh connection must replace the kept one (1/4 core at most); 0: never, and a smart shutdown "
      .. "waits." },
  { name = "is_slave_statement", type = "statement", default = "SELECT pg_is_in_recovery()", reload = "live",
    allowed = "one SQL statement that returns true (or an integer that is not 0) on a slave",
    doc = "SQL that returns true on a slave: one statement, one row, one boolean (or an integer: 0 is false)." },
  { name = "log_file", type = "path", default = "/var/log/plusmoin/plusmoin.log", reload = "live",
    doc = "Log of the daemon (in the foreground the log goes to stdout)." },
  { name = "log_level", type = "choice", allowed = { "error", "warning", "info", "debug" }, default = "error",
    reload = "live", doc = "How much is logged." },
  { name = "log_format", type = "choice", allowed = { "text", "json" }, default = "text", reload = "live",
    doc = "Lines for people, or one JSON object a line." },
  { name = "daemon_user", type = "string", default = "nobody", reload = "restart",
    doc = "User that plusmoin becomes when it is started as root." },
  { name = "pid_file", type = "path", default = "/var/run/plusmoin/plusmoin.pid", reload = "restart",
    doc = "File that holds the process id and is locked while plusmoin runs." },
  { name = "status_file", type = "path", default = "/var/run/plusmoin/status.json", reload = "live",
    doc = "File that holds the status as JSON, replaced whenever it changes." },
  { name = "state_file", type = "path", default_doc = "none", reload = "live",
    doc = "File that keeps the clusters and the places of nodes, so that plusmoin goes on with them after a restart." },
  { name = "control_socket", type = "path", default_doc = "`plusmoin.sock` beside `pid_file`", reload = "restart",
    doc = "Unix socket that `plusmoin status` asks; at most 107 bytes." },
  { name = "http", type = "object", default_doc = "null: there is no window", reload = "live",
    allowed = "an object with listen, or agent, and token_file, hosts, isolated",
    doc = "The window: status, health, metrics and events by HTTP." },
  { name = "http.listen", type = "listens", default_doc = "none: this or `agent` is required", reload = "live",
    allowed = LISTEN .. ", or a list of these",
    doc = "Where the window listens, at one address or several; a socket's path has at most 107 bytes." },
  { name = "http.token_file", type = "path", default_doc = "none: whoever reaches the window may ask", reload = "live",
    doc = "File whose first line is the bearer token that requests must carry; it is read with the configuration." },
  { name = "http.hosts", type = "names", default_doc = "[]", reload = "live",
    allowed = "a list of names or addresses, without ports",
    doc = "Further names that the Host header of a request may have, besides the addresses of `listen`." },
  { name = "http.agent", type = "listen", default_doc = "none", reload = "live",
    allowed = LISTEN,
    doc = "Where plusmoin answers HAProxy's agent-check." },
  { name = "http.isolated", type = "choice", allowed = { "last", "503" }, default = "last", reload = "live",
    doc = "What health URLs answer while plusmoin is cut off from all other hosts: what was known last, or 503." },
  { name = "monitors", type = "object", default_doc = "null: this monitor is alone", reload = "restart",
    allowed = "an object with etcd, and prefix, name, ttl, user, password, cafile, certfile, keyfile, votes, away",
    doc = "How several monitors of one fleet agree in etcd on the one that acts; all of it but votes and away needs a "
      .. "restart." },
  { name = "monitors.etcd", type = "urls", required = true, reload = "restart",
    allowed = URLS .. ", or a list of these",
    doc = "Where etcd's members (3.4 or later) answer their clients." },
  { name = "monitors.prefix", type = "string", default = "/plusmoin/main/", reload = "restart",
    allowed = "a text that begins and ends with a slash, and has more between them",
    doc = "Text with which all keys in etcd begin: the same for the monitors of one fleet, another for each fleet." },
  { name = "monitors.name", type = "string", default_doc = "the machine's host name", reload = "restart",
    allowed = "a name of at most 255 bytes without slashes",
    doc = "Name of this monitor; each monitor of a fleet needs another one." },
  { name = "monitors.ttl", type = "integer", min = 2, max = 60, default = 5, reload = "restart",
    doc = "Seconds for which the monitor that acts may be silent; then another one takes over." },
  { name = "monitors.user", type = "string", default_doc = "none: etcd asks for no login", reload = "restart",
    doc = "User of etcd to log in as." },
  { name = "monitors.password", type = "secret", default_doc = "none: `user` needs one", reload = "restart",
    doc = "Password of that user." },
  { name = "monitors.cafile", type = "path", default_doc = "the system's", reload = "restart",
    doc = "Certificates (PEM) of the authorities that sign etcd's, for https." },
  { name = "monitors.certfile", type = "path", default_doc = "none", reload = "restart",
    doc = "Certificate (PEM) that this monitor shows to etcd, without a common name where etcd asks for a login." },
  { name = "monitors.keyfile", type = "path", default_doc = "none: `certfile` needs one", reload = "restart",
    doc = "Private key of that certificate (PEM)." },
  { name = "monitors.votes", type = "votes", default = "majority", reload = "live",
    allowed = '"majority", "any" or a whole number from 1 to 99',
    doc = "How many monitors must see a loss for it to count: most that can say, any one (nobody is asked), or a "
      .. "number." },
  { name = "monitors.away", type = "choice", allowed = { "hold", "act" }, default = "hold", reload = "live",
    doc = "What triggers without alone do: hold starts none while etcd is away. Those with rerun = false hold "
      .. "anyway." },
}

settings.rows = rows

--- Keys of old configurations that have no effect: key path -> the text of a warning.
settings.ignored = {
  min_sync_delay = "has never had an effect, and has none now: take it out; "
    .. "how close a slave must be to come back is recover_sync_delay",
}

--- The five keys that the daemon needs even when the rest of the configuration is bad
-- (contract, "Privileges and files").
settings.early = { "daemon_user", "pid_file", "status_file", "log_file", "control_socket" }

local by_name = {}
for _, row in ipairs(rows) do
  by_name[row.name] = row
end

--- The row of a key path as the table writes it ("nodes[].port"), or nil.
function settings.find(name)
  return by_name[name]
end

--- Returns the rows directly below a prefix, in order: "" gives the top level, "nodes[]." the keys of a
-- node, "triggers." the events, "triggers.X." the keys of a trigger's entry, "lua." those of `lua`.
function settings.below(prefix)
  local found = {}
  for _, row in ipairs(rows) do
    local rest = row.name:sub(#prefix + 1)
    if row.name:sub(1, #prefix) == prefix and rest:find("^[%w_]+$") then
      found[#found + 1] = row
    end
  end
  return found
end

--- The last word of a row's name: "nodes[].port" -> "port".
function settings.key(row)
  return row.name:match("([%w_]+)$")
end

local function range_text(row, what)
  if row.min_open then
    return ("%s above %g, at most %d"):format(what, row.min, row.max)
  end
  return ("%s from %g to %d"):format(what, row.min, row.max)
end

local TYPE_TEXT = {
  seconds = function(row) return range_text(row, "a number of seconds") end,
  integer = function(row) return range_text(row, "a whole number") end,
  choice = function(row) return table.concat(row.allowed, ", ") end,
  words = function(row) return "a list of " .. table.concat(row.allowed, ", ") end,
  string = function() return "a string, not empty" end,
  secret = function() return "a string" end,
  path = function() return "a path" end,
  boolean = function() return "true or false" end,
  trigger = function()
    return 'a command line, {"command": ...}, {"lua": ...}, a Lua function (in a Lua configuration), '
      .. "a list of these, or null"
  end,
}

--- Returns the values that a setting may have, in words, for messages.
function settings.allowed(row)
  if type(row.allowed) == "string" then
    return row.allowed
  end
  return TYPE_TEXT[row.type](row)
end

return settings
