--- Whether a connection pool (PgBouncer and the like) lies between: a part of plusmoin.check.
local answers = require "plusmoin.answers"

local pool = { CURE = "nodes[].host and port of the server itself, not of the connection pool before it" }

--- Adds the finding to a node whose facts name another process than the one that let us in. plusmoin would time
-- and judge the pool: a login says nothing of the server's door, and who answers may be any server behind it.
function pool.judge(node, facts, problem)
  local let_in, answered = answers.given(node.backend_pid), math.tointeger(answers.given(facts.backend_pid))
  if let_in and answered and math.tointeger(let_in) ~= answered then
    problem(pool.CURE,
      "a connection pool lies between (another process answers than the one that let us in): plusmoin would judge " ..
      "the pool in place of the server")
  end
end

return pool
