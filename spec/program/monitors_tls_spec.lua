-- Several monitors on an etcd that listens by TLS alone and asks for certificates.
local etcd = require "spec.support.etcd"
local monitors = require "spec.support.monitors"
local pg = require "spec.support.pg"
local scene = require "spec.support.scene"

describe("monitors with certificates", function()
  after_each(function() scene.finish(etcd.stop_all) end)

  it("act, and take over; one without a certificate never acts, and says that etcd is away", function()
    local cluster, client = etcd.start_tls()
    local master, slaves = pg.cluster(1)
    local group = monitors.new { etcd = cluster, nodes = { master, slaves[1] }, monitors = { cafile = client.cafile } }
    local with = { monitors = client }
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
