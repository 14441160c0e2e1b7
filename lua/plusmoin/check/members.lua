--- Judges whether plusmoin can work with the members of etcd that `monitors` names, by what they answered to
-- src/command/members.c.
local answers = require "plusmoin.answers"
local keypath = require "plusmoin.keypath"

local get = answers.get
local members = {}

local CLOCK_MOST = 2      -- seconds; a member tells its time in whole seconds
local LATENCY_PART = 8    -- of ttl; a renewal must end within a quarter of ttl, and should take less than half of that
local MENDED = { ["3.4"] = 38, ["3.5"] = 23 } -- the first releases that keep each lease that is renewed in time

-- Quotes a text so that a shell takes it as one word.
local function shell(text)
  return text:find("^[%w@%%+=:,./_-]+$") and text or "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Returns why a step failed: the reason and the member's words; nil where it succeeded or was not tried.
local function failure(member, step)
  local heard = get(get(member, "steps"), step)
  return get(heard, "reason"), get(heard, "words") or ""
end

local function was_done(member, step)
  return get(get(member, "steps"), step) ~= nil and not failure(member, step)
end

-- Returns a command line of etcdctl for that member, as root.
local function etcdctl(member, command)
  return ("etcdctl --endpoints=%s --user root %s"):format(shell(member.url), command)
end

local function login_cure(member, setting)
  local user = get(setting, "user")
  if user then
    return etcdctl(member, "user passwd " .. shell(user)) .. ", or the password that it has"
  end
  return ("monitors.user and monitors.password, and %s; %s; %s; %s"):format(etcdctl(member, "user add plusmoin"),
    etcdctl(member, "role add plusmoin"),
    etcdctl(member, "role grant-permission plusmoin readwrite --prefix " .. shell(setting.prefix)),
    etcdctl(member, "user grant-role plusmoin plusmoin"))
end

local function right_cure(member, setting)
  local user = get(setting, "user") or "plusmoin"
  return ("%s; %s; %s"):format(etcdctl(member, "role add plusmoin"),
    etcdctl(member, "role grant-permission plusmoin readwrite --prefix " .. shell(setting.prefix)),
    etcdctl(member, ("user grant-role %s plusmoin"):format(shell(user))))
end

local REACH = {
  ["not etcd"] = "the URL at which an etcd of 3.4 or later answers its clients (--listen-client-urls)",
}

-- Why a step failed -> the function that returns what to say, and the line that mends it.
local REASONS = {
  ["login"] = function(member, setting, words)
    if words:find("CommonName", 1, true) then
      return "it refuses a certificate with a common name where it asks for a login: " .. words,
        "a client certificate without a common name (CN)"
    elseif get(setting, "user") then
      return "it does not let us in: " .. words, login_cure(member, setting)
    end
    return "it asks for a login: " .. words, login_cure(member, setting)
  end,
  ["permission"] = function(member, setting, words, what)
    return ("we may not %s below %s: %s"):format(what, keypath.quote(setting.prefix), words),
      right_cure(member, setting)
  end,
  ["no leader"] = function(_, _, words)
    return "it sees no leader: most members of its cluster must reach each other: " .. words,
      "etcdctl endpoint status --cluster, and the members that are down"
  end,
  ["no space"] = function(member, _, words)
    return "its database is full: " .. words,
      ("etcdctl --endpoints=%s compact REVISION, defrag, and alarm disarm; a larger --quota-backend-bytes")
        :format(shell(member.url))
  end,
}

local WHAT = { lease = "have leases", read = "read", write = "write", delete = "delete" }

local function judge_reach(member, problem)
  local reason, words = failure(member, "version")
  if reason then
    problem("it is not reached: " .. (words ~= "" and words or reason), REACH[reason])
  elseif not get(member, "version") then
    problem("it was not asked")
  end
  return get(member, "version") ~= nil and not reason
end

local function judge_version(member, problem, advice)
  local minor, patch = member.version:match("^(%d+%.%d+)%.(%d+)")
  local major, rest = (minor or ""):match("^(%d+)%.(%d+)")
  if not minor then
    advice(("its version, %s, is not understood"):format(member.version))
  elseif tonumber(major) < 3 or tonumber(major) == 3 and tonumber(rest) < 4 then
    problem(("etcd %s is too old"):format(member.version), "etcd 3.4 or later")
  elseif MENDED[minor] and tonumber(patch) < MENDED[minor] then
    advice(("etcd %s can end leases that are renewed in time, when a leader of its own is stopped and goes on: another "
      .. "monitor takes over then without need"):format(member.version), "etcd 3.4.38, 3.5.23 or later")
  end
end

-- Notes the steps that the member refused, each reason once. Returns whether there were any.
local function judge_steps(member, setting, problem, advice)
  local said = {}
  for _, step in ipairs { "login", "status", "lease", "read", "write", "delete" } do
    local reason, words = failure(member, step)
    if reason == "no login" then
      advice("it asks for no login: whoever reaches it may change all that it holds",
        etcdctl(member, "auth enable") .. ", behind: etcdctl user add root")
    elseif reason and not said[reason] then
      local known, text, cure = REASONS[reason], nil, nil
      if known then
        text, cure = known(member, setting, words, WHAT[step] or step)
      end
      problem(text or ("%s failed: %s"):format(step, words), cure)
      said[reason] = true
    end
  end
  return next(said) ~= nil
end

local function judge_state(member, failed, problem)
  local alarms = get(member, "alarms")
  if alarms and alarms ~= "" and not failed then
    problem("it raises an alarm: " .. alarms, "etcdctl alarm list")
  elseif failure(member, "health") and not failed then
    local _, words = failure(member, "health")
    problem(words, ("curl %s/health"):format(member.url))
  end
end

local function judge_times(member, setting, advice)
  local clock, latency, least = get(member, "clock"), get(member, "latency_us"), get(member, "least")
  if clock and math.abs(clock) > CLOCK_MOST then
    advice(("its clock is %.0f s %s ours"):format(math.abs(clock), clock > 0 and "ahead of" or "behind"),
      "a time service on both machines (chrony, systemd-timesyncd)")
  end
  if latency and latency * LATENCY_PART > setting.ttl * 1e6 then
    advice(("it took %.0f ms to answer: that is much for a ttl of %g s"):format(latency / 1000, setting.ttl),
      ("monitors.ttl = %d, or an etcd that is nearer, or has a faster disk")
        :format(math.min(60, math.ceil(latency * LATENCY_PART / 1e6))))
  end
  if least and least > setting.ttl then
    advice(("the shortest lease that it grants is %d s: ttl counts as that"):format(least),
      ("monitors.ttl = %d"):format(least))
  end
end

-- Notes a member that belongs to another cluster of etcd than the first one that told its cluster.
local function judge_cluster(list, member, problem)
  for _, other in ipairs(list) do
    local first = get(other, "cluster")
    if first then
      if get(member, "cluster") and member.cluster ~= first then
        problem(("it is of another cluster than %s: monitors that use the one do not see those that use the other")
          :format(other.url),
          "the members of one cluster: etcdctl member list")
      end
      return
    end
  end
end

local function judge(setting, list, i, found)
  local member, count = list[i], #found
  member.url = get(member, "url") or "etcd"
  local function add(text, cure, fatal)
    found[#found + 1] = { path = ("monitors.etcd[%d]"):format(i), text = ("%s: %s"):format(member.url, text),
      cure = cure, fatal = fatal }
  end
  local function problem(text, cure) add(text, cure, true) end
  local function advice(text, cure) add(text, cure, false) end
  member.reached = judge_reach(member, problem)
  if member.reached then
    judge_version(member, problem, advice)
    judge_state(member, judge_steps(member, setting, problem, advice), problem)
    judge_times(member, setting, advice)
    judge_cluster(list, member, problem)
  end
  member.may_write = was_done(member, "read") and was_done(member, "write") and was_done(member, "delete")
  member.ok = true
  for j = count + 1, #found do
    member.ok = member.ok and not found[j].fatal
  end
end

--- Judges all members. `setting`: {name, prefix, ttl, user, members}; nil: this monitor is alone. Returns a list of
-- findings {path, text, cure, fatal}, the members with `reached`, `may_write` and `ok` set, and a sentence about this
-- monitor's part; the last two are nil where it is alone.
function members.judge(setting)
  local found = {}
  if not setting then
    return found, nil, nil
  end
  local list = answers.list(setting, "members")
  for i in ipairs(list) do
    judge(setting, list, i, found)
  end
  return found, list, ("This monitor is %s among those below %s; when the one that acts gives no sign for %g s, "
    .. "another one takes over."):format(keypath.quote(setting.name), keypath.quote(setting.prefix), setting.ttl)
end

return members
