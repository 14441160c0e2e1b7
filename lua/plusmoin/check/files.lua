--- Judges whether the daemon can write its own files, by what src/command/writable.c has found out.
local files = {}

-- Directories of the system, which are not to be given to another user.
local SYSTEMS = { "/", "/etc", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/usr", "/var", "/var/lib", "/var/log",
  "/var/run", "/var/tmp" }

local is_systems = {}
for _, directory in ipairs(SYSTEMS) do
  is_systems[directory] = true
end

-- A word of a command line for the shell.
local function word(text)
  if text:find("^[%w_./:@%%+=,-]+$") then
    return text
  end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function make(file)
  return ("install -d -o %s %s"):format(word(file.user), word(file.place))
end

-- fault -> a function that returns what is in the way, and what mends that.
local FAULTS = {
  missing = function(file)
    return ("its directory %s is missing, and `start` does not make it"):format(file.place), make(file)
  end,
  make = function(file)
    return ("its directory %s is missing, and %s cannot make it in %s: %s"):format(file.place, file.user, file.parent,
      file.words), make(file)
  end,
  reach = function(file)
    return ("%s cannot reach %s: %s"):format(file.user, file.place, file.words),
      "the modes of the directories above it (chmod a+x)"
  end,
  other = function(file)
    return ("%s: %s"):format(file.place, file.words), "another " .. file.key
  end,
  mount = function(file)
    return ("%s: %s"):format(file.place, file.words),
      ("another %s, or under systemd ReadWritePaths=%s in the unit"):format(file.key, file.parent)
  end,
  directory = function(file)
    local name = file.path:match("[^/]*$")
    if is_systems[file.place] then
      local own = { user = file.user, place = (file.place == "/" and "" or file.place) .. "/plusmoin" }
      return ("%s cannot write into %s: %s"):format(file.user, file.place, file.words),
        ("%s, and %s = %s/%s"):format(make(own), file.key, own.place, name)
    end
    return ("%s cannot write into %s: %s"):format(file.user, file.place, file.words),
      ("chown %s %s"):format(word(file.user), word(file.place))
  end,
  file = function(file)
    return ("%s cannot write %s: %s"):format(file.user, file.place, file.words),
      ("chown %s %s"):format(word(file.user), word(file.place))
  end,
}

--- Judges the files that cannot be written, of `list` as writable.h has them. Returns a list of findings {path, text,
-- cure, fatal}.
function files.judge(list)
  local found = {}
  for i, file in ipairs(list) do
    local text, cure = FAULTS[file.fault](file)
    if file.key == "log_file" then
      text = text .. " (`start -x` logs to stdout, and needs no log_file)"
    end
    text = ("%s cannot be written: %s"):format(file.path, text)
    found[i] = { path = file.key, text = text, cure = cure, fatal = true }
  end
  return found
end

return files
