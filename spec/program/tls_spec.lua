-- TLS: what of it is our own lack, by which nobody is judged, and what is a server's door, which is held.
local peer = require "spec.support.peer"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local tls = require "spec.support.tls"

local uv = proc.uv
local QUICK = { heartbeat = 0.3, fresh_connect_interval = 0.3, max_sync_delay = 30 }
local LACKS, LACKS_NO_MORE = "plusmoin itself lacks something", "plusmoin itself no longer lacks this"

local function chmod(path, mode)
  assert(uv.fs_chmod(path, tonumber(mode, 8)))
end

local function empty(path)
  proc.write_file(path, "", tonumber("600", 8))
end

local function junk(path)
  proc.write_file(path, "no certificate\n", tonumber("600", 8))
end

-- A link to one takes the file's place at once.
local function directory(path)
  assert(uv.fs_mkdir(path .. ".d", tonumber("755", 8)))
  assert(uv.fs_symlink(path .. ".d", path .. ".link"))
  assert(uv.fs_rename(path .. ".link", path))
end

local function unreadable(path)
  chmod(path, "000")
end

-- libpq 15 reads on behind what OpenSSL has told it of a file that may not be read.
local IS_SANITIZED = (os.getenv("PLUSMOIN_BIN") or ""):find("asan", 1, true) ~= nil

local other_key

-- What can be done to which file, and the words for it; those with a tag are for `make test-long`.
local DAMAGES = {
  { "sslrootcert", "gone", os.remove, "root certificate file", "does not exist" },
  { "sslrootcert", "emptied", empty, "could not read root certificate file", tag = " #long" },
  { "sslrootcert", "unparsable", junk, "could not read root certificate file", tag = " #long" },
  { "sslrootcert", "unreadable", unreadable, "could not read root certificate file", "Permission denied",
    tag = " #long" },
  { "sslrootcert", "a directory", directory, "could not read root certificate file", tag = " #long" },
  { "sslcert", "gone", os.remove, "client certificate file", "No such file or directory" },
  { "sslcert", "emptied", empty, "could not read certificate file" },
  { "sslcert", "unparsable", junk, "could not read certificate file", tag = " #long" },
  { "sslcert", "unreadable", unreadable, "could not read certificate file", "Permission denied", tag = " #long" },
  { "sslkey", "gone", os.remove, "certificate present, but not private key file", tag = " #long" },
  { "sslkey", "emptied", empty, "could not load private key file", tag = " #long" },
  { "sslkey", "unparsable", junk, "could not load private key file", tag = " #long" },
  { "sslkey", "unreadable", unreadable, "private key file", "Permission denied", tag = " #long" },
  { "sslkey", "open to others", function(path) chmod(path, "644") end, "private key file",
    "has group or world access" },
  { "sslkey", "another one's", function(path) proc.write_file(path, other_key, tonumber("600", 8)) end,
    "private key file", "key values mismatch", tag = " #long" },
  { "sslkey", "a directory", directory, "is not a regular file", tag = " #long" },
}

local function times_logged(daemon, words)
  local _, count = daemon:log():gsub(words, "")
  return count
end

local function end_sessions(servers)
  for _, server in ipairs(servers) do
    server:end_sessions()
  end
end

-- A daemon whose three servers want TLS and a certificate of the client's; the authority, and how its files are mended.
local function start(options)
  options = options or {}
  local authority = tls.authority()
  local connection, mend = tls.client(authority)
  local master, slaves = pg.cluster(2)
  local servers = { master, slaves[1], slaves[2] }
  for _, server in ipairs(servers) do
    tls.serve(server, authority)
    tls.let_in(server, options.method or "trust clientcert=verify-ca")
  end
  for key, value in pairs(options.connection or {}) do
    connection[key] = value or nil
  end
  local config = { connection = connection }
  for key, value in pairs(QUICK) do
    config[key] = value
  end
  if options.before then
    options.before(connection)
  end
  local daemon = plusmoin.start { nodes = servers, config = config, nowait = options.nowait }
  return { daemon = daemon, servers = servers, authority = authority, files = connection, mend = mend }
end

local function check_places(case)
  for i, server in ipairs(case.servers) do
    case.daemon:wait_place(server, i == 1 and "master 0" or "slave 0")
  end
end

local function lacks(daemon)
  return daemon:ask({ request = "status" }).lacks
end

local function wait_lacks(daemon, nodes)
  proc.wait_for("a lack of " .. nodes .. " nodes", 10, function()
    local found = lacks(daemon)
    return nodes == 0 and #found == 0 or #found == 1 and found[1].nodes == nodes
  end, function() return daemon:diagnose() end)
  return lacks(daemon)[1]
end

-- The file's damage is told once, nobody is judged, and its end is told once.
local function see_through(case, words, mend)
  local daemon = case.daemon
  local told, ended = times_logged(daemon, LACKS), times_logged(daemon, LACKS_NO_MORE)
  local lack = wait_lacks(daemon, 3)
  daemon:wait_logged("error", LACKS, table.unpack(words))
  assert.truthy(lack.message:find(words[1], 1, true), lack.message)
  daemon:quiet_rounds(2)
  assert.equal(told + 1, times_logged(daemon, LACKS), daemon:log())
  mend()
  wait_lacks(daemon, 0)
  proc.wait_for("the word of its end", 10, function() return times_logged(daemon, LACKS_NO_MORE) > ended end,
    function() return daemon:diagnose() end)
  daemon:wait_logged("error", LACKS_NO_MORE, words[1])
  assert.equal(ended + 1, times_logged(daemon, LACKS_NO_MORE), daemon:log())
  check_places(case)
end

describe("a file of our own TLS", function()
  after_each(function() scene.finish(peer.close_all) end)

  for _, name in ipairs { "sslrootcert", "sslcert", "sslkey" } do
    for _, tag in ipairs { "", " #long" } do
      it(name .. " that is damaged is told once, and nobody is judged" .. tag, function()
        local case = start()
        _, other_key = case.authority:issue("another")
        for _, damage in ipairs(DAMAGES) do
          local here = damage[1] == name and (damage.tag or "") == tag
          if here and not (IS_SANITIZED and damage[3] == unreadable) then
            damage[3](case.files[name])
            see_through(case, { table.unpack(damage, 4) }, case.mend)
          end
        end
        assert.equal(0, times_logged(case.daemon, "held in its place"))
      end)
    end
  end

  it("is told in the status, and nobody is down without a connection either, but who refuses", function()
    local case = start()
    local daemon, servers = case.daemon, case.servers
    assert(os.remove(case.files.sslrootcert))
    end_sessions(servers)
    wait_lacks(daemon, 3)
    daemon:quiet(1)
    check_places(case)
    local code, out = daemon:cli("status")
    assert.equal(0, code, out)
    assert.truthy(out:find(LACKS, 1, true) and out:find(case.files.sslrootcert, 1, true), out)
    assert.is_nil(select(2, daemon:status_file()):find("lacks", 1, true))
    servers[3]:kill9()
    daemon:expect_events { { "slave_down", servers[3], rule = "S1", reason = "refused" } }
    wait_lacks(daemon, 2)
    case.mend()
    daemon:wait_logged(LACKS_NO_MORE, "root certificate file")
    daemon:quiet_rounds(2)
    assert.truthy(servers[1]:sessions()[1])
    code, out = daemon:cli("status")
    assert.equal(0, code, out)
    assert.is_nil(out:find(LACKS, 1, true), out)
  end)

  it("is what lacks where sslmode prefers TLS and the server refuses to do without #long", function()
    local case = start { method = "trust", connection = { sslmode = "prefer", sslcert = false, sslkey = false } }
    empty(case.files.sslrootcert)
    see_through(case, { "could not read root certificate file" }, case.mend)
  end)

  it("that is gone is no lack where sslmode is content without it #long", function()
    local case = start { method = "trust", connection = { sslmode = "require", sslcert = false, sslkey = false } }
    assert(os.remove(case.files.sslrootcert))
    end_sessions(case.servers)
    case.daemon:quiet_rounds(3)
    assert.equal(0, times_logged(case.daemon, LACKS))
    check_places(case)
  end)

  it("that lacks at the start is told, too: when it is there the servers are found", function()
    local case = start({ nowait = true, before = function(files) assert(os.remove(files.sslrootcert)) end })
    local daemon = case.daemon
    daemon:wait_logged("error", LACKS, "root certificate file")
    wait_lacks(daemon, 3)
    daemon:quiet(1)
    case.mend()
    daemon:wait_logged("error", LACKS_NO_MORE, "root certificate file")
    check_places(case)
    assert.equal(1, times_logged(daemon, LACKS), daemon:log())
    assert.equal("plusmoin_up", daemon:changes()[1].name)
  end)

  it("that lacks hides no server that says nothing, or closes at once", function()
    local authority = tls.authority()
    local connection = tls.client(authority)
    assert(os.remove(connection.sslrootcert))
    local closing, silent = peer.serving(function(client) client:close() end), peer.silent()
    local daemon = plusmoin.start { nodes = { { host = "127.0.0.1", port = closing.port },
      { host = "127.0.0.1", port = silent.port } }, config = { connection = connection }, nowait = true }
    daemon:wait_logged(tostring(closing.port), "reason=reset")
    daemon:wait_logged(tostring(silent.port), "reason=timeout")
    assert.equal(0, times_logged(daemon, LACKS))
  end)
end)

describe("a passfile", function()
  after_each(scene.finish)

  it("that is gone, emptied or open to others is our own lack; a password that was changed is the server's", function()
    local master, slaves = pg.cluster(2)
    local servers, path = { master, slaves[1], slaves[2] }, proc.new_dir("pass") .. "/passfile"
    local function mend()
      proc.write_file(path, "*:*:*:plusmoin:secret\n", tonumber("600", 8))
    end
    mend()
    master:sql("ALTER ROLE plusmoin PASSWORD 'secret'")
    for _, server in ipairs(servers) do
      server:let_in("scram-sha-256")
    end
    local daemon = plusmoin.start { nodes = servers, config = { connection = { passfile = path },
      heartbeat = 0.3, fresh_connect_interval = 0.3, max_sync_delay = 30 } }
    local case = { daemon = daemon, servers = servers }
    for _, damage in ipairs { { os.remove, "No such file" }, { empty, "it is empty" },
      { function() chmod(path, "644") end, "group or world access" } } do
      damage[1](path)
      see_through(case, { "password file", damage[2] }, mend)
    end
    assert.equal(0, times_logged(daemon, "held in its place"))
    master:sql("ALTER ROLE plusmoin PASSWORD 'other'")
    local held = {}
    for i, server in ipairs(servers) do
      held[i] = { "node_held", server, reason = "auth" }
    end
    daemon:expect_any_order(held)
  end)
end)

describe("a door that is shut by TLS", function()
  after_each(scene.finish)

  local DOORS = {
    { "a certificate of another authority's", function(server) tls.serve(server, tls.authority()) end },
    { "a certificate that has expired", function(server, case) tls.serve(server, case.authority, -1) end,
      tag = " #long" },
    { "ssl = off", function(server) tls.switch(server, "off") end, "trust", tag = " #long" },
  }

  for _, door in ipairs(DOORS) do
    it("(" .. door[1] .. ") is held and told once, and nothing is down while kept connections answer"
      .. (door.tag or ""), function()
      local case = start { method = door[3] or "trust clientcert=verify-ca" }
      local daemon, held = case.daemon, {}
      for i, server in ipairs(case.servers) do
        door[2](server, case)
        held[i] = { "node_held", server, cluster = 0, rule = "P1", reason = "tls" }
      end
      daemon:expect_any_order(held)
      daemon:quiet_rounds(3)
      check_places(case)
      assert.equal(0, #lacks(daemon))
      for _, server in ipairs(case.servers) do
        tls.serve(server, case.authority)
      end
      for _, server in ipairs(case.servers) do
        proc.wait_for("the end of the hold", 30, function() return daemon:logged("no longer held", server.name) end,
          function() return daemon:diagnose() end)
      end
      daemon:quiet_rounds(2)
    end)
  end

  it("(a certificate of ours that the server does not take) is the server's word", function()
    local case = start()
    local _, mend = case.files, case.mend
    local crt, key = tls.authority():issue("plusmoin")
    proc.write_file(case.files.sslcert, crt, tonumber("600", 8))
    proc.write_file(case.files.sslkey, key, tonumber("600", 8))
    local held = {}
    for i, server in ipairs(case.servers) do
      held[i] = { "node_held", server, cluster = 0, rule = "P1", reason = "tls" }
    end
    case.daemon:expect_any_order(held)
    assert.equal(0, #lacks(case.daemon))
    mend()
  end)
end)
