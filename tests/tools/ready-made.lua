-- Prints lua/plusmoin/api/ready_made.lua, the settings of the ready-made triggers as their files declare them;
-- `--update` writes it.
package.path = "./lua/?.lua;" .. package.path
local given = require "plusmoin.given"

local OUT = "lua/plusmoin/api/ready_made.lua"

-- The triggers' names, in order.
local function names()
  local list, found = io.popen("ls triggers"), {}
  for name in list:lines() do
    found[#found + 1] = name:match("^(.*)%.lua$")
  end
  list:close()
  return found
end

-- Runs the file up to its declaration, which is what it asks of plusmoin.given: the rules.
local function declared(path)
  local declaration = {}
  local stand_in = setmetatable({ check = function(_, _, rules)
    declaration.rules = rules
    error(declaration)
  end }, { __index = given })
  local env = setmetatable({ require = function(name)
    return name == "plusmoin.given" and stand_in or name ~= "plusmoin" and pcall(require, name) and require(name) or {}
  end }, { __index = _G })
  local ok, why = pcall(assert(loadfile(path, "t", env)), {})
  assert(not ok and why == declaration, path .. ": it declares no settings")
  return declaration.rules
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("a")
  file:close()
  return text
end

-- What the comment at the file's top says: its first line, of each setting key -> words, of what is in a setting
-- key -> {key -> words}, and the keys in their order.
local function told(text)
  local doc = text:match("^%-%- [%w_]+: ([^\n]*)")
  local words, inner, order, last = {}, {}, {}, nil
  for line in text:match("\n%-%- Settings:\n(.-)\n%-%-\n"):gmatch("[^\n]+") do
    local indent, key, rest = line:match("^%-%-( +)([%w_]+)  +(.*)$")
    if indent == "   " then
      words[key], inner[key], order[#order + 1] = rest, {}, key
      last = { words, key }
    elseif indent == "     " and #order > 0 then
      inner[order[#order]][key] = rest
      last = { inner[order[#order]], key }
    else
      last[1][last[2]] = last[1][last[2]] .. line:gsub("^%-%- *", " ")
    end
  end
  return doc, words, inner, order
end

local function put_rules(lines, indent, rules, order, words, inner)
  for _, key in ipairs(order) do
    local rule = rules[key]
    local parts = { ("name = %q"):format(key), ("type = %q"):format(given.type_of(rule)) }
    if rule.required then
      parts[#parts + 1] = "required = true"
    end
    lines[#lines + 1] = indent .. "{ " .. table.concat(parts, ", ") .. ","
    local doc = words and words[key]
    lines[#lines + 1] = doc and indent .. ("  doc = %q,"):format(doc) or nil
    lines[#lines + 1] = not doc and indent .. ("  allowed = %q,"):format(rule.allowed) or nil
    for _, name in ipairs { "fields", "each" } do
      if rule[name] then
        lines[#lines + 1] = indent .. "  " .. name .. " = {"
        put_rules(lines, indent .. "    ", rule[name], given.sorted_keys(rule[name]), inner and inner[key])
        lines[#lines + 1] = indent .. "  },"
      end
    end
    lines[#lines] = lines[#lines]:gsub(",$", "") .. " },"
  end
end

-- The comment and the declaration name the same settings.
local function check_same(name, rules, words)
  for key in pairs(rules) do
    assert(words[key], ("triggers/%s.lua: its comment says nothing of %s"):format(name, key))
  end
  for key in pairs(words) do
    assert(rules[key], ("triggers/%s.lua: its comment tells of %s, which is no setting"):format(name, key))
  end
end

local function made()
  local lines = { "-- Made by tests/tools/ready-made.lua --update from what triggers/*.lua declare: what is changed "
    .. "here is lost.", "-- luacheck: no max line length", "return {" }
  for _, name in ipairs(names()) do
    local path = ("triggers/%s.lua"):format(name)
    local rules = declared(path)
    local doc, words, inner, order = told(read(path))
    check_same(name, rules, words)
    lines[#lines + 1] = ("  { file = %q, doc = %q, settings = {"):format(name .. ".lua", doc)
    put_rules(lines, "    ", rules, order, words, inner)
    lines[#lines + 1] = "  } },"
  end
  lines[#lines + 1] = "}\n"
  return table.concat(lines, "\n")
end

if arg[1] == "--update" and not arg[2] then
  local file = assert(io.open(OUT, "w"))
  assert(file:write(made()))
  assert(file:close())
elseif arg[1] then
  io.stderr:write("usage: ready-made.lua [--update]\n")
  os.exit(2)
else
  io.write(made())
end
