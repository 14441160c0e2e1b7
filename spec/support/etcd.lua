--- Clusters of real etcd members on 127.0.0.1, and src/etcd as the driver of tests/etcd plays it. ETCD=/path/of/etcd
-- takes another program than Debian's.
local cjson = require "cjson"
local proc = require "spec.support.proc"
local tls = require "spec.support.tls"
local web = require "spec.support.web"

local uv = proc.uv
local etcd = { clusters = {}, drivers = {} }

local Member = {}
Member.__index = Member
local Cluster = {}
Cluster.__index = Cluster
local Driver = {}
Driver.__index = Driver

local function free_port()
  local port = proc.free_port()
  proc.release_port(port)
  return port
end

local function start_member(self)
  local peers = {}
  for i, member in ipairs(self.cluster.members) do
    peers[i] = ("%s=http://127.0.0.1:%d"):format(member.name, member.peer_port)
  end
  local peer = ("http://127.0.0.1:%d"):format(self.peer_port)
  local clients = self.url == self.own and self.url or self.own .. "," .. self.url
  local argv = { os.getenv("ETCD") or "etcd", "--name", self.name, "--data-dir", self.dir .. "/data",
    "--listen-client-urls", clients, "--advertise-client-urls", self.url, "--listen-peer-urls", peer,
    "--initial-advertise-peer-urls", peer, "--initial-cluster", table.concat(peers, ","),
    "--initial-cluster-token", self.cluster.token,
    "--heartbeat-interval", "100", "--election-timeout", "1000", "--logger", "zap", "--log-level", "warn" }
  self.process = proc.spawn(table.move(self.cluster.args, 1, #self.cluster.args, #argv + 1, argv),
    { output = self.dir .. "/log", cwd = self.dir })
end

function Member:log()
  return proc.read_file(self.dir .. "/log") or ""
end

--- Asks the gateway: status, and the answer's table (or text, if it is no JSON). Not of a member with TLS.
function Member:ask(path, request)
  local body = request and cjson.encode(request) or ""
  local heard = web.say(("127.0.0.1:%d"):format(self.port),
    ("%s %s HTTP/1.0\r\nContent-Length: %d\r\n%s\r\n%s"):format(request and "POST" or "GET", path, #body,
      self.cluster.token_line or "", body), 10)
  local status, text = heard:match("^HTTP/1%.%d (%d+).-\r\n\r\n(.*)$")
  local ok, answer = pcall(cjson.decode, text or "")
  return tonumber(status), ok and answer or text
end

--- The same; another status than 200 is an error.
function Member:must(path, request)
  local status, answer = self:ask(path, request)
  if status ~= 200 then
    error(("%s: %s %s"):format(path, tostring(status), type(answer) == "table" and cjson.encode(answer) or answer), 2)
  end
  return answer
end

local function is_healthy(self)
  if self.cluster.tls then
    return pcall(web.connect, ("127.0.0.1:%d"):format(self.port))
  end
  local ok, status = pcall(self.ask, self, "/health")
  return ok and status == 200
end

function Member:wait_ready()
  proc.wait_for("etcd's member " .. self.name, 30, function()
    assert(self.process:running(), "etcd ended: " .. self:log())
    return is_healthy(self)
  end, function() return self:log() end)
  web.close_all()
end

function Member:start()
  start_member(self)
  self:wait_ready()
end

function Member:freeze()
  uv.kill(self.process.pid, "sigstop")
end

function Member:thaw()
  uv.kill(self.process.pid, "sigcont")
end

function Member:kill(signal)
  self.process:kill(signal or "sigkill")
  self.process:wait()
end

--- Starts `count` members. Options: args (further ones of etcd), tls (it listens for clients by TLS alone, as `args`
-- say), host (clients reach it there as well).
function etcd.start(count, options)
  options = options or {}
  local self = setmetatable({ members = {}, args = options.args or {}, tls = options.tls }, Cluster)
  self.token = ("spec-%d-%d"):format(uv.os_getpid(), free_port())
  for i = 1, count do
    local port = free_port()
    self.members[i] = setmetatable({ cluster = self, name = "m" .. i, dir = proc.new_dir("etcd"), port = port,
      peer_port = free_port() }, Member)
    local member = self.members[i]
    member.own = ("%s://127.0.0.1:%d"):format(self.tls and "https" or "http", port)
    member.url = options.host and ("http://%s:%d"):format(options.host, port) or member.own
  end
  for _, member in ipairs(self.members) do
    start_member(member)
  end
  for _, member in ipairs(self.members) do
    member:wait_ready()
  end
  etcd.clusters[self] = true
  return self
end

--- Starts a member that listens by TLS alone and asks for certificates; returns the cluster, and the settings of a
-- client that has one: cafile, certfile, keyfile.
function etcd.start_tls()
  local authority, files, dir = tls.authority(), {}, proc.new_dir("etcd-tls")
  for name, subject in pairs { server = "127.0.0.1", client = "" } do
    local crt, key = authority:issue(subject)
    files[name] = { cert = ("%s/%s.crt"):format(dir, name), key = ("%s/%s.key"):format(dir, name) }
    proc.write_file(files[name].cert, crt)
    proc.write_file(files[name].key, key, tonumber("600", 8))
  end
  proc.write_file(dir .. "/ca.crt", proc.read_file(authority.ca))
  return etcd.start(1, { tls = true, args = { "--cert-file", files.server.cert, "--key-file", files.server.key,
    "--client-cert-auth", "--trusted-ca-file", dir .. "/ca.crt" } }),
    { cafile = dir .. "/ca.crt", certfile = files.client.cert, keyfile = files.client.key }
end

function Cluster:urls()
  local urls = {}
  for i, member in ipairs(self.members) do
    urls[i] = member.url
  end
  return urls
end

--- Starts the members that were killed.
function Cluster:start_missing()
  for _, member in ipairs(self.members) do
    if not member.process:running() then
      start_member(member)
    end
  end
  for _, member in ipairs(self.members) do
    member:wait_ready()
  end
end

--- The member that leads, as all those say that run; then the others.
function Cluster:leader()
  local leader, others
  proc.wait_for("a leader of etcd", 15, function()
    local said = {}
    leader, others = nil, {}
    for _, member in ipairs(self.members) do
      local ok, _, status = pcall(member.ask, member, "/v3/maintenance/status", {})
      if ok and type(status) == "table" and status.leader then
        said[#said + 1] = status.leader
      end
      if ok and type(status) == "table" and status.leader and status.leader == status.header.member_id then
        leader = member
      else
        others[#others + 1] = member
      end
    end
    for _, one in ipairs(said) do
      leader = one == said[1] and leader or nil
    end
    return leader and #said > #self.members / 2
  end)
  return leader, others
end

function Cluster:stop()
  for _, member in ipairs(self.members) do
    member:kill("sigkill")
    proc.remove_dir(member.dir)
  end
  etcd.clusters[self] = nil
end

-- The program, where the servers' user can run it.
local function binary()
  local path = proc.shared.etcd_driver
  if not path then
    local build = (os.getenv("PLUSMOIN_BIN") or "build/plusmoin"):match("^(.*)/")
    path = proc.new_dir("etcd-driver") .. "/etcd-driver"
    proc.must({ "cp", build .. "/tests/etcd-driver", path }, { as_root = true, cwd = "." })
    proc.shared.etcd_driver = path
  end
  return path
end

--- Starts src/etcd with these settings (endpoints, user, password, cafile, certfile, keyfile), and this environment.
function etcd.driver(settings, env)
  local self = setmetatable({ lines = {}, read = 0, ids = 0 }, Driver)
  self.process = proc.spawn({ binary() }, { stdin = true, env = env })
  etcd.drivers[self] = true
  self:command("client", settings)
  return self
end

--- Gives it a command; its id. What has an id of an earlier one goes on with that.
function Driver:command(what, fields)
  local command = { ["do"] = what, id = self.ids + 1 }
  for name, value in pairs(fields or {}) do
    command[name] = value
  end
  self.ids = math.max(self.ids, command.id)
  self.process.stdin:write(cjson.encode(command) .. "\n")
  return command.id
end

local function read_on(self)
  local text = self.process:out()
  local ends = text:find("\n", self.read + 1, true)
  while ends do
    self.lines[#self.lines + 1] = cjson.decode(text:sub(self.read + 1, ends - 1))
    self.read = ends
    ends = text:find("\n", self.read + 1, true)
  end
end

--- The next line of this id that was not taken yet, of this kind if one is named (others of the id are passed over).
function Driver:wait(id, news, seconds)
  local found
  proc.wait_for(("%s of %d"):format(news or "anything", id), seconds or 10, function()
    read_on(self)
    for i, line in ipairs(self.lines) do
      if line.id == id and not line.taken then
        line.taken = true
        if not news or line.news == news then
          found = self.lines[i]
          return true
        end
      end
    end
    assert(self.process:running(), "the driver ended: " .. self.process:err())
  end, function() return self.process:out():sub(-3000) .. self.process:err() end)
  return found
end

--- All lines of this id so far, of this kind.
function Driver:all(id, news)
  read_on(self)
  local found = {}
  for _, line in ipairs(self.lines) do
    if line.id == id and line.news == news then
      found[#found + 1] = line
    end
  end
  return found
end

--- A request, and its answer.
function Driver:ask(what, fields)
  fields = fields or {}
  fields.timeout = fields.timeout or 5000
  return self:wait(self:command(what, fields), "answer", fields.timeout / 1000 + 5)
end

--- A transaction, and its answer.
function Driver:txn(compare, success, failure, timeout)
  return self:ask("txn", { compare = compare, success = success, failure = failure, timeout = timeout })
end

--- Ends it: its loop must close empty, and nothing leak.
function Driver:stop()
  etcd.drivers[self] = nil
  if self.process:running() then
    proc.close(self.process.stdin)
    self.process:wait()
  end
  if self.process.code ~= 0 or self.process:err() ~= "" then
    error(("the driver ended by %s, %s: %s"):format(self.process.code, self.process.signal, self.process:err()), 2)
  end
end

--- Ends all drivers, then all clusters.
function etcd.stop_all()
  local failure
  for driver in pairs(etcd.drivers) do
    local ok, err = pcall(driver.stop, driver)
    failure = failure or not ok and err
  end
  for cluster in pairs(etcd.clusters) do
    cluster:stop()
  end
  if failure then
    error(failure, 2)
  end
end

return etcd
