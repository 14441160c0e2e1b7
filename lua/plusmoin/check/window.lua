--- Judges whether the window (`http`) can listen at its addresses, by what src/command/places.c has tried.
local answers = require "plusmoin.answers"

local given = answers.given
local window = {}

-- errno -> a function that returns what is in the way, and what mends that.
local FAULTS = {
  EADDRINUSE = function(text)
    return text .. " is in use by another program", "another port, or the end of the other program (ss -ltnp shows it)"
  end,
  EADDRNOTAVAIL = function(text)
    return text .. " is no address of this machine", "an address that `ip address` shows, or 0.0.0.0 or [::] for all"
  end,
  EACCES = function(text)
    return ("%s may not be listened at by daemon_user"):format(text), text:sub(1, 1) == "/"
      and "a directory that is daemon_user's, such as that of pid_file"
      or "a port above 1023, or AmbientCapabilities=CAP_NET_BIND_SERVICE of the unit"
  end,
}

-- An address in use is no fault while the daemon runs: the daemon itself uses it.
local function is_fine(place, config)
  local fault = given(place.error)
  return not fault or fault == "EADDRINUSE" and config.runs
end

--- Judges `config`: {places, runs, has_token}; nil: there is no window. Returns a list of findings {path, text, cure,
-- fatal}, and a sentence that says where the window listens; nil where there is none.
function window.judge(config)
  local found, pages, agent = {}, {}, nil
  if not config then
    return found, nil
  end
  for _, place in ipairs(config.places) do
    if place.key == "http.agent" then
      agent = place.text
    else
      pages[#pages + 1] = place.text
    end
    if not is_fine(place, config) then
      local fault = FAULTS[place.error]
      local text, cure = place.text .. " cannot be listened at: " .. place.words, nil
      if fault then
        text, cure = fault(place.text)
      end
      found[#found + 1] = { path = place.key, text = text, cure = cure, fatal = true }
    end
  end
  local parts = {}
  if #pages > 0 then
    parts[1] = ("The window listens at %s, %s."):format(table.concat(pages, ", "), config.has_token
      and "for those who have the token" or "without a token")
  end
  if agent then
    parts[#parts + 1] = ("HAProxy's agent-check is answered at %s."):format(agent)
  end
  return found, table.concat(parts, " ")
end

return window
