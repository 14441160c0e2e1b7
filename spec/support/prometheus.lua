--- A real Prometheus that scrapes one place, and what /metrics says in tables.
local proc = require "spec.support.proc"
local web = require "spec.support.web"
local cjson = require "cjson"

local prometheus = { running = {} }

local Prometheus = {}
Prometheus.__index = Prometheus

local CONFIG = [[
global:
  scrape_interval: %s
  evaluation_interval: %s
scrape_configs:
  - job_name: plusmoin
    static_configs:
      - targets: ["%s"]
]]

-- HTTP/1.0: the answer comes whole, and ends with the connection.
local function get(place, path, seconds)
  local heard = web.say(place, ("GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n"):format(path), seconds)
  local status, body = heard:match("^HTTP/1%.%d (%d+).-\r\n\r\n(.*)$")
  return tonumber(status), body, heard
end

--- Starts one that scrapes `target` ("host:port") every `interval` ("100ms"); returns when it listens.
function prometheus.start(target, interval)
  local self = setmetatable({ dir = proc.new_dir("prometheus"), place = web.place() }, Prometheus)
  proc.write_file(self.dir .. "/prometheus.yml", CONFIG:format(interval, interval, target))
  self.process = proc.spawn({ "prometheus", "--config.file=" .. self.dir .. "/prometheus.yml",
    "--storage.tsdb.path=" .. self.dir .. "/data", "--web.listen-address=" .. self.place },
    { output = self.dir .. "/log", cwd = self.dir })
  prometheus.running[self] = true
  proc.wait_for("Prometheus", 30, function()
    assert(self.process:running(), "Prometheus ended: " .. (proc.read_file(self.dir .. "/log") or ""))
    local ok, status = pcall(get, self.place, "/-/ready")
    return ok and status == 200
  end)
  return self
end

local function encode(text)
  return (text:gsub("[^%w]", function(char) return ("%%%02X"):format(char:byte()) end))
end

--- What the query gives now: a list of { metric = labels, value = number }.
function Prometheus:query(text)
  local _, body, heard = get(self.place, "/api/v1/query?query=" .. encode(text), 10)
  local ok, answer = pcall(cjson.decode, body)
  assert(ok and answer.status == "success", heard)
  local list = {}
  for i, one in ipairs(answer.data.result) do
    list[i] = { metric = one.metric, value = tonumber(one.value[2]) or 0 / 0 }
  end
  return list
end

--- Waits until the query gives just one series, of this value.
function Prometheus:wait_value(query, value)
  proc.wait_for(("%s is %s"):format(query, value), 20, function()
    local found = self:query(query)
    return #found == 1 and found[1].value == value
  end, function() return select(2, get(self.place, "/api/v1/query?query=" .. encode('{job="plusmoin"}'), 10)) end)
end

function prometheus.stop_all()
  for self in pairs(prometheus.running) do
    self.process:kill("sigkill")
    self.process:wait()
    proc.remove_dir(self.dir)
  end
  prometheus.running = {}
end

--- What /metrics says there, and how many ms that took.
function prometheus.scrape(place, seconds)
  local began = proc.mono_ms()
  local status, body, heard = get(place, "/metrics", seconds)
  assert(status == 200, heard)
  return body, proc.mono_ms() - began
end

--- The value of a series, as it is written ("plusmoin_ready"); nil: it is not there.
function prometheus.value(text, series)
  local from = ("\n" .. text):find("\n" .. series .. " ", 1, true)
  return from and tonumber(text:match("^%S+", from + #series + 1)) or nil
end

--- The families of a text, in order: { name =, type =, help = }.
function prometheus.families(text)
  local list = {}
  for name, help, kind in text:gmatch("# HELP (%S+) ([^\n]*)\n# TYPE %S+ (%S+)\n") do
    list[#list + 1] = { name = name, type = kind, help = help }
  end
  return list
end

return prometheus
