--- The table of the command line: its verbs, options, exit statuses, signals and files, a row each.
--
-- plusmoin.8 is made from these rows (tests/tools/man.lua); specs hold the program's
-- --help and the completion against them. `doc` is one paragraph, with `code` in
-- backticks. A verb's `options` are those that only it takes, besides the common ones;
-- its `words` are the arguments that may follow it.
local verbs = {}

verbs.options = {
  { name = "-c", value = "FILE", doc = "The configuration, `.lua` or JSON. Without it "
    .. "`/etc/plusmoin/plusmoin.json`, else `/etc/plusmoin/plusmoin.lua`, else `/etc/plusmoin/config.json`." },
  { name = "-h", long = "--help", doc = "Prints the verbs and options and exits." },
  { name = "--version", doc = "Prints the version and exits." },
}

verbs.rows = {
  { name = "start", options = { "-x" },
    doc = "Starts to watch. It becomes a daemon and returns 0 when its pid file is locked, its privileges are dropped "
      .. "and its control socket exists; it does not wait for servers. With `-x` it stays in the foreground and logs "
      .. "to stdout. Started as root it becomes `daemon_user` before any code of the configuration runs; started as "
      .. "another user it stays that user. A second start is refused." },
  { name = "stop", options = {},
    doc = "Ends the running daemon and waits for its end: running triggers have `shutdown_grace`. A daemon that has "
      .. "not ended 5 s after that is killed, and a message says so." },
  { name = "reload", options = {},
    doc = "Has the running daemon read its configuration anew, waits for the outcome and prints it. A bad "
      .. "configuration changes nothing. The log is reopened in any case." },
  { name = "status", options = { "--json" },
    doc = "Prints what the running daemon knows, as a table. Without a daemon, or without the right to ask it, prints "
      .. "what the status file holds, and how old it is (exit status 1). With `--json` prints the status file "
      .. "itself." },
  { name = "watch", options = {},
    doc = "Shows the status and the last events in a terminal, kept up to date until Ctrl-C. It uses colours only on a "
      .. "terminal, and not where `NO_COLOR` is set." },
  { name = "explain", words = "[NODE|EVENT-ID]", options = { "--json" },
    doc = "Tells why a node (`host:port`, or its name) is where it is: what was seen of it, which rule decided, and "
      .. "what is missing for the next change. Of an event it tells why it fired, what was seen until then, and how "
      .. "its triggers ended. Without an argument it tells of every node that is not well. With `--json` it prints the "
      .. "control socket's answer. Exit status 1 without a daemon, or when there is no such node or event." },
  { name = "monitors", words = "[resign|seed]", options = { "--json" },
    doc = "Lists the monitors where several watch one fleet (`monitors`): which one acts, since when each runs, how "
      .. "many nodes answer it, and whether its settings are the same as here. With `resign` the running daemon, if it "
      .. "is the one that acts, hands over to another one, and the verb waits for that. With `seed` the running daemon "
      .. "writes what it knows to an etcd that has lost its data (wiped, or restored from a backup). With `--json` it "
      .. "prints the control socket's answer. Exit status 1 without a daemon, where the monitor is alone, and when "
      .. "nobody takes over." },
  { name = "silence", words = "NODE|CLUSTER-ID|all DURATION [REASON]", options = { "--list", "--end", "--json" },
    doc = "Stops triggers for a while (`30m`, `1h30m`, `2d`; at most 30 days): none runs for events about that node "
      .. "(`host:port`, or its name), of that cluster, or for any event. plusmoin goes on to conclude, log and keep "
      .. "such events, and says that they are silenced; their triggers do not run later either. Triggers that run "
      .. "already go on. A second silence of the same target replaces the first. A silence ends by itself, and "
      .. "outlives a reload, and with `state_file` a restart. With `--list` it lists the silences (with `--json` as "
      .. "the control socket's answer), with `--end TARGET` it ends one. Exit status 1 without a daemon, or when "
      .. "there is no such target or silence." },
  { name = "runs", words = "[kill ID]", options = { "--json" },
    doc = "Lists the triggers that run and those that wait, an action a line: its id, since when, what it waits for "
      .. "(its turn in the cluster, a place of `trigger_parallel`, its script host, the term where there are several "
      .. "monitors, or `pm.sleep`, `pm.exec`, `pm.query`, `pm.http`, `pm.request`), trigger, event, cluster and node. "
      .. "It lists at most 1,000: first those that run, then those that wait, the oldest first. `kill` ends the one "
      .. "of that id: a command gets TERM and 5 s later KILL, a function is ended as one past its timeout, and one "
      .. "that waits does not run. The event's next actions run, and the log says who ended it. Where there are "
      .. "several monitors, the one that acts runs the triggers. With `--json` it prints the control socket's answer. "
      .. "Exit status 1 without a daemon, or when there is no such run." },
  { name = "console", options = { "-e", "-f" },
    doc = "Runs Lua in the running daemon: what is typed in a terminal, line by line, with history and completion; the "
      .. "code behind `-e`; the file behind `-f` (`-`: stdin); or what stands on stdin. It runs as a trigger does, "
      .. "with the same `pm` and limits, for at most `trigger_timeout`, and its variables last as long as the session. "
      .. "What the code returns is printed. Only root and `daemon_user` may. Exit status 1 when the code raises an "
      .. "error: `plusmoin console -e 'return #pm.cluster(0).slaves'`." },
  { name = "check", options = { "--json" },
    doc = "Validates the configuration as `daemon_user` and asks every node whether all will work (whether it answers, "
      .. "its role and version, whether beats may be written, settings that do harm). It says what mends each finding, "
      .. "and how long a loss goes unnoticed at most. It writes nothing and takes no lock. Exit status 1 when "
      .. "something would not work." },
  { name = "run-trigger", words = "FILE.lua|EVENT [EVENT.json]", options = {},
    doc = "Runs a Lua trigger by hand, as `daemon_user`, with the real API and a `pm.state` of its own; its log goes "
      .. "to stdout. A file runs with the settings that it has in the configuration; an event's name runs the "
      .. "functions that are configured for it (`master_up[2]`: one of a list). The event is that of a file (`-`: "
      .. "stdin), with the keys that commands get and `name`; without one it is as if the event happened to the "
      .. "running daemon's first cluster now. Exit status 1, with the traceback on stderr, when a run fails or takes "
      .. "too long." },
  { name = "init-sql", options = {},
    doc = "Prints the SQL and the lines of pg_hba.conf that the servers of this configuration need." },
  { name = "lua-types", words = "[DIR]", options = {},
    doc = "Writes definitions of the Lua API, of a Lua configuration and of the ready-made triggers' settings for "
      .. "editors that use lua-language-server: into the new directory `.plusmoin-lua-types` of the working directory, "
      .. "with a `.luarc.json` beside it, or all of it into DIR, for a `.luarc.json` elsewhere. It writes over "
      .. "definitions of its own alone, and never over a `.luarc.json`: it says what that one lacks. It needs no "
      .. "configuration and no daemon. Exit status 1 when something cannot be written or is in the way." },
}

verbs.exits = {
  { name = "0", doc = "The verb succeeded." },
  { name = "1", doc = "The verb failed, there is no running daemon, or `check` found something that would not work." },
  { name = "2", doc = "The command line is wrong." },
  { name = "3", doc = "The configuration is bad: stderr names file and line, or the key, what is wrong and what is "
    .. "allowed." },
}

verbs.signals = {
  { name = "SIGTERM, SIGINT", doc = "End the daemon: beats and polls stop; running triggers have `shutdown_grace`, "
    .. "then get TERM and 2 s later KILL." },
  { name = "SIGHUP", doc = "Has the daemon read its configuration anew and reopen the log; the outcome is in the "
    .. "log." },
}

verbs.environment = {
  { name = "PLUSMOIN_TRIGGER, PLUSMOIN_EVENT_ID, PLUSMOIN_CLUSTER_ID, PLUSMOIN_RULE",
    doc = "Commands get them: the event, its id, the cluster, the rule that decided." },
  { name = "PLUSMOIN_NODE_HOST, PLUSMOIN_NODE_PORT, PLUSMOIN_NODE_REASON",
    doc = "Commands get them: the node that the event is about, if any, and why it is down." },
  { name = "PLUSMOIN_MASTER_HOST, PLUSMOIN_MASTER_PORT", doc = "Commands get them: the cluster's master, if any." },
  { name = "NOTIFY_SOCKET, WATCHDOG_USEC, JOURNAL_STREAM", doc = "systemd sets them for the daemon; commands do not "
    .. "get the first two." },
}

-- Files whose names are fixed: no setting changes them.
verbs.files = {
  { name = "/etc/plusmoin/plusmoin.json", doc = "The configuration: see plusmoin.conf(5)." },
}

return verbs
