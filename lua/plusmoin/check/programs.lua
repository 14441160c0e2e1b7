--- Judges the programs of triggers, by what src/command/programs.c has found out about them.
local answers = require "plusmoin.answers"

local given = answers.given
local programs = {}

-- The PATH that systemd gives its services. The PATH of whoever runs the check may be another.
local SERVICE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

-- Returns advice about a program that exists: its text and its cure; nil: there is none.
local function doubt(program)
  local place, argument = given(program.place), given(program.argument)
  if argument then
    return ("%s is to run a file that it may not read: \"%s\""):format(program.program, argument),
      "the file's path, its mode (chmod a+r), and the modes of the directories above it (chmod a+x)"
  elseif place and not program.program:find("/", 1, true) then
    local directory = place:match("^(.*)/[^/]*$") or "."
    if not (":" .. SERVICE_PATH .. ":"):find(":" .. directory .. ":", 1, true) then
      return ("%s is found in \"%s\", by the PATH of whoever runs this check; a service of systemd has another (%s)")
        :format(program.program, directory, SERVICE_PATH), "its full path: " .. place
    end
  end
end

--- Judges whether the programs can be started. `list` has elements {path, program, place, words, cure, sure, argument}.
-- Returns a list of findings {path, text, cure, fatal}.
function programs.judge(list)
  local found = {}
  for _, program in ipairs(list) do
    local text, cure = given(program.words), given(program.cure)
    local fatal = text and program.sure
    if not text then
      text, cure = doubt(program)
    end
    if text then
      found[#found + 1] = { path = program.path, text = text, cure = cure, fatal = fatal }
    end
  end
  return found
end

return programs
