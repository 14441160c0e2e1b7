-- The suite that plusmoin.testing is held to as well (spec/unit/testing_spec.lua), in the daemon.
local said = require "spec.support.said"
local scene = require "spec.support.scene"
local suite = require "spec.support.api_suite"

describe("the API in the daemon:", function()
  local kept
  before_each(function() kept = {} end)
  after_each(function()
    for _, one in ipairs(kept) do
      one:close()
    end
    scene.finish()
  end)

  for _, case in ipairs(suite) do
    it(case.name, function()
      local args = case.real and case.real(function(one)
        kept[#kept + 1] = one
        return one
      end) or {}
      local results, daemon = said.say(case.body, { args = args, servers = suite.servers(case) })
      case.check(results, function(words) return daemon:logged(words) end, args)
    end)
  end
end)
