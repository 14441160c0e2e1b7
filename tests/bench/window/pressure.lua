--- The window under pressure, beside nginx with static files: the same requests by the same client (load.c) to both, in
-- turn. Both run on the machine's first core, the client on its last.
local farm = require "tests.bench.scale.farm"
local proc = require "spec.support.proc"
local standin = require "spec.support.standin"
local watcher = require "tests.bench.scale.watcher"
local web = require "spec.support.web"

local pressure = {}

local SERVERS_CORE = 0
local CLIENT_CORE = math.max(#proc.uv.cpu_info() - 1, 0)

local NGINX = [[
daemon off;
master_process off;
pid %s/pid;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 100000000;
  client_body_temp_path %s/body;
  proxy_temp_path %s/proxy;
  fastcgi_temp_path %s/fastcgi;
  uwsgi_temp_path %s/uwsgi;
  scgi_temp_path %s/scgi;
  server {
    listen %s;
    root %s;
  }
}
]]

local function on_core(core, argv)
  return table.move(argv, 1, #argv, 4, { "taskset", "-c", tostring(core) })
end

local function cpu_ms(task)
  return tonumber(proc.read_file("/proc/" .. task .. "/schedstat"):match("^%d+")) / 1e6
end

--- An nginx of one process with these files ({ name = text }): where it listens, what ends it, what says its ms of CPU.
function pressure.nginx(files)
  local dir, place = proc.new_dir("nginx"), web.place()
  for name, text in pairs(files) do
    proc.write_file(dir .. "/" .. name, text)
  end
  proc.write_file(dir .. "/nginx.conf", NGINX:format(dir, dir, dir, dir, dir, dir, place, dir))
  local process = proc.spawn(on_core(SERVERS_CORE, { "nginx", "-e", dir .. "/errors", "-c", dir .. "/nginx.conf" }))
  proc.wait_for("nginx", 10, function()
    assert(process:running(), process:err())
    return pcall(web.get, place, "/" .. next(files))
  end)
  return place, function()
    process:kill("sigterm")
    process:wait(10)
  end, function() return cpu_ms(process.pid) end
end

-- The client, where the servers' user can run it.
local function binary()
  local path = proc.shared.load
  if not path then
    path = proc.new_dir("load") .. "/load"
    proc.must({ "cp", "build/tests/bench/load", path }, { as_root = true, cwd = "." })
    proc.shared.load = path
  end
  return path
end

--- Asks for `path`: what load.c counted, by name. `rate` 0: as fast as it goes. `turn`, if any, is called meanwhile.
function pressure.ask(place, path, options)
  local host, port = place:match("^(.*):(%d+)$")
  local process = proc.spawn(on_core(CLIENT_CORE, { binary(), host, port, path, tostring(options.connections),
    tostring(options.seconds), tostring(options.rate) }))
  local code = process:wait(options.seconds + 20)
  assert(code == 0, process:err())
  local counts = {}
  for name, value in process:out():gmatch("([%w_]+)=(%d+)") do
    counts[name] = tonumber(value)
  end
  assert(counts.wrong == 0 and counts.errors == 0 and counts.unanswered == 0, place .. path .. ": " .. process:out())
  return counts
end

--- Stand-ins that sleep while they have nothing to do, and a plusmoin that watches them with a window: { place =,
-- daemon =, farm = }. Options: core; http: false for one without.
function pressure.fleet(count, options)
  local of = { count = count, stand = standin.start {} }
  of.nodes = of.stand:clusters("n", count // farm.CLUSTER, farm.CLUSTER, farm.ADDRESS)
  return pressure.watch(of, options)
end

--- The same of a farm that is there.
function pressure.watch(of, options)
  local place = options.http ~= false and web.place() or nil
  local daemon = watcher.plusmoin(of, { core = SERVERS_CORE, heartbeat = options.heartbeat or 1, seconds = 60,
    config = { http = place and { listen = place } or nil } })
  assert(daemon.start_s, "the fleet is not there")
  return { farm = of, place = place, daemon = daemon }
end

--- The whole of a page, by curl, which reads chunks; and how many ms that took.
function pressure.page(place, path)
  local text = proc.must { "curl", "-sS", "--max-time", "20", "-w", "\n%{http_code} %{time_total}",
    "http://" .. place .. path }
  local body, status, seconds = text:match("^(.*)\n(%d+) ([%d.]+)$")
  return body, tonumber(seconds) * 1000, tonumber(status)
end

--- ms of CPU so far of the thread of that name; "monitor": the first one.
function pressure.thread_ms(fleet, name)
  local pid, found = fleet.daemon.process.pid, nil
  local tasks = proc.uv.fs_scandir("/proc/" .. pid .. "/task")
  for id in function() return proc.uv.fs_scandir_next(tasks) end do
    local task = ("%d/task/%s"):format(pid, id)
    if name == "monitor" and id == tostring(pid) or proc.read_file("/proc/" .. task .. "/comm") == name .. "\n" then
      found = cpu_ms(task)
    end
  end
  return found or 0
end

--- The monitor's lateness so far: { count =, sum_ms =, over = { [ms] = count } }.
function pressure.lateness(place)
  local text = pressure.page(place, "/metrics")
  local late = { over = {} }
  late.sum_ms = tonumber(text:match("plusmoin_loop_lateness_seconds_sum ([%d.e-]+)")) * 1000
  late.count = tonumber(text:match("plusmoin_loop_lateness_seconds_count (%d+)"))
  for bound, count in text:gmatch('plusmoin_loop_lateness_seconds_bucket{le="([%d.]+)"} (%d+)') do
    late.over[math.floor(tonumber(bound) * 10000 + 0.5) / 10] = late.count - tonumber(count)
  end
  return late
end

--- What came between two of them: the mean (ms), and how many of all were over 5, 10, 25 ms.
function pressure.between(before, after)
  local count = after.count - before.count
  local seen = { mean_ms = (after.sum_ms - before.sum_ms) / math.max(count, 1), count = count }
  for _, ms in ipairs { 5, 10, 25 } do
    seen[ms] = after.over[ms] - before.over[ms]
  end
  return seen
end

return pressure
