-- `plusmoin check` with the setting `monitors`, against real members of etcd.
local cjson = require "cjson"
local etcd = require "spec.support.etcd"
local has = require "spec.support.has"
local peer = require "spec.support.peer"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- Base64 of "/pm/it's/" and "/pm/it's0": what begins with the first.
local PERMITTED = { permType = "READWRITE", key = "L3BtL2l0J3Mv", range_end = "L3BtL2l0J3Mw" }

local function check(monitors, ...)
  local daemon = plusmoin.new { nodes = {}, config = { monitors = monitors } }
  proc.write_file(daemon.config_path, daemon:json())
  return daemon:cli("check", ...)
end

local function lacks(text, word)
  assert(not text:find(word, 1, true), ("%q is in:\n%s"):format(word, text))
end

-- The words of the table's line for a URL.
local function row(out, url)
  for line in out:gmatch("[^\n]+") do
    if line:find(url, 1, true) == 1 then
      local cells = {}
      for cell in line:gmatch("%S+") do
        cells[#cells + 1] = cell
      end
      return cells
    end
  end
  error(url .. " has no line in:\n" .. out)
end

describe("check of monitors", function()
  after_each(function()
    scene.finish()
    peer.close_all()
  end)
  teardown(etcd.stop_all)

  it("where all will work ends with 0, and leaves nothing in etcd #core", function()
    local cluster = etcd.start(1)
    local url = cluster.members[1].url
    local code, out, err = check { etcd = url, name = "one", prefix = "/p/" }
    assert.equal(0, code, out .. err)
    local cells = row(out, url)
    local version = cluster.members[1]:must("/v3/maintenance/status", {}).version
    assert.same({ url, "yes", version, "yes" }, { table.unpack(cells, 1, 4) })
    assert.truthy(cells[5]:find("^[+-][01]$"), cells[5])
    assert.truthy(tonumber(cells[7]) > 0 and tonumber(cells[7]) < 1000, cells[7])
    lacks(out, "PROBLEM")
    has(out, "All will work.", 'This monitor is "one" among those below "/p/"; when the one that acts')
    local all = cluster.members[1]:must("/v3/kv/range", { key = "AA==", range_end = "AA==" })
    assert.is_nil(all.kvs)
    assert.is_nil(cluster.members[1]:must("/v3/lease/leases", {}).leases)
    code, out = check({ etcd = url, name = "one", user = "u", password = "p" }, "--json")
    assert.equal(0, code, out)
    local member = cjson.decode(out).etcd[1]
    assert.same({ url, true, true, true, version },
      { member.url, member.ok, member.reached, member.may_write, member.version })
    assert.is_true(member.answers_in > 0 and member.answers_in < 1)
    has(out, "it asks for no login")
    cluster:stop()
  end)

  it("tells which member is not reached, and is none", function()
    local cluster = etcd.start(1)
    local url = cluster.members[1].url
    local silent, other = peer.silent(), peer.saying("HTTP/1.0 200 OK\r\n\r\n{}", true)
    local urls = { url, ("http://127.0.0.1:%d"):format(proc.free_port()), ("http://127.0.0.1:%d"):format(silent.port),
      ("http://127.0.0.1:%d"):format(other.port) }
    local code, out = check { etcd = urls, name = "one" }
    assert.equal(1, code, out)
    assert.same({ "yes", "no", "no", "no" },
      { row(out, urls[1])[2], row(out, urls[2])[2], row(out, urls[3])[2], row(out, urls[4])[2] })
    has(out, "monitors.etcd[2]: PROBLEM: " .. urls[2] .. ": it is not reached: ",
      "monitors.etcd[3]: PROBLEM: " .. urls[3] .. ": it is not reached: ",
      "monitors.etcd[4]: PROBLEM: " .. urls[4] .. ": it is not reached: it does not answer as etcd does")
    lacks(out, "monitors.etcd[1]: PROBLEM")
    cluster:stop()
  end)

  it("tells members of two clusters, and one that has lost its cluster", function()
    local one, three = etcd.start(1), etcd.start(3)
    local urls = { one.members[1].url, three.members[1].url }
    local code, out = check { etcd = urls, name = "one" }
    assert.equal(1, code, out)
    has(out, ("monitors.etcd[2]: PROBLEM: %s: it is of another cluster than %s"):format(urls[2], urls[1]))
    one:stop()
    three.members[2]:kill()
    three.members[3]:kill()
    proc.wait_for("no leader", 15, function()
      code, out = check { etcd = urls[2], name = "one" }
      return out:find("it sees no leader", 1, true)
    end, function() return out end)
    assert.equal(1, code)
    three:stop()
  end)

  it("asks for a login and rights, with lines that mend them", function()
    local cluster = etcd.start(1)
    local member = cluster.members[1]
    for _, name in ipairs { "root", "pm" } do
      member:must("/v3/auth/user/add", { name = name, password = name .. "-word" })
    end
    member:must("/v3/auth/role/add", { name = "root" })
    member:must("/v3/auth/user/grant", { user = "root", role = "root" })
    member:must("/v3/auth/enable", {})
    local settings = { etcd = member.url, name = "one", prefix = "/pm/it's/" }
    local code, out = check(settings)
    assert.equal(1, code, out)
    has(out, "it asks for a login: ", "monitors.user and monitors.password, and ", "user add plusmoin")
    settings.user, settings.password = "pm", "wrong"
    code, out = check(settings)
    assert.equal(1, code, out)
    has(out, "it does not let us in: ", "user passwd pm")
    lacks(out, "wrong")
    settings.password = "pm-word"
    code, out = check(settings)
    assert.equal(1, code, out)
    assert.equal("no", row(out, member.url)[4])
    local begin = "etcdctl --endpoints=" .. member.url .. " --user root "
    has(out, [[we may not read below "/pm/it's/": ]], ("%srole add plusmoin; %srole grant-permission plusmoin "
      .. "readwrite --prefix '/pm/it'\\''s/'; %suser grant-role pm plusmoin"):format(begin, begin, begin))
    local root = member:must("/v3/auth/authenticate", { name = "root", password = "root-word" })
    cluster.token_line = "Authorization: " .. root.token .. "\r\n"
    member:must("/v3/auth/role/add", { name = "plusmoin" }) -- what these lines do
    member:must("/v3/auth/role/grant", { name = "plusmoin", perm = PERMITTED })
    member:must("/v3/auth/user/grant", { user = "pm", role = "plusmoin" })
    code, out = check(settings)
    assert.equal(0, code, out)
    assert.equal("yes", row(out, member.url)[4])
    lacks(out, "pm-word")
    cluster:stop()
  end)

  it("goes by TLS, with a certificate of its own", function()
    local cluster, settings = etcd.start_tls()
    settings.etcd, settings.name = cluster.members[1].url, "one"
    local code, out, err = check(settings)
    assert.equal(0, code, out .. err)
    assert.equal("yes", row(out, settings.etcd)[4])
    settings.certfile, settings.keyfile = nil, nil
    code, out = check(settings)
    assert.equal(1, code)
    has(out, "it is not reached: ", "etcd may ask for a certificate: monitors.certfile")
    settings.cafile = nil
    code, out = check(settings)
    assert.equal(1, code)
    has(out, "it is not reached: ", "certificate")
    cluster:stop()
  end)
end)
