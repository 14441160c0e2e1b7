--- Whether a connection pool (PgBouncer, pgpool-II and the like) lies between: a part of plusmoin.check.
local answers = require "plusmoin.answers"

local pool = { CURE = "nodes[].host and port of the server itself, not of the connection pool before it" }

local CLOCKS_S = 0.005 -- our clock counts whole milliseconds, and the server's may be slewed

-- The key of a login names a backend. A pool gives a key of its own, or that of another server's backend.
local function another_answers(node, facts)
  local let_in, answered = answers.given(node.backend_pid), math.tointeger(answers.given(facts.backend_pid))
  return let_in and answered and math.tointeger(let_in) ~= answered
end

-- pgpool-II gives the key of a session that it has kept, and that session answers. So only its age shows the pool.
local function is_older_than_our_connection(node, facts)
  local ours, its = tonumber(answers.given(node.age)), answers.given(facts.session_age)
  return ours and type(its) == "number" and its > ours + CLOCKS_S
end

--- Notes a problem of a node whose facts name another backend than the login did, or a session that began before we
-- connected. plusmoin would judge the pool: a login to it does not show whether the server takes new sessions, and any
-- server behind it may answer.
function pool.judge(node, facts, problem)
  local what = another_answers(node, facts) and "another process answers than the one that let us in"
    or is_older_than_our_connection(node, facts) and "the session that answers is older than our connection"
  if what then
    problem(pool.CURE,
      "a connection pool lies between (" .. what .. "): plusmoin would judge the pool in place of the server")
  end
end

return pool
