--- Whether a connection pool (PgBouncer, pgpool-II and the like) lies between: a part of plusmoin.check.
local answers = require "plusmoin.answers"

local pool = { CURE = "nodes[].host and port of the server itself, not of the connection pool before it" }

local CLOCKS_S = 0.005 -- ours counts whole milliseconds, and a server's clock is slewed

-- A pool lets in with a number of its own, or with that of another server's process.
local function another_answers(node, facts)
  local let_in, answered = answers.given(node.backend_pid), math.tointeger(answers.given(facts.backend_pid))
  return let_in and answered and math.tointeger(let_in) ~= answered
end

-- pgpool-II lets in with the number of a session that it has kept, which is the one that answers.
local function is_older_than_our_connection(node, facts)
  local ours, its = tonumber(answers.given(node.age)), answers.given(facts.session_age)
  return ours and type(its) == "number" and its > ours + CLOCKS_S
end

--- Adds the finding to a node whose facts name another process than the one that let us in, or a session that began
-- before we connected. plusmoin would time and judge the pool: a login says nothing of the server's door, and who
-- answers may be any server behind it.
function pool.judge(node, facts, problem)
  local what = another_answers(node, facts) and "another process answers than the one that let us in"
    or is_older_than_our_connection(node, facts) and "the session that answers is older than our connection"
  if what then
    problem(pool.CURE,
      "a connection pool lies between (" .. what .. "): plusmoin would judge the pool in place of the server")
  end
end

return pool
