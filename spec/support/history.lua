--- What has been written in etcd below a prefix, revision by revision: each member is watched beside the others, so
-- that what one does not tell (it is killed, frozen, behind) another one does. Values come as JSON's tables, where they
-- are.
local cjson = require "cjson"
local proc = require "spec.support.proc"

local uv = proc.uv
local history = { open = {} }

local History = {}
History.__index = History

local AGAIN_MS = 100
local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

function history.encode(text)
  local padded = text .. ("\0"):rep(-#text % 3)
  local coded = padded:gsub("...", function(three)
    local a, b, c = three:byte(1, 3)
    local bits = a << 16 | b << 8 | c
    return (("xxxx"):gsub("()x", function(at)
      local digit = (bits >> (24 - 6 * at) & 63) + 1
      return DIGITS:sub(digit, digit)
    end))
  end)
  return coded:sub(1, #coded - -#text % 3) .. ("="):rep(-#text % 3)
end

local VALUES = {}
for i = 1, 64 do
  VALUES[DIGITS:byte(i)] = i - 1
end

function history.decode(coded)
  local parts = {}
  for i = 1, #coded, 4 do
    local a, b, c, d = coded:byte(i, i + 3)
    local bits = VALUES[a] << 18 | VALUES[b] << 12 | (VALUES[c] or 0) << 6 | (VALUES[d] or 0)
    parts[#parts + 1] = string.char(bits >> 16, bits >> 8 & 255, bits & 255)
  end
  local text = table.concat(parts)
  return text:sub(1, #text - #coded:match("=*$"))
end

local decode = history.decode

local function table_of(text)
  local ok, value = pcall(cjson.decode, text)
  return ok and value or text
end

-- The first text that is not below all that begin with `prefix`.
function history.range_end(prefix)
  return prefix:sub(1, -2) .. string.char(prefix:byte(-1) + 1)
end

--- What stands below the prefix by this member: a list of { key (without the prefix), value, created, modified }, and
-- the revision. Its error is raised.
function history.read(member, prefix)
  local answer = member:must("/v3/kv/range", { key = history.encode(prefix),
    range_end = history.encode(history.range_end(prefix)) })
  local pairs_ = {}
  for i, kv in ipairs(answer.kvs or {}) do
    pairs_[i] = { key = decode(kv.key):sub(#prefix + 1), value = table_of(decode(kv.value or "")),
      created = tonumber(kv.create_revision), modified = tonumber(kv.mod_revision) }
  end
  return pairs_, tonumber(answer.header.revision)
end

-- One revision's news, by whichever member tells it first.
local function take_events(self, events)
  local revision = tonumber(events[1].kv.mod_revision)
  if self.at[revision] then
    return
  end
  local changes = {}
  for i, event in ipairs(events) do
    changes[i] = { key = decode(event.kv.key):sub(#self.prefix + 1), gone = event.type == "DELETE",
      value = event.type ~= "DELETE" and table_of(decode(event.kv.value or "")) or nil,
      created = tonumber(event.kv.create_revision), revision = revision }
  end
  local one = { revision = revision, ms = proc.mono_ms(), changes = changes }
  self.at[revision] = one
  local place = #self.list + 1
  while place > 1 and self.list[place - 1].revision > revision do
    place = place - 1
  end
  table.insert(self.list, place, one)
  self.highest = math.max(self.highest, revision)
  if self.heard then
    self.heard(one)
  end
end

-- A line may hold several revisions (what was there before the watch began).
local function take_line(self, watch, line)
  local ok, object = pcall(cjson.decode, line)
  local result = ok and object.result
  if not result then
    return
  end
  if result.canceled then
    watch.from = tonumber(result.compact_revision or watch.from)
    watch.handle:close()
    return
  end
  local groups, order = {}, {}
  for _, event in ipairs(result.events or {}) do
    local revision = event.kv.mod_revision
    if not groups[revision] then
      groups[revision], order[#order + 1] = {}, revision
    end
    table.insert(groups[revision], event)
    watch.from = math.max(watch.from, tonumber(revision) + 1)
  end
  for _, revision in ipairs(order) do
    take_events(self, groups[revision])
  end
end

local open

local function open_again(self, watch)
  if not watch.handle:is_closing() then
    watch.handle:close()
  end
  if self.ended then
    return
  end
  local timer = uv.new_timer()
  table.insert(self.timers, timer)
  timer:start(AGAIN_MS, 0, function()
    timer:close()
    open(self, watch)
  end)
end

function open(self, watch)
  if self.ended then
    return
  end
  local rest = ""
  local body = cjson.encode { create_request = { key = history.encode(self.prefix),
    range_end = history.encode(history.range_end(self.prefix)), start_revision = watch.from } }
  local handle = uv.new_tcp()
  watch.handle = handle
  handle:connect("127.0.0.1", watch.member.port, function(failed)
    if failed then
      return open_again(self, watch)
    end
    handle:write(("POST /v3/watch HTTP/1.0\r\nContent-Length: %d\r\n%s\r\n%s"):format(#body,
      watch.member.cluster.token_line or "", body))
    handle:read_start(function(_, data)
      if not data then
        return open_again(self, watch)
      end
      rest = rest .. data
      local at = 1
      while rest:find("\n", at, true) do
        local line, behind = rest:match("([^\n]*)\n()", at)
        at = behind
        take_line(self, watch, line)
        if handle:is_closing() then
          return open_again(self, watch)
        end
      end
      rest = rest:sub(at)
    end)
  end)
end

--- Watches from now on (from the first revision on, if `from` is 1).
function history.of(cluster, prefix, from)
  local self = setmetatable({ prefix = prefix, at = {}, list = {}, watches = {}, timers = {}, highest = 0 }, History)
  for i, member in ipairs(cluster.members) do
    self.watches[i] = { member = member, from = from or 1 }
    open(self, self.watches[i])
  end
  history.open[self] = true
  return self
end

--- All revisions so far, in order: { revision, ms (when it was heard of), changes = { { key, value, gone } } }.
-- `heard(revision)` may be set: called with each as it comes.
function History:revisions()
  return self.list
end

function History:stop()
  self.ended = true
  history.open[self] = nil
  for _, timer in ipairs(self.timers) do
    if not timer:is_closing() then
      timer:close()
    end
  end
  for _, watch in ipairs(self.watches) do
    if watch.handle and not watch.handle:is_closing() then
      watch.handle:close()
    end
  end
end

function history.stop_all()
  for one in pairs(history.open) do
    one:stop()
  end
end

return history
