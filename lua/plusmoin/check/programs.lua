--- The programs of triggers, as src/command/programs.c has looked at them.
local answers = require "plusmoin.answers"

local given = answers.given
local programs = {}

-- Where the PATH that systemd gives its services leads; ours, whoever runs the check, may lead elsewhere.
local SERVICE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

-- Advice about a program that is found; nil: none. Text and cure.
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

--- Whether the triggers' programs can be started. `list`: of {path, program, place, words, cure, sure, argument}.
-- Returns findings {path, text, cure, fatal}.
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
