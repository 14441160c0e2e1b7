-- Several monitors on an etcd that listens by TLS alone and asks for certificates.
local etcd = require "spec.support.etcd"
local monitors = require "spec.support.monitors"
local pg = require "spec.support.pg"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local tls = require "spec.support.tls"

describe("monitors with certificates", function()
  after_each(function() scene.finish(etcd.stop_all) end)

  it("act, and take over; one without a certificate never acts, and says that etcd is away", function()
    local authority, dir, files = tls.authority(), proc.new_dir("monitors-tls"), {}
    for name, subject in pairs { server = "127.0.0.1", client = "" } do
      local crt, key = authority:issue(subject)
      files[name] = { cert = ("%s/%s.crt"):format(dir, name), key = ("%s/%s.key"):format(dir, name) }
      proc.write_file(files[name].cert, crt)
      proc.write_file(files[name].key, key, tonumber("600", 8))
    end
    proc.write_file(dir .. "/ca.crt", proc.read_file(authority.ca))
    local cluster = etcd.start(1, { tls = true, args = { "--cert-file", files.server.cert, "--key-file",
      files.server.key, "--client-cert-auth", "--trusted-ca-file", dir .. "/ca.crt" } })
    local master, slaves = pg.cluster(1)
    local group = monitors.new { etcd = cluster, nodes = { master, slaves[1] },
      monitors = { cafile = dir .. "/ca.crt" } }
    local with = { monitors = { certfile = files.client.cert, keyfile = files.client.key } }
    local without = group:monitor "without"
    without:wait_logged("etcd has not said yet")
    local a = monitors.wait_acts(group:monitor("a", with))
    local up = group:wait_entry { what = "end", name = "plusmoin_up", which = 2 }
    local b = group:monitor("b", with)
    b:wait_logged("stands by", "a acts")
    a:kill9()
    slaves[1]:kill9()
    monitors.wait_acts(b)
    local down = group:wait_entry { what = "end", name = "slave_down", which = 2 }
    assert.is_true(down.term > up.term)
    assert.is_false(monitors.says(without).acts)
    assert.equal("string", type(monitors.says(without).stuck))
  end)
end)
