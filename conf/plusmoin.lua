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
    -- What people get to see instead of `host:port`.
    -- Default: host:port.
    name = "first",
    -- Role to log in as on this node.
    -- Default: user.
    user = "plusmoin",
    -- Its password on this node.
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
    -- How close this one must be to be taken back when it is lost.
    -- Default: its max_sync_delay less the distance of the fleet's two, at least half of it.
    recover_sync_delay = 60,
    -- A copy of another server that is a master on purpose: `split_brain` never fires for it.
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

  -- Its password; may be left out where libpq finds one (`passfile`, certificate, trust).
  -- Default: none: libpq looks for one.
  password = password,

  -- How often every node is looked at and the master's beat is written.
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
      -- With several `monitors`: whether it runs again when the one that had started it died before its end.
      -- Default: true.
      rerun = true,
      -- With several `monitors`: `act` runs it at once, also while etcd is away (pagers); it may run twice.
      -- Allowed: hold, act. Default: hold.
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
    -- plusmoin alone has lost the way to a master: its slaves still hear it, and it keeps its seat.
    -- Default: null.
    master_unreachable = nil,
    -- plusmoin itself is cut off from all other hosts: no loss counts until it hears one again.
    -- Default: null.
    monitor_isolated = nil,
    -- plusmoin hears other hosts again: all nodes are asked anew.
    -- Default: null.
    monitor_reconnected = nil,
  },

  -- Seconds a trigger may run; then its process group gets TERM and 5 s later KILL.
  -- Default: 60.
  trigger_timeout = 60,

  -- What Lua triggers have at hand.
  -- Default: {}.
  lua = {
    -- Where `require` looks besides, before Lua's own places (`lib/?.lua`); too late for a Lua configuration's own.
    -- Default: none.
    path = nil,
    -- MiB of memory that all Lua triggers have together.
    -- Default: 64.
    memory_limit = 64,
    -- Seconds that a function may hold its script host without a sign; then a new host goes on without it.
    -- Default: 5.
    patience = 5,
  },

  -- How many external commands may run at once; `master_*` have as many slots again for themselves.
  -- Default: 16.
  trigger_parallel = 16,

  -- Seconds that triggers under way get when plusmoin stops.
  -- Default: 10.
  shutdown_grace = 10,

  -- Seconds a connection may take to come up.
  -- Default: 60.
  connect_timeout = 60,

  -- Seconds a node has to answer in a round, whatever it has to do in it.
  -- Default: connect_timeout, at most 10.
  query_timeout = 10,

  -- Failed attempts before a failure counts.
  -- Default: 1.
  down_after = 1,

  -- How often failing, lost and clusterless nodes are asked; who refuses for long: after a tenth of that time.
  -- Default: 1, at most heartbeat.
  retry_interval = 1,

  -- Seconds a server that said it is stopping or starting has to come back before it counts as down.
  -- Default: heartbeat, at most 10.
  restart_grace = 10,

  -- Classes of failure that keep a node in its place: the server is alive, only the door is shut.
  -- Default: ["full", "auth", "no_database", "table", "tls"].
  hold_on = { "full", "auth", "no_database", "table", "tls" },

  -- Addresses that are asked, by a TCP connect, when the monitor may be cut off: a gateway, a name server.
  -- Default: {}.
  isolation_anchors = {},

  -- Seconds for which no loss counts while the monitor is cut off from all other hosts; then losses count.
  -- Default: null: as long as it lasts.
  isolation_grace = nil,

  -- Whether slaves are asked if they still hear a master that plusmoin has lost the way to.
  -- Default: true.
  second_opinion = true,

  -- How often a fresh connection has to replace the kept one (with 1/4 core at the most); 0: never, smart stops wait.
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

  -- File that keeps clusters, places and seats over a restart; it goes on where it was.
  -- Default: none.
  -- state_file = "/var/lib/plusmoin/state.json",

  -- Unix socket that `plusmoin status` asks; at most 107 bytes.
  -- Default: plusmoin.sock beside pid_file.
  control_socket = "/var/run/plusmoin/plusmoin.sock",

  -- The window: status, health, metrics and events by HTTP.
  -- Default: null: there is no window.
  http = nil,
  -- http = {
  --   -- Where it listens, once or in several places; a socket's path has at most 107 bytes.
  --   -- Default: none: this or agent is required.
  --   listen = "127.0.0.1:8008",
  --   -- File whose first line is the bearer token that who asks must have; read with the configuration.
  --   -- Default: none: who reaches it may ask.
  --   token_file = "/etc/plusmoin/http.token",
  --   -- Further names that the Host header of a request may have, besides the addresses of `listen`.
  --   -- Default: {}.
  --   hosts = { "plusmoin.example.com" },
  --   -- Where HAProxy's agent-check is answered.
  --   -- Default: none.
  --   agent = "127.0.0.1:8009",
  --   -- What health URLs answer while the monitor is cut off from all other hosts: what was known last, or 503.
  --   -- Default: last.
  --   isolated = "last",
  -- },

  -- Several monitors of one fleet, of which one acts, agree in etcd; all of it but votes needs a restart.
  -- Default: null: this monitor is alone.
  monitors = nil,
  -- monitors = {
  --   -- Where etcd's members (3.4 or later) answer their clients.
  --   -- Required.
  --   etcd = { "http://10.0.0.1:2379", "http://10.0.0.2:2379", "http://10.0.0.3:2379" },
  --   -- What all keys in etcd begin with: the same for the monitors of one fleet, another one for another fleet.
  --   -- Default: /plusmoin/main/.
  --   prefix = "/plusmoin/main/",
  --   -- This monitor's name: each has one of its own.
  --   -- Default: the machine's host name.
  --   name = "monitor1",
  --   -- Seconds without a sign of the monitor that acts, after which another one takes over.
  --   -- Default: 5.
  --   ttl = 5,
  --   -- User of etcd to log in as.
  --   -- Default: none: etcd asks for no login.
  --   user = "plusmoin",
  --   -- Its password.
  --   -- Default: none: user needs one.
  --   password = "secret",
  --   -- Certificates (PEM) of those who sign etcd's, for https.
  --   -- Default: the system's.
  --   cafile = "/etc/plusmoin/etcd-ca.pem",
  --   -- Certificate (PEM) that this monitor shows to etcd, without a common name where etcd asks for a login.
  --   -- Default: none.
  --   certfile = "/etc/plusmoin/etcd-client.pem",
  --   -- The key of that certificate (PEM).
  --   -- Default: none: certfile needs one.
  --   keyfile = "/etc/plusmoin/etcd-client.key",
  --   -- Who must see a loss for it to count: most monitors that can say, any one (nobody is asked), or so many.
  --   -- Default: majority.
  --   votes = "majority",
  -- },
}
