-- Prints the table of plusmoin-operations(7) of what a node costs, from the result of `make bench-scale`
-- (build/bench-scale.json); `--update FILE` rewrites it in FILE.
package.path = "./?.lua;" .. package.path
local cjson = require "cjson"
local numbers = require "tests.bench.scale.numbers"

local BEGIN, END = "<!-- scale:begin -->\n", "<!-- scale:end -->"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("a")
  file:close()
  return text
end

local result = cjson.decode(read("build/bench-scale.json"))
local lines = {}

local function put(format, ...)
  lines[#lines + 1] = format:format(...)
end

local sizes = {}
for size in pairs(result.sizes) do
  sizes[#sizes + 1] = tonumber(size)
end
table.sort(sizes)

local function of(size, kind, name)
  return result.sizes[tostring(size)][kind][name] or {}
end

-- A median with as many digits as it can bear; "-" where there is none.
local function short(value)
  if not value then
    return "-"
  elseif value >= 1000 then
    local digits = ("%d"):format(math.floor(value + 0.5)):reverse():gsub("%d%d%d", "%0,")
    return (digits:reverse():gsub("^,", ""))
  end
  return (value >= 100 and "%.0f" or value >= 10 and "%.1f" or "%.2f"):format(value)
end

-- nil: there is none, or half of them have none (null), which is more than any.
local function median(list)
  local known = {}
  for i, value in ipairs(list) do
    known[i] = value == cjson.null and math.huge or value
  end
  local middle = #known > 0 and numbers.of(known).median
  return middle and middle < math.huge and middle or nil
end

local function put_row(what, cell)
  local cells = {}
  for i, size in ipairs(sizes) do
    cells[i] = cell(size)
  end
  put("| %s | %s |", what, table.concat(cells, " | "))
end

-- plusmoin's runs stand before and after the floor's: the mean of the two belongs to each of the floor's.
local function in_pairs(list, repeats)
  local each, means = #list // repeats, {}
  for i = 1, #list, math.max(each, 1) do
    local sum = 0
    for j = i, i + each - 1 do
      sum = sum + list[j]
    end
    means[#means + 1] = sum / each
  end
  return means
end

-- "24.1, floor 12.0: 2.0 x (1.9-2.2)".
local function beside(name, pace)
  return function(size)
    local ours, floors = of(size, "plusmoin", name), of(size, pace, name)
    if #ours == 0 or #floors == 0 then
      return #ours > 0 and short(median(ours)) or "-"
    end
    local ratios = numbers.ratios(in_pairs(ours, #floors), floors)
    local range = ratios.count > 1 and (" (%.1f-%.1f)"):format(ratios.min, ratios.max) or ""
    return ("%s, %s: %.1f x%s"):format(short(median(ours)), short(median(floors)), ratios.median, range)
  end
end

-- KiB a node beyond what the process is without a fleet.
local function memory(size)
  local function each(kind)
    local pss = median(of(size, kind, "pss_kib"))
    return pss and (pss - result.small[kind]) / (size - result.small.nodes)
  end
  local ours, floors = each("plusmoin"), each("once")
  return ("%s, %s: %.1f x"):format(short(ours), short(floors), ours / floors)
end

local function both(first, second)
  return function(size)
    local function pair(kind)
      return ("%s / %s"):format(short(median(of(size, kind, first))), short(median(of(size, kind, second))))
    end
    return ("%s, %s"):format(pair("plusmoin"), pair("once"))
  end
end

-- Of all of plusmoin's runs together.
local function sum(name)
  return function(size)
    local all = 0
    for _, count in ipairs(of(size, "plusmoin", name)) do
      all = all + count
    end
    return all < 1000 and ("%d"):format(all) or short(all)
  end
end

local function seconds(name, beside_floor)
  return function(size)
    local ours = of(size, "plusmoin", name)
    if #ours == 0 then
      return "-"
    end
    local told = median(ours) and short(median(ours)) or "not in 30"
    return beside_floor and ("%s, %s"):format(told, short(median(of(size, "once", "start_s")))) or told
  end
end

-- How plusmoin paces itself: at once, if there were pauses between its rounds in each of its runs.
local function own_pace(size)
  return #of(size, "plusmoin", "farm_round_ms") == #of(size, "plusmoin", "cpu_us") and "once" or "spread"
end

-- How much dearer a node is in the greatest fleet than in the smallest.
local function growth(kind)
  return median(of(sizes[#sizes], kind, "cpu_us")) / median(of(sizes[1], kind, "cpu_us"))
end

local heads = {}
for i, size in ipairs(sizes) do
  heads[i] = short(size) .. " nodes"
end
put("| plusmoin, libpq alone: ratio (least-greatest) | %s |", table.concat(heads, " | "))
put("|---|%s", ("---|"):rep(#sizes))
put_row("CPU of a node and round, microseconds; both spread over the heartbeat", beside("cpu_us", "spread"))
put_row("the same; libpq alone asks all at once", beside("cpu_us", "once"))
put_row("user instructions of a node and round", beside("instructions", "spread"))
put_row("a cluster's round, first question to last answer, microseconds",
  function(size) return beside("cluster_round_us", own_pace(size))(size) end)
put_row("memory of a node, KiB", memory)
put_row("round trips of a node and round (a master: 2)", beside("round_trips", "once"))
put_row("packets out / in of a node and round", both("packets_out", "packets_in"))
put_row("bytes out / in of a node and round", both("bytes_out", "bytes_in"))
put_row("start until each node has its place, s: no rows yet", seconds("start_empty_s", true))
put_row("over rows of an earlier run", seconds("start_again_s"))
put_row("over rows of another monitor with other names", seconds("start_foreign_s"))
put_row("events that nothing had caused, in all runs", sum("events"))
put_row("connections opened after the start, in all runs", sum("connections"))
put("")
local function deaths(lists, first, second)
  local one, other = numbers.of(lists[first]), numbers.of(lists[second])
  return ("%.1f and %.1f ms (medians of %d; at most %.1f and %.1f)"):format(one.median, other.median, one.count,
    one.max, other.max)
end

if result.beside_frozen then
  put("- From a slave's death to the verdict in a fleet of 100, with no other node frozen and with five in two other"
    .. " clusters: %s.", deaths(result.beside_frozen, "calm", "frozen"))
  put("- From a slave's death to the start of its trigger, with two other nodes and with 1,000 more: %s.",
    deaths(result.in_a_crowd, "alone", "crowd"))
end
local machine = result.machine
if #sizes > 1 then
  put("- From %s to %s nodes the CPU of a node and round becomes %.1f times as much, that of libpq alone %.1f times.",
    short(sizes[1]), short(sizes[#sizes]), growth("plusmoin"), growth("spread"))
end
if result.fresh_us then
  put("- A fresh connection (trust) costs %s microseconds of CPU.", short(median(result.fresh_us)))
end
put("- %s, %d cores, Linux %s, %s (%s); medians of %d, in turn; `heartbeat` %g.", machine.cpu, machine.cores,
  machine.system, machine.date, machine.tree, result.repeats, result.heartbeat)

local text = table.concat(lines, "\n") .. "\n"
if arg[1] ~= "--update" then
  io.write(text)
  return
end
local whole = read(arg[2])
local _, from = whole:find(BEGIN, 1, true)
local to = assert(whole:find(END, assert(from, arg[2] .. " has no place for the table"), true))
local file = assert(io.open(arg[2], "w"))
file:write(whole:sub(1, from), text, whole:sub(to))
file:close()
