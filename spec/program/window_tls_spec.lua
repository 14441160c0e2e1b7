-- The window behind a HAProxy that speaks TLS for it, as plusmoin-window(7) has it.
local has = require "spec.support.has"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local texts = require "spec.support.texts"
local web = require "spec.support.web"

local BLOCK = "tls: the window for others, in /etc/haproxy/haproxy.cfg"
local NAME = "plusmoin.example.com"
local TOKEN = ("0123456789abcdef"):rep(4)
local proxy

local function replace(text, from, to)
  local first, last = text:find(from, 1, true)
  assert(first, from .. " is not in\n" .. text)
  return text:sub(1, first - 1) .. to .. text:sub(last + 1)
end

-- HAProxy with the page's proxy in front of the window at `place`; its port and the certificate.
local function start_proxy(place)
  local dir, port = proc.new_dir("tls"), proc.free_port()
  proc.must({ "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem",
    "-days", "2", "-subj", "/CN=" .. NAME, "-addext", "subjectAltName=DNS:" .. NAME }, { cwd = dir })
  proc.write_file(dir .. "/both.pem", proc.read_file(dir .. "/cert.pem") .. proc.read_file(dir .. "/key.pem"))
  local text = replace(texts.block(BLOCK), ":8443", "127.0.0.1:" .. port)
  text = replace(text, "/etc/haproxy/plusmoin.pem", dir .. "/both.pem")
  proc.write_file(dir .. "/haproxy.cfg", replace(text, "127.0.0.1:8008", place))
  proc.release_port(port)
  proxy = proc.spawn({ "haproxy", "-db", "-f", dir .. "/haproxy.cfg" }, { output = dir .. "/log" })
  proc.wait_for("HAProxy", 10, function()
    assert(proxy:running(), proc.read_file(dir .. "/log"))
    local connected, wire = pcall(web.connect, "127.0.0.1:" .. port)
    if connected then
      wire:close()
    end
    return connected
  end)
  return port, dir .. "/cert.pem"
end

describe("the window behind a proxy for TLS", function()
  after_each(function()
    if proxy then
      proxy:kill("sigkill")
      proxy:wait()
      proxy = nil
    end
    web.close_all()
    scene.finish()
  end)

  it("is what it is without: its token, its names, its streams", function()
    local file = proc.new_dir("token") .. "/token"
    proc.write_file(file, TOKEN .. "\n", tonumber("640", 8))
    local place = web.place()
    local daemon = plusmoin.start { nodes = {}, nowait = true,
      config = { http = { listen = place, token_file = file, hosts = { NAME } } } }
    daemon:wait_status("there", function() return true end)
    local port, certificate = start_proxy(place)
    local function curl(name, path, ...)
      local _, out, err = proc.run { "curl", "-sS", "--noproxy", "*", "-m", "3", "-o", "-", "-w", "\n%{http_code}\n",
        "--cacert", certificate, "--resolve", ("%s:%d:127.0.0.1"):format(NAME, port), "-H", "Host: " .. name,
        ("https://%s:%d%s"):format(NAME, port, path), ... }
      return out .. err
    end
    local bearer = "Authorization: Bearer " .. TOKEN
    has(curl(NAME, "/live"), "\n401\n")
    has(curl(NAME, "/live", "-H", bearer), "\n200\n")
    has(curl(NAME .. ":" .. port, "/status.json", "-H", bearer), '"clusters"', "\n200\n")
    has(curl("evil.example.com", "/live", "-H", bearer), "\n421\n")
    has(curl(NAME, "/events", "-H", bearer, "-m", "1"), ":\n", "\n200\n") -- until -m ends it
  end)
end)
