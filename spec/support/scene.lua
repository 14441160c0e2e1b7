--- What nearly every whole-program spec starts with: a master, its standbys, and
-- a plusmoin that has seen them. One `scene.finish` in `after_each` ends it all
-- and asserts that plusmoin ended well.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"

local scene = {}

--- Master, list of standbys, and a plusmoin on them (options: as plusmoin.start;
-- slaves, default 2; settings for the master).
function scene.start(options)
  options = options or {}
  local master, slaves = pg.cluster(options.slaves or 2, { settings = options.settings })
  options.nodes = table.move(slaves, 1, #slaves, 2, { master })
  return plusmoin.start(options), master, slaves
end

--- Ends every plusmoin, each must end well, then all servers, and what else the
-- spec made, by the functions given (relay.close_all, ...).
function scene.finish(...)
  local problems = {}
  for daemon in pairs(plusmoin.running) do
    local ok, message = pcall(daemon.stop_and_check, daemon)
    if not ok then
      problems[#problems + 1] = tostring(message)
    end
  end
  plusmoin.stop_all()
  pg.stop_all()
  for _, close in ipairs { ... } do
    close()
  end
  if #problems > 0 then
    error(table.concat(problems, "\n"), 2)
  end
end

return scene
