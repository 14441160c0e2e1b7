--- How the findings are shown, to people and as JSON.
local answers = require "plusmoin.answers"
local cjson = require "cjson"
local keypath = require "plusmoin.keypath"

local show = {}

local function version_text(version)
  if version <= 0 then
    return "-"
  elseif version >= 100000 then
    return ("%d.%d"):format(version // 10000, version % 10000)
  end
  return ("%d.%d.%d"):format(version // 10000, version // 100 % 100, version % 100)
end

local function role_of(node)
  if node.is_slave == nil then
    return nil
  end
  return node.is_slave and "slave" or "master"
end

local function cells_of(node)
  return {
    keypath.escape(node.name), node.reached and "yes" or node.reason, role_of(node) or "-",
    version_text(node.server_version), node.is_slave == nil and "-" or node.can_beat and "yes" or "no",
    node.clock and ("%+.1f s"):format(node.clock) or "-",
  }
end

local HEAD = { "NODE", "REACHED", "ROLE", "VERSION", "MAY BEAT", "CLOCK" }

local HEAD_OF_MEMBERS = { "ETCD", "REACHED", "VERSION", "MAY WRITE", "CLOCK", "ANSWERS IN" }

local function cells_of_member(member)
  local clock, latency = answers.get(member, "clock"), answers.get(member, "latency_us")
  return {
    keypath.escape(member.url), member.reached and "yes" or "no", keypath.escape(answers.get(member, "version") or "-"),
    member.reached and (member.may_write and "yes" or "no") or "-", clock and ("%+.0f s"):format(clock) or "-",
    latency and ("%.1f ms"):format(latency / 1000) or "-",
  }
end

local function table_lines(out, head, list, cells)
  local rows, widths = { head }, {}
  for _, item in ipairs(list) do
    rows[#rows + 1] = cells(item)
  end
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, #cell)
    end
  end
  for _, row in ipairs(rows) do
    local parts = {}
    for i, cell in ipairs(row) do
      parts[i] = cell .. (" "):rep(widths[i] - #cell)
    end
    out[#out + 1] = (table.concat(parts, "  "):gsub("%s+$", ""))
  end
end

local function finding_lines(out, of, finding)
  out[#out + 1] = ("%s: %s: %s"):format(keypath.escape(of), finding.fatal and "PROBLEM" or "advice",
    keypath.escape(finding.text))
  if finding.cure then
    out[#out + 1] = "    " .. keypath.escape(finding.cure)
  end
end

--- The findings for people.
function show.text(result)
  local out = {}
  if #result.nodes > 0 then
    table_lines(out, HEAD, result.nodes, cells_of)
  else
    out[1] = "no nodes are configured: there is nothing to watch"
  end
  if result.members then
    table_lines(out, HEAD_OF_MEMBERS, result.members, cells_of_member)
  end
  for _, node in ipairs(result.nodes) do
    for _, finding in ipairs(node.findings) do
      finding_lines(out, node.name, finding)
    end
  end
  for _, list in ipairs { result.programs, result.settings } do
    for _, finding in ipairs(list) do
      finding_lines(out, finding.path, finding)
    end
  end
  if result.no_master then
    out[#out + 1] = "advice: no node is a master now: slaves stay clusterless until one is"
  end
  out[#out + 1] = ("A loss that breaks no connection is detected within %g s (heartbeat + down_after x query_timeout"
    .. " + (down_after - 1) x retry_interval: %s)."):format(result.detect_seconds, result.detect_text)
  if result.fit_text then
    out[#out + 1] = result.fit_text
  end
  if result.fresh_text then
    out[#out + 1] = result.fresh_text
  end
  if result.window_text then
    out[#out + 1] = keypath.escape(result.window_text)
  end
  if result.members_text then
    out[#out + 1] = keypath.escape(result.members_text)
  end
  out[#out + 1] = result.ok and "All will work." or "Something will not work: see PROBLEM above."
  return table.concat(out, "\n") .. "\n"
end

local function json_list(items)
  return "[" .. table.concat(items, ", ") .. "]" -- cjson knows no empty list
end

local function json_problem(finding, of)
  return cjson.encode((finding.fatal and "" or "advice: ") .. of .. finding.text)
end

-- The findings that belong to a trigger or a setting instead of a node, as a JSON list.
local function json_problems(list)
  local problems = {}
  for i, finding in ipairs(list) do
    problems[i] = json_problem(finding, finding.path .. ": ")
  end
  return json_list(problems)
end

-- The key `etcd` with its members, to be put behind the other keys; "" where this monitor is alone.
local function json_members(list)
  local members = {}
  for i, member in ipairs(list or {}) do
    local version, latency = answers.get(member, "version"), answers.get(member, "latency_us")
    members[i] = ('{"url": %s, "ok": %s, "reached": %s, "version": %s, "may_write": %s, "clock": %s, "answers_in": %s}')
      :format(cjson.encode(member.url), member.ok, member.reached, version and cjson.encode(version) or "null",
        member.may_write, cjson.encode(answers.get(member, "clock") or cjson.null),
        latency and ("%.6f"):format(latency / 1e6) or "null")
  end
  return list and ', "etcd": ' .. json_list(members) or ""
end

--- The findings as the contract's JSON.
function show.json(result)
  local nodes = {}
  local triggers, settings = json_problems(result.programs), json_problems(result.settings)
  for i, node in ipairs(result.nodes) do
    local problems = {}
    for j, finding in ipairs(node.findings) do
      problems[j] = json_problem(finding, "")
    end
    local role = role_of(node)
    nodes[i] = ('{"host": %s, "port": %d, "ok": %s, "reached": %s, "role": %s, "server_version": %s, ' ..
      '"can_beat": %s, "problems": %s}'):format(cjson.encode(node.host), node.port, node.ok, node.reached,
      role and cjson.encode(role) or "null", node.server_version > 0 and ("%d"):format(node.server_version) or "null",
      node.can_beat, json_list(problems))
  end
  return ('{"ok": %s, "detect_seconds": %s, "nodes": %s, "triggers": %s, "settings": %s%s}\n'):format(result.ok,
    cjson.encode(result.detect_seconds), json_list(nodes), triggers, settings, json_members(result.members))
end

return show
