--- TLS for the tests' servers: authorities of their own, servers' and clients' certificates.
local proc = require "spec.support.proc"

local uv = proc.uv
local tls = {}

local Authority = {}
Authority.__index = Authority

local OWNER_ONLY = tonumber("600", 8)

function Authority:openssl(...)
  proc.must({ "openssl", ... }, { cwd = self.dir })
end

--- A new certificate authority; `ca` is the file of its certificate.
function tls.authority()
  local self = setmetatable({ dir = proc.new_dir("ca") }, Authority)
  self.ca = self.dir .. "/ca.crt"
  self:openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
    "-out", "ca.crt", "-days", "2", "-subj", "/CN=an own CA")
  return self
end

--- Texts of a certificate for `name` and of its key. `days`: how long it is good from now on (-1: it has expired).
function Authority:issue(name, days)
  self:openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "new.key", "-out",
    "new.csr", "-subj", "/CN=" .. name)
  self:openssl("x509", "-req", "-in", "new.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days",
    tostring(days or 2), "-out", "new.crt")
  return proc.read_file(self.dir .. "/new.crt"), proc.read_file(self.dir .. "/new.key")
end

local function set(server, name, value)
  server:sql(("ALTER SYSTEM SET %s = '%s'"):format(name, value))
end

--- The running server speaks TLS from now on, with a certificate of `authority`, who vouches for its clients, too.
function tls.serve(server, authority, days)
  local crt, key = authority:issue("127.0.0.1", days)
  proc.write_file(server.data .. "/server.crt", crt)
  proc.write_file(server.data .. "/server.key", key, OWNER_ONLY)
  proc.write_file(server.data .. "/clients.crt", proc.read_file(authority.ca))
  set(server, "ssl_ca_file", "clients.crt")
  tls.switch(server, "on")
end

--- `ssl` of the running server: "on" or "off".
function tls.switch(server, value)
  set(server, "ssl", value)
  server:sql("SELECT pg_reload_conf()")
  proc.wait_for("ssl = " .. value, 10, function() return server:sql("SHOW ssl")[1][1] == value end,
    function() return server:log() end)
end

--- Lets all but the superuser in by TLS alone, by `method` ("trust", "trust clientcert=verify-ca", ...).
function tls.let_in(server, method)
  proc.write_file(server.data .. "/pg_hba.conf", "local all all trust\nhost all postgres 127.0.0.1/32 trust\n"
    .. "host replication all 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 " .. method .. "\n")
  server:sql("SELECT pg_reload_conf()")
end

--- A directory with the files of a client of `authority`'s: root.crt, client.crt, client.key; returns libpq's
-- keywords for them, and a function that puts all three as they should be.
function tls.client(authority)
  local dir = proc.new_dir("client")
  local crt, key = authority:issue("plusmoin")
  local files = { sslrootcert = dir .. "/root.crt", sslcert = dir .. "/client.crt", sslkey = dir .. "/client.key" }
  local function mend()
    for name, text in pairs { sslrootcert = proc.read_file(authority.ca), sslcert = crt, sslkey = key } do
      local path = files[name]
      proc.write_file(path .. ".new", text, OWNER_ONLY) -- at once: a file half made is a lack of its own
      assert(uv.fs_rename(path .. ".new", path))
    end
  end
  mend()
  return { sslmode = "verify-ca", sslrootcert = files.sslrootcert, sslcert = files.sslcert, sslkey = files.sslkey },
    mend
end

return tls
