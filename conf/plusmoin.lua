-- plusmoin's configuration, with every setting. What is left out has its default.
-- A Lua file returns one table; loops, require and os.getenv are welcome in it.

-- A secret can stay out of the file.
local password = os.getenv("PLUSMOIN_PASSWORD") or "carrotcake"

-- Servers that differ in a number only need no lines of their own.
local nodes = {
  {
    -- Name, IPv4 address, IPv6 address, or socket directory.
    -- Required.
    host = "db1.example.com",
    -- Port of the server.
    -- Default: 5432.
    port = 5432,
    -- Name that people see instead of `host:port`.
    -- Default: host:port.
    name = "first",
    -- Role to log in as on this node.
    -- Default: user.
    user = "plusmoin",
    -- Password of that role on this node.
    -- Default: password.
    password = password,
    -- Database on this node.
    -- Default: dbname.
    dbname = "plusmoin",
    -- Further libpq keywords for this node, on top of `connection`.
    -- Default: {}.
    connection = { sslmode = "prefer" },
    -- How far behind this slave may be: more than the fleet's for a standby that is delayed on purpose.
    -- Default: max_sync_delay.
    max_sync_delay = 120,
    -- How close to its master this slave must be to be taken back when it is lost.
    -- Default: its max_sync_delay minus the difference of the fleet's two delays, at least half of it.
    recover_sync_delay = 60,
    -- Whether this node is a copy of another server and a master on purpose: `split_brain` never fires for it.
    -- Default: false.
    ignore_system_id = false,
  },
}
for number = 2, 3 do
  nodes[#nodes + 1] = { host = ("db%d.example.com"):format(number), port = 5432 }
end

return {
  -- Database that holds plusmoin's heartbeat table; the same on every cluster.
  -- Required.
  dbname = "plusmoin",

  -- Role to log in as; must be allowed to write to that database.
  -- Required.
  user = "plusmoin",

  -- Password of that role; may be left out where libpq finds one (`passfile`, certificate, trust).
  -- Default: none: libpq looks for one.
  password = password,

  -- How often plusmoin looks at every node and writes the master's beat.
  -- Default: 60.
  heartbeat = 60,

  -- A slave that is further behind its master than this is out of sync (lost).
  -- Default: 120.
  max_sync_delay = 120,

  -- A lost slave must be this close to its master to be taken back, so that it does not flap at the limit.
  -- Default: 60, at most max_sync_delay.
  recover_sync_delay = 60,

  -- The servers to watch, each `host` and `port` once.
  -- Default: [].
  nodes = nodes,

  -- Further libpq keywords: `sslmode`, `sslrootcert`, `passfile`, `keepalives_idle`, ...
  -- Default: {} (gssencmode is disable unless set).
  connection = {},

  -- What to run on which event.
  -- Default: {}.
  triggers = {
    -- Each: a command line (split like a shell's words, no shell runs it), an entry, a function, or a list of these.
    -- An entry runs a command, as master_up's below, or a file that is written in Lua:
    --   { lua = "notify.lua", settings = { to = "ops@example.com" }, timeout = 30 }
    -- Once per cluster when plusmoin has started.
    -- Default: null.
    plusmoin_up = nil,
    -- After every regular round, once all other triggers have run.
    -- Default: null.
    plusmoin_heartbeat = nil,
    -- A new master is available.
    -- Default: null.
    master_up = {
      -- The entry's program: a command line (split like a shell's words, no shell runs it) or a list of words.
      -- Default: none: this or lua is required.
      command = "logger -t plusmoin master_up",
      -- The entry's Lua file, beside the configuration or one that comes with plusmoin; it returns a function.
      -- Default: none: this or command is required.
      lua = nil,
      -- What the entry's Lua file gets as its `...`.
      -- Default: {}.
      settings = nil,
      -- Seconds this entry may run.
      -- Default: the Lua file's own, else trigger_timeout.
      timeout = 30,
      -- With several `monitors`: whether it runs again when the monitor that had started it died before its end.
      -- Default: true.
      rerun = true,
      -- With several `monitors`: `act` runs it at once, also while etcd does not answer (pagers); it may run twice.
      -- Allowed: hold, act. Default: monitors.away.
      alone = "hold",
    },
    -- The master went down or was demoted, and nobody replaces it.
    -- Default: null.
    master_down = nil,
    -- A slave is back up and in sync.
    -- Default: null.
    slave_up = nil,
    -- A slave went down or out of sync.
    -- Default: null.
    slave_down = nil,
    -- A new cluster was found or split off; the trigger's node is its master.
    -- Default: null.
    cluster_created = function(event)
      print(("cluster %d has the master %s"):format(event.cluster_id, event.master.host))
    end,
    -- Two masters of one origin take writes: the newer is the trigger's node, the other one its rival.
    -- Default: null.
    split_brain = nil,
    -- A node is alive but lets nobody in (`hold_on`): it keeps its place.
    -- Default: null.
    node_held = nil,
    -- plusmoin cannot reach a master, but its slaves still hear it: it stays the master of its cluster.
    -- Default: null.
    master_unreachable = nil,
    -- plusmoin itself is cut off from all other hosts: no loss counts until one of them answers again.
    -- Default: null.
    monitor_isolated = nil,
    -- Other hosts answer plusmoin again: it asks all nodes anew.
    -- Default: null.
    monitor_reconnected = nil,
  },

  -- Seconds a trigger may run; then its process group gets TERM and 5 s later KILL.
  -- Default: 60.
  trigger_timeout = 60,

  -- Where Lua triggers find modules, and their limits.
  -- Default: {}.
  lua = {
    -- Further places where `require` looks, before Lua's own; a Lua configuration itself is read too early for them.
    -- Default: none.
    path = nil,
    -- MiB of memory that all Lua triggers have together.
    -- Default: 64.
    memory_limit = 64,
    -- Seconds that one call may block the Lua triggers; then plusmoin goes on with a new thread for them.
    -- Default: 5.
    patience = 5,
  },

  -- How many external commands may run at once; `master_*` have as many slots again for themselves.
  -- Default: 16.
  trigger_parallel = 16,

  -- Seconds that running triggers have to end when plusmoin stops.
  -- Default: 10.
  shutdown_grace = 10,

  -- Seconds a connection may take to come up.
  -- Default: 60.
  connect_timeout = 60,

  -- Seconds a node has to answer in a round, also when it must be connected to anew first.
  -- Default: connect_timeout, at most 10.
  query_timeout = 10,

  -- How many attempts must fail before a failure counts.
  -- Default: 1.
  down_after = 1,

  -- How often failing, lost and clusterless nodes are asked; one that refuses for long is asked less often.
  -- Default: 1, at most heartbeat.
  retry_interval = 1,

  -- Seconds a server that said it is stopping or starting has to come back before it counts as down.
  -- Default: heartbeat, at most 10.
  restart_grace = 10,

  -- Classes of failure that let a node keep its place: the server is alive and only refuses new sessions.
  -- Default: ["full", "auth", "no_database", "table", "tls"].
  hold_on = { "full", "auth", "no_database", "table", "tls" },

  -- Addresses that plusmoin tries by a TCP connect when it may be cut off itself: a gateway, a name server.
  -- Default: {}.
  isolation_anchors = {},

  -- Seconds for which no loss counts while the monitor is cut off from all other hosts; then losses count.
  -- Default: null: as long as it lasts.
  isolation_grace = nil,

  -- Whether plusmoin asks the slaves of a master that it cannot reach whether they still hear it.
  -- Default: true.
  second_opinion = true,

  -- How often a fresh connection must replace the kept one (1/4 core at most); 0: never, and a smart shutdown waits.
  -- Default: 30.
  fresh_connect_interval = 30,

  -- SQL that returns true on a slave: one statement, one row, one boolean (or an integer: 0 is false).
  -- Default: SELECT pg_is_in_recovery().
  is_slave_statement = "SELECT pg_is_in_recovery()",

  -- Log of the daemon (in the foreground the log goes to stdout).
  -- Default: /var/log/plusmoin/plusmoin.log.
  log_file = "/var/log/plusmoin/plusmoin.log",

  -- How much is logged.
  -- Default: error.
  log_level = "info",

  -- Lines for people, or one JSON object a line.
  -- Default: text.
  log_format = "text",

  -- User that plusmoin becomes when it is started as root.
  -- Default: nobody.
  daemon_user = "nobody",

  -- File that holds the process id and is locked while plusmoin runs.
  -- Default: /var/run/plusmoin/plusmoin.pid.
  pid_file = "/var/run/plusmoin/plusmoin.pid",

  -- File that holds the status as JSON, replaced whenever it changes.
  -- Default: /var/run/plusmoin/status.json.
  status_file = "/var/run/plusmoin/status.json",

  -- File that keeps the clusters and the places of nodes, so that plusmoin goes on with them after a restart.
  -- Default: none.
  -- state_file = "/var/lib/plusmoin/state.json",

  -- Unix socket that `plusmoin status` asks; at most 107 bytes.
  -- Default: plusmoin.sock beside pid_file.
  control_socket = "/var/run/plusmoin/plusmoin.sock",

  -- The window: status, health, metrics and events by HTTP.
  -- Default: null: there is no window.
  http = nil,
  -- http = {
  --   -- Where the window listens, at one address or several; a socket's path has at most 107 bytes.
  --   -- Default: none: this or agent is required.
  --   listen = "127.0.0.1:8008",
  --   -- File whose first line is the bearer token that requests must carry; it is read with the configuration.
  --   -- Default: none: whoever reaches the window may ask.
  --   token_file = "/etc/plusmoin/http.token",
  --   -- Further names that the Host header of a request may have, besides the addresses of `listen`.
  --   -- Default: {}.
  --   hosts = { "plusmoin.example.com" },
  --   -- Where plusmoin answers HAProxy's agent-check.
  --   -- Default: none.
  --   agent = "127.0.0.1:8009",
  --   -- What health URLs answer while plusmoin is cut off from all other hosts: what was known last, or 503.
  --   -- Default: last.
  --   isolated = "last",
  -- },

  -- How several monitors of one fleet agree in etcd on the one that acts; all of it but votes and away needs a restart.
  -- Default: null: this monitor is alone.
  monitors = nil,
  -- monitors = {
  --   -- Where etcd's members (3.4 or later) answer their clients.
  --   -- Required.
  --   etcd = { "http://10.0.0.1:2379", "http://10.0.0.2:2379", "http://10.0.0.3:2379" },
  --   -- Text with which all keys in etcd begin: the same for the monitors of one fleet, another for each fleet.
  --   -- Default: /plusmoin/main/.
  --   prefix = "/plusmoin/main/",
  --   -- Name of this monitor; each monitor of a fleet needs another one.
  --   -- Default: the machine's host name.
  --   name = "monitor1",
  --   -- Seconds for which the monitor that acts may be silent; then another one takes over.
  --   -- Default: 5.
  --   ttl = 5,
  --   -- User of etcd to log in as.
  --   -- Default: none: etcd asks for no login.
  --   user = "plusmoin",
  --   -- Password of that user.
  --   -- Default: none: user needs one.
  --   password = "secret",
  --   -- Certificates (PEM) of the authorities that sign etcd's, for https.
  --   -- Default: the system's.
  --   cafile = "/etc/plusmoin/etcd-ca.pem",
  --   -- Certificate (PEM) that this monitor shows to etcd, without a common name where etcd asks for a login.
  --   -- Default: none.
  --   certfile = "/etc/plusmoin/etcd-client.pem",
  --   -- Private key of that certificate (PEM).
  --   -- Default: none: certfile needs one.
  --   keyfile = "/etc/plusmoin/etcd-client.key",
  --   -- How many monitors must see a loss for it to count: most that can say, any one (nobody is asked), or a number.
  --   -- Default: majority.
  --   votes = "majority",
  --   -- What triggers without alone do: hold starts none while etcd is away. Those with rerun = false hold anyway.
  --   -- Allowed: hold, act. Default: hold.
  --   away = "hold",
  -- },
}
