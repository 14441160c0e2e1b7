-- The recipes of plusmoin-recipes(7): what is printed there works, with the addresses of servers of ours.
local cjson = require "cjson"
local client = require "spec.support.client"
local haproxy = require "spec.support.haproxy"
local peer = require "spec.support.peer"
local pg = require "spec.support.pg"
local pgbouncer = require "spec.support.pgbouncer"
local pgpool = require "spec.support.pgpool"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local texts = require "spec.support.texts"

-- The page's block that begins with "COMMENT FILE".
local function block(file)
  return texts.block(file, "conf/man/plusmoin-recipes.7.md")
end

-- The text with each of `pairs` {from, to} replaced, all of them there.
local function put(text, list)
  for _, pair in ipairs(list) do
    local from, to = pair[1]:gsub("%p", "%%%0"), pair[2]:gsub("%%", "%%%%")
    local count
    text, count = text:gsub(from, to)
    assert(count > 0, pair[1])
  end
  return text
end

-- A plusmoin with the recipe's configuration, as a daemon of ours runs.
local function start_recipe(text, servers, trigger, list)
  for i, server in ipairs(servers) do
    list[#list + 1] = { ('host = "10.0.0.%d"'):format(i), ('host = "%s", port = %d'):format(server.host, server.port) }
  end
  -- trigger_timeout is longer than the triggers' own, as by default: a run that is killed keeps its turn; a slave
  -- that follows no new master stays while a proxy takes its time
  local daemon = plusmoin.new { nodes = servers, config = { heartbeat = 1, trigger_timeout = 20, max_sync_delay = 60 },
    files = {
    ["recipe.lua"] = put(text, list), [trigger] = assert(proc.read_file("triggers/" .. trigger)) }, lua = [[
local recipe = require "recipe"
config.nodes, config.dbname, config.user, config.triggers = recipe.nodes, recipe.dbname, recipe.user, recipe.triggers
]] }
  daemon:start()
  return daemon -- without the recorder
end

describe("the recipe", function()
  after_each(function()
    client.stop_all()
    haproxy.stop_all()
    pgbouncer.stop_all()
    pgpool.stop_all()
    scene.finish()
  end)

  it("for HAProxy", function()
    local master, slaves = pg.cluster(2)
    local servers = { master, table.unpack(slaves) }
    local proxy = haproxy.start(servers, { stopped = true })
    local list = { { "/run/haproxy/admin.sock mode 660 group plusmoin", proxy.socket .. " mode 600" },
      { "bind :6432", "bind 127.0.0.1:" .. proxy.write_port }, { "bind :6433", "bind 127.0.0.1:" .. proxy.read_port } }
    for i, server in ipairs(servers) do
      list[#list + 1] = { ("10.0.0.%d:5432"):format(i), server.name }
    end
    proc.write_file(proxy.dir .. "/haproxy.cfg", put(block("/etc/haproxy/haproxy.cfg"), list))
    proxy:run()
    local daemon = start_recipe(block("/etc/plusmoin/plusmoin.lua"), servers, "haproxy.lua",
      { { "/run/haproxy/admin.sock", proxy.socket } })
    proxy:wait_open("db1", "db2+db3", function() return daemon:diagnose() end)
    local writer = client.start { port = proxy.write_port, sql = "SELECT inet_server_port(), pg_is_in_recovery()" }
    writer:wait_value(master.port)
    master:kill9()
    proxy:wait_open("", "db2+db3")
    slaves[1]:promote()
    writer:wait_value(slaves[1].port)
    proxy:wait_open("db2", "db3")
  end)

  it("for alerts", function()
    local master, slaves = pg.cluster(1)
    local heard = {}
    local server = peer.serving(function(one)
      local text = ""
      one:read_start(function(_, data)
        text = text .. (data or "")
        local body = text:match("\r\n\r\n(.*)$")
        if data and body and #body == tonumber(text:match("\r\nContent%-Length: (%d+)")) then
          heard[#heard + 1] = text
          one:write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", function() one:close() end)
        end
      end)
    end)
    local header = texts.match("\n    # /etc/plusmoin/hook%-header\n    ([^\n]+)\n")
    local daemon = plusmoin.new { nodes = { master, slaves[1] },
      files = { ["webhook.lua"] = assert(proc.read_file("triggers/webhook.lua")), ["hook-header"] = header } }
    local at = "http://127.0.0.1:" .. server.port
    local text = put(block("/etc/plusmoin/plusmoin.json"), { { "https://chat.example.com", at },
      { "https://incidents.example.com", at }, { "/etc/plusmoin/hook-header", daemon.dir .. "/hook-header" } })
    for event, entry in pairs(cjson.decode((text:gsub("^//[^\n]*\n", ""))).triggers) do
      daemon.config.triggers[event] = entry
    end
    proc.write_file(daemon.config_path, daemon:json())
    daemon:start()
    daemon:expect_events { { "plusmoin_up" } }
    slaves[1]:kill9()
    proc.wait_for("the slave's alert", 10, function() return #heard == 1 end, function() return daemon:diagnose() end)
    assert.truthy(heard[1]:find('{"text":"slave down ' .. slaves[1].name .. " in cluster 0: ", 1, true), heard[1])
    master:kill9()
    proc.wait_for("the master's alerts", 10, function() return #heard == 3 end, function() return daemon:diagnose() end)
    assert.truthy(heard[2]:find('{"text":"master down ' .. master.name .. " in cluster 0: ", 1, true), heard[2])
    assert.truthy(heard[3]:find("Authorization: Bearer 0123456789\r\n", 1, true), heard[3])
    server:close()
  end)

  it("for mails", function()
    local master, slaves = pg.cluster(2)
    local dir = proc.new_dir("mail")
    proc.write_file(dir .. "/sendmail", ('#!/bin/sh\n{ echo "$*"; cat; } > %s/part\nmv %s/part %s/mail\n'):format(dir,
      dir, dir), tonumber("755", 8))
    local to = 'to = { "oncall@example.com" }'
    local servers = { master, table.unpack(slaves) }
    local daemon = start_recipe(block("/etc/plusmoin/plusmoin-email.lua"), servers, "email.lua",
      { { to, to .. (', sendmail = "%s/sendmail"'):format(dir) } })
    proc.wait_for("its place", 10, function() return daemon:logged("watching: 1 master, 2 slaves") end)
    slaves[2]:kill9()
    local mail = proc.wait_for("the mail", 10, function() return proc.read_file(dir .. "/mail") end,
      function() return daemon:diagnose() end)
    assert.truthy(mail:find("\nSubject: slave down " .. slaves[2].name .. " in cluster 0: ", 1, true), mail)
  end)

  it("for PgBouncer", function()
    local master, slaves = pg.cluster(2)
    local bouncer = pgbouncer.start { stopped = true }
    proc.write_file(bouncer.dir .. "/users", '"plusmoin" "secret"\n')
    local port = { "port = 6432", "port = " .. bouncer.port }
    local file = { "/var/lib/plusmoin/pgbouncer/databases.ini", bouncer.file }
    proc.write_file(bouncer.dir .. "/pgbouncer.ini", put(block("/etc/pgbouncer/pgbouncer.ini"), { port, file,
      { "listen_addr = *", "listen_addr = 127.0.0.1\nunix_socket_dir =\nlogfile = " .. bouncer.dir .. "/log" },
      { "/etc/pgbouncer/userlist.txt", bouncer.dir .. "/users" } }))
    bouncer.password = "secret"
    bouncer:run()
    local daemon = start_recipe(block("/etc/plusmoin/plusmoin-pgbouncer.lua"), { master, table.unpack(slaves) },
      "pgbouncer.lua", { port, file, { "dbname=app", "dbname=plusmoin" } })
    proc.wait_for("its word", 10, function() return daemon:logged("app leads to " .. master.name) end,
      function() return daemon:diagnose() end)
    local writer = client.start { port = bouncer.port, dbname = "app", password = "secret",
      sql = "SELECT inet_server_port(), pg_is_in_recovery()" }
    local reader = client.start { port = bouncer.port, dbname = "app_ro", password = "secret",
      sql = "SELECT inet_server_port(), pg_is_in_recovery()" }
    writer:wait_value(master.port)
    reader:wait_value(slaves[1].port)
    master:kill9()
    slaves[1]:promote()
    writer:wait_value(slaves[1].port)
    reader:wait_value(slaves[2].port)
  end)

  it("for pgpool", function()
    local master, slaves = pg.cluster(2)
    local servers = { master, table.unpack(slaves) }
    local pool = pgpool.start({}, { stopped = true })
    local list = { { "listen_addresses = '*'", "listen_addresses = '127.0.0.1'" },
      { "port = 6432", "port = " .. pool.port } }
    for i, server in ipairs(servers) do
      list[#list + 1] = { ("backend_hostname%d = '10.0.0.%d'\nbackend_port%d = 5432"):format(i - 1, i, i - 1),
        ("backend_hostname%d = '%s'\nbackend_port%d = %d"):format(i - 1, server.host, i - 1, server.port) }
    end
    local places = ("socket_dir = '%s'\npcp_socket_dir = '%s'\npid_file_name = '%s/pid'\nlogdir = '%s'\n"):format(
      pool.dir, pool.dir, pool.dir, pool.dir) .. "pcp_port = " .. pool.pcp_port .. "\n"
    proc.write_file(pool.dir .. "/pgpool.conf", put(block("/etc/pgpool2/pgpool.conf"), list) .. places)
    local password = texts.match('\n    echo "plusmoin:%$%(pg_md5 ([^)]+)%)" >> /etc/pgpool2/pcp.conf\n')
    proc.write_file(pool.dir .. "/pcp.conf", "plusmoin:" .. proc.must { "pg_md5", password })
    proc.write_file(pool.passfile, texts.match('\n    echo "([^"]+)" > /etc/plusmoin/pcppass\n') .. "\n",
      tonumber("600", 8))
    pool:run()
    local daemon = start_recipe(block("/etc/plusmoin/plusmoin-pgpool.lua"), servers, "pgpool.lua",
      { { "port = 9898", "port = " .. pool.pcp_port }, { "/etc/plusmoin/pcppass", pool.passfile } })
    local writer = client.start { port = pool.port, sql = "/*NO LOAD BALANCE*/ SELECT inet_server_port()",
      retry_ms = 50 }
    pool:wait_roles("s1* s2 s3", function() return daemon:diagnose() end)
    slaves[2]:kill9()
    pool:wait_roles("s1* s2 -", function() return daemon:diagnose() end)
    slaves[2]:start()
    pool:wait_roles("s1* s2 s3", function() return daemon:diagnose() end)
    master:kill9()
    pool:wait_roles("- s2 s3", function() return daemon:diagnose() end)
    slaves[1]:promote()
    pool:wait_roles("- s2* s3", function() return daemon:diagnose() end)
    writer:wait_value(slaves[1].port, 30)
  end)
end)
