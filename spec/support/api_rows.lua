--- What specs need to hold events against the table of the API, in the daemon that made them.
local api = require "plusmoin.api"
local proc = require "spec.support.proc"
local said = require "spec.support.said"

local api_rows = {}

--- The file that triggers require as "api_check"; for plusmoin.start{files =}.
api_rows.files = { ["api_check.lua"] = assert(proc.read_file("spec/support/api_check.lua")) }

--- What the real pm has, in a daemon: a list of "pm.query function", in no order.
function api_rows.names_of_pm()
  return (said.say [[
    local names = {}
    local function walk(name, value)
      names[#names + 1] = name .. " " .. type(value)
      if type(value) == "table" and name ~= "pm.state" then
        for key, one in pairs(value) do
          walk(name .. "." .. key, one)
        end
      end
    end
    walk("pm", pm)
    return table.unpack(names)
  ]])
end

--- Waits until such an event was found to be as the table says; returns the names of the fields that it, and the
-- clusters then, had: a set.
function api_rows.wait(daemon, kind)
  local names = proc.wait_for("the rows of " .. kind, 10, function()
    return daemon:log():match("rows of " .. kind .. ": ([%w_. ]+)%.")
  end, function() return daemon:diagnose() end)
  local seen = {}
  for name in names:gmatch("%S+") do
    assert(api.find(name), name)
    seen[name] = true
  end
  return seen
end

return api_rows
