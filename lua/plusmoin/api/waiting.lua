-- The rows of the API's functions that wait (lua/plusmoin/api.lua says what a row has).
local TIMEOUT = { name = "timeout", type = "number", optional = true,
  doc = "Seconds for all of it, above 0 and at most 86,400; otherwise it has what is left of the run's own time." }

return {
  { name = "pm.sleep", kind = "function", waits = true,
    params = { { name = "seconds", type = "number", doc = "From 0 to 86,400; fractions count." } },
    returns = {},
    doc = "pm.sleep stops the run for so many seconds; functions of other clusters run meanwhile.",
    example = [[
local began = pm.now()
pm.sleep(0.1)
assert(pm.now() - began >= 0.1)
]] },

  { name = "pm.exec", kind = "function", waits = true,
    params = { { name = "spec", type = "ExecSpec", fields = {
      { name = "[1]", type = "string|number", list = "program, argument, ...",
        doc = "The program (it is looked up in PATH unless it has a slash), and in [2], [3], ... its arguments; "
          .. "no shell reads them." },
      { name = "stdin", type = "string", optional = true, doc = "What the program reads; without it nothing." },
      { name = "env", type = "table<string, string|number|false>", optional = true,
        doc = "Variables over those that commands get (PLUSMOIN_TRIGGER and the like are there); false removes one." },
      { name = "cwd", type = "string", optional = true, doc = "The directory in which it runs; without it `/`." },
      { name = "timeout", type = "number", optional = true,
        doc = "Seconds, above 0 and at most 86,400, after which its process group gets TERM and 5 s later KILL; "
          .. "otherwise it ends with the run." },
    } } },
    returns = { { name = "result", type = "ExecResult", fields = {
      { name = "code", type = "integer", optional = true, doc = "Its exit status; nil when a signal has ended it." },
      { name = "signal", type = "integer", optional = true, doc = "The signal that has ended it; nil when it exited." },
      { name = "stdout", type = "string", doc = "The first MiB that it wrote to stdout." },
      { name = "stderr", type = "string", doc = "The first MiB that it wrote to stderr." },
      { name = "timed_out", type = "boolean", doc = "Whether it was ended because its time was over." },
      { name = "truncated", type = "boolean", doc = "Whether it wrote more than was kept." },
    } } },
    fails = "it cannot be started",
    doc = "pm.exec runs a program, without a shell and in a process group of its own, and returns what came of it.",
    example = [[
local result, why = pm.exec { "sort", "-r", stdin = "a\nb\n", timeout = 5 }
if not result then
  error(why)
end
assert(result.code == 0 and result.stdout == "b\na\n")
]] },

  { name = "pm.query", kind = "function", waits = true,
    params = {
      { name = "target", type = "Node|QueryTarget", doc = "The server: a node table, or a table with its address.",
        fields_of = "QueryTarget", fields = {
          { name = "host", type = "string", doc = "A name, an address, or the directory of a socket." },
          { name = "port", type = "integer", optional = true, doc = "Its port; without it 5432." },
          { name = "user", type = "string", optional = true, doc = "Whom to log in as, where it is no configured "
            .. "node." },
          { name = "password", type = "string", optional = true, doc = "That role's password." },
          { name = "dbname", type = "string", optional = true, doc = "The database." },
          { name = "connection", type = "table<string, string|number|boolean>", optional = true,
            doc = "Further libpq keywords: `sslmode`, `passfile`, ..." },
        } },
      { name = "sql", type = "string",
        doc = "One statement; without `params` there may be several, and the rows are those of the last one." },
      { name = "params", type = "any[]", optional = true,
        doc = "The values of $1, $2, ...: strings, numbers, booleans; nil or pm.json.null is NULL (with a nil at the "
          .. "end "
          .. "set `n`). They never become part of the text." },
      { name = "options", type = "QueryOptions", optional = true, fields = {
        TIMEOUT,
        { name = "user", type = "string", optional = true, doc = "Whom to log in as, instead of the node's own." },
        { name = "password", type = "string", optional = true, doc = "That role's password." },
        { name = "dbname", type = "string", optional = true, doc = "Another database." },
        { name = "connection", type = "table<string, string|number|boolean>", optional = true,
          doc = "Further libpq keywords, over the node's own." },
        { name = "admin", type = "boolean", optional = true,
          doc = "Whether it is the console of PgBouncer, pgpool and the like, which knows no settings: none is sent." },
      } },
    },
    returns = { { name = "rows", type = "Rows", fields_of = "Rows", fields = {
      { name = "[1]", type = "table<string, any>", list = "row, row, ...", doc = "A row: its values keyed by column." },
      { name = "n", type = "integer",
        doc = "How many rows there are; of a command without rows, how many it has touched." },
      { name = "command", type = "string", doc = "What the server says that it did: `SELECT 2`." },
    } } },
    fails = "it is refused, times out, fails on the server (the SQLSTATE stands in parentheses), or gives more than "
      .. "16 MiB",
    doc = "pm.query runs SQL on a server and returns the rows, keyed by column.",
    more = {
      "A node table, or host and port of a configured node, is asked with that node's own credentials and "
        .. "`connection`; "
        .. "any other server with what the call gives. What the options say goes over both.",
      "Integers, floats and numeric come as numbers (beyond 2^53 numeric as a string), booleans as booleans, NULL as "
        .. "nil, "
        .. "all else as strings.",
      "`timeout` ends the statement on the server, too, also when the run itself is ended before, but not with "
        .. "`admin`. "
        .. "The connections of a run are its own, and kept until it ends.",
      "Whatever role, database and server say, a session begins with isolation `read committed`, not deferrable, no "
        .. "`lock_timeout`, `transaction_timeout` or timeout of idle sessions, `row_security` and "
        .. "`standard_conforming_strings` on, UTF-8, ISO dates, intervals as `postgres` has them, `bytea` in hex and "
        .. "`extra_float_digits` 1; `connection.options`, or a SET in `sql`, say otherwise. Through a connection pool "
        .. "nothing is set once it is connected, not even the server's timeout: other clients would find it.",
    },
    example = [[
local sql = "SELECT $1::int + 1 AS more, now() AS at"
local rows, why = pm.query(event.master, sql, { 41 }, { timeout = 5 })
if not rows then
  error(why)
end
assert(rows[1].more == 42 and rows.n == 1 and rows.command == "SELECT 1")
]] },

  { name = "pm.http", kind = "function", waits = true,
    params = { { name = "spec", type = "HttpSpec", fields = {
      { name = "url", type = "string", doc = "`http://...` or `https://...`" },
      { name = "method", type = "string", optional = true, doc = "GET, POST, ...; without it GET, with a body POST." },
      { name = "headers", type = "table<string, string|number>", optional = true, doc = "Further headers: name and "
        .. "value." },
      { name = "body", type = "string", optional = true, doc = "What is sent." },
      TIMEOUT,
      { name = "cafile", type = "string", optional = true,
        doc = "A file of certificates (PEM) to trust in place of the system's." },
      { name = "verify", type = "boolean", optional = true,
        doc = "Whether the server's certificate and name must be right; without it they must." },
      { name = "redirects", type = "integer", optional = true,
        doc = "How many redirects are followed, at most 50; without it none." },
    } } },
    returns = { { name = "answer", type = "HttpAnswer", fields = {
      { name = "status", type = "integer", doc = "The status, whatever it is: 200, 404, 503." },
      { name = "headers", type = "table<string, string>",
        doc = "The headers by their names in small letters; several of one name stand with `, ` between them." },
      { name = "body", type = "string", doc = "The body." },
    } } },
    fails = "there is no whole answer: it is refused, times out, the certificate is wrong, or the body has more than "
      .. "16 MiB",
    doc = "pm.http makes an HTTP request and returns the answer, whatever its status is.",
    more = {
      "Certificates are verified against the system's, or those of `cafile`. `http_proxy` and the like in the daemon's "
        .. "environment count as for curl.",
    },
    example = [[
local answer, why = pm.http {
  url = "https://alerts.example.com/",
  headers = { ["Content-Type"] = "application/json" },
  body = pm.json.encode { text = event.name },
  timeout = 5,
}
if not answer then
  error(why)
end
assert(answer.status == 200, answer.body)
]] },

  { name = "pm.request", kind = "function", waits = true,
    params = { { name = "spec", type = "RequestSpec", fields = {
      { name = "to", type = "string", doc = "`/path/of/a/socket`, `host:port`, or `[address]:port` of IPv6." },
      { name = "data", type = "string", optional = true, doc = "What is sent; without it nothing." },
      TIMEOUT,
    } } },
    returns = { { name = "answer", type = "string" } },
    fails = "it is refused, times out, or gets more than 16 MiB",
    doc = "pm.request connects to a socket, sends `data`, closes its half, and returns all that comes back.",
    example = [[
local answer, why = pm.request {
  to = "/run/haproxy/admin.sock", data = "show stat\n", timeout = 5,
}
if not answer then
  error(why)
end
pm.log.info("HAProxy says: %s", answer)
]] },

  { name = "os.execute", kind = "function", waits = true, standard = true,
    params = { { name = "command", type = "string", optional = true, doc = "A shell's command line." } },
    returns = {
      { name = "ok", type = "true", optional = true, doc = "True when the command exits with 0, else nil." },
      { name = "how", type = "string", optional = true, doc = "`exit` or `signal`." },
      { name = "code", type = "integer", optional = true, doc = "The exit status, or the signal's number." },
    },
    doc = "os.execute runs a command line in a shell, as Lua's does; it waits as pm.exec does, and what the command "
      .. "prints goes to the log.",
    example = [[
assert(os.execute("test -d /tmp"))
]] },

  { name = "io.popen", kind = "function", waits = true, standard = true,
    params = {
      { name = "command", type = "string", doc = "A shell's command line." },
      { name = "mode", type = "string", optional = true, doc = "`r`, which is the default, or `w`." },
    },
    returns = { { name = "file", type = "file*" } },
    fails = "it cannot be started",
    doc = "io.popen runs a command line in a shell and gives its output as a file.",
    more = {
      "In mode `r` it waits for the command's end; 4 MiB of its output can be read. In mode `w` the command runs when "
        .. "the file is closed, which waits, and it gets 4 MiB at most.",
    },
    example = [[
local pipe = io.popen("echo hello")
assert(pipe:read("l") == "hello")
pipe:close()
]] },
}
