-- The programs of triggers: what `plusmoin check` says of each, what the daemon says when it starts it, and that the
-- printed cures cure.
local has = require "spec.support.has"
local machine = require "spec.support.machine"
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local uv = proc.uv

-- name -> text, mode; 755 where there is none.
local FILES = {
  good = { "#!/bin/sh\nexit 0\n" },
  ["good one"] = { "#! /usr/bin/env -S sh -e\nexit 0\n" },
  plain = { "#!/bin/sh\nexit 0\n", "644" },
  crlf = { "#!/bin/sh\r\nexit 0\r\n" },
  crlf_env = { "#!/usr/bin/env sh\r\nexit 0\n" },
  no_interpreter = { "#!/no/such/interpreter -x\n" },
  no_language = { "#!/usr/bin/env nosuchlanguage\n" },
  no_name = { "#!\n" },
  empty = { "" },
  text = { "exit 0\n" },
  marked = { "\xEF\xBB\xBF#!/bin/sh\nexit 0\n" },
  ["it's"] = { "#!/bin/sh\nexit 0\n", "644" },
}

-- What is put where a trigger's command stands, what check says of it ("": nothing), what the daemon does; the
-- directory is DIR. An outcome "done" is that it works.
local CASES = {
  { "sh -c true", "", "done" },
  { "DIR/good", "", "done" },
  { "'DIR/good one'", "", "done" },
  { "relative/nowhere", 'no such program: "/relative/nowhere"',
    "cannot start relative/nowhere: No such file or directory" },
  { "nosuchprogram x", 'no such program in PATH: "nosuchprogram" (',
    '(no such program in PATH: "nosuchprogram" (' },
  { "DIR/missing", 'no such program: "DIR/missing"', "cannot start DIR/missing: No such file or directory" },
  { "DIR", '"DIR" is a directory', 'cannot start DIR: Permission denied ("DIR" is a directory)' },
  { "DIR/plain", '"DIR/plain" is not executable for uid', "cannot start DIR/plain: Permission denied (", cures = true },
  { '"DIR/it\'s"', "is not executable for uid", "Permission denied (", cures = true },
  { "DIR/crlf", 'the first line of "DIR/crlf" ends in a carriage return',
    'cannot start DIR/crlf: No such file or directory (the first line of "DIR/crlf" ends in a carriage return',
    cures = true },
  { "DIR/crlf_env", 'ends in a carriage return (as a file of Windows has it), which becomes part of "sh"',
    "failed with exit status 12", cures = true },
  { "DIR/no_interpreter", 'names what cannot be started: no such program: "/no/such/interpreter"',
    "No such file or directory (\"DIR/no_interpreter\" is a script whose first line" },
  { "DIR/no_language", 'names what cannot be started: no such program in PATH: "nosuchlanguage"',
    "failed with exit status 12" },
  { "DIR/no_name", "names no interpreter behind #!", "Exec format error (" },
  { "DIR/empty", '"DIR/empty" is empty', 'cannot start DIR/empty: Exec format error ("DIR/empty" is empty)' },
  { "DIR/text", "it neither begins with #! nor is it an ELF file", "Exec format error (", cures = true },
  { "DIR/marked", "begins with a byte order mark", "Exec format error (", cures = true },
  { "DIR/dangling", '"DIR/dangling" is a link to "DIR/nothing", which is not there', "No such file or directory (" },
  { "DIR/foreign", 'is a program for another system: its loader "/lib', "No such file or directory (\"DIR/foreign\"" },
  { "sh DIR/nothing.sh", 'is to run a file that it may not read: "DIR/nothing.sh"', "failed with exit status",
    advice = true },
}

-- As root alone: what belongs to root.
local ROOTS = {
  { "DIR/roots", '"DIR/roots" is not executable for uid', "cannot start DIR/roots: Permission denied (", cures = true },
  { "DIR/closed/good", 'may not enter directory "DIR/closed"',
    "cannot start DIR/closed/good: Permission denied (", cures = true },
}

local function make_files()
  local dir = proc.new_dir("programs")
  for name, file in pairs(FILES) do
    proc.write_file(dir .. "/" .. name, file[1], tonumber(file[2] or "755", 8))
  end
  local program = assert(io.open("/bin/true", "rb")):read("a")
  proc.write_file(dir .. "/foreign", (program:gsub("(/lib%w*/ld%-linux[%w._-]*)%.so", "%1.SO", 1)), tonumber("755", 8))
  assert(uv.fs_symlink(dir .. "/nothing", dir .. "/dangling"))
  return dir
end

local function make_roots_files(dir)
  proc.write_file(dir .. "/roots", FILES.good[1], tonumber("700", 8))
  assert(uv.fs_chown(dir .. "/roots", 0, 0))
  assert(uv.fs_mkdir(dir .. "/closed", tonumber("700", 8)))
  proc.write_file(dir .. "/closed/good", FILES.good[1], tonumber("755", 8))
end

-- The findings of `out` about triggers: path -> "PROBLEM" or "advice", text, cure.
local function findings(out)
  local map, last = {}, nil
  for line in out:gmatch("[^\n]+") do
    local path, grade, text = line:match("^(triggers%S+): (%u%u%u%u%u%u%u): (.*)")
    if not path then
      path, grade, text = line:match("^(triggers%S+): (advice): (.*)")
    end
    if path then
      last = { grade = grade, text = text }
      map[path] = last
    elseif last and line:find("^    ") then
      last.cure = line:sub(5)
    else
      last = nil
    end
  end
  return map
end

describe("a trigger's program", function()
  after_each(scene.finish)

  it("is looked at by check as the daemon starts it, told by the start, and cured by the cure", function()
    local dir, cases, commands = make_files(), {}, {}
    table.move(CASES, 1, #CASES, 1, cases)
    if proc.is_root then
      make_roots_files(dir)
      table.move(ROOTS, 1, #ROOTS, #cases + 1, cases)
    end
    local function here(text) return (text:gsub("DIR", dir)) end
    for i, case in ipairs(cases) do
      commands[i] = here(case[1])
    end
    local daemon = plusmoin.new { nodes = { pg.master() }, triggers = { plusmoin_up = commands,
      plusmoin_heartbeat = false, cluster_created = false } }
    local code, out, err = daemon:cli("check")
    assert.equal(1, code, out)
    assert.is_nil(err:find("no such program", 1, true), err) -- once is enough
    has(out, "Something will not work")
    local found, cures = findings(out), {}
    for i, case in ipairs(cases) do
      local finding = found[("triggers.plusmoin_up[%d]"):format(i)]
      if case[2] == "" then
        assert.is_nil(finding, commands[i])
      else
        assert(finding, commands[i] .. " is not told in:\n" .. out)
        assert.equal(case.advice and "advice" or "PROBLEM", finding.grade)
        has(finding.text, here(case[2]))
        cures[#cures + 1] = case.cures and finding.cure or nil
      end
    end
    daemon:start() -- and it is true
    for i, case in ipairs(cases) do
      daemon:wait_logged(("plusmoin_up[%d]"):format(i), here(case[3]))
    end
    has(daemon:log(), 'triggers.plusmoin_up[6]: no such program: "' .. dir .. '/missing"') -- the load said it as well
    daemon:stop_and_check()
    for _, cure in ipairs(cures) do
      proc.must({ "sh", "-c", (cure:gsub("; or.*", "")) }, { as_root = true })
    end
    code, out = daemon:cli("check")
    assert.equal(1, code, out)
    found = findings(out)
    for i, case in ipairs(cases) do
      assert(not case.cures or not found[("triggers.plusmoin_up[%d]"):format(i)], commands[i] .. ":\n" .. out)
    end
  end)

  it("is looked for in our PATH, which may not be the daemon's", function()
    local dir = make_files()
    local daemon = plusmoin.new { nodes = { pg.master() }, triggers = { plusmoin_up = "good" } }
    proc.write_file(daemon.config_path, daemon:json())
    local code, out = proc.run({ "env", "PATH=/nowhere:" .. dir .. ":/usr/bin:/bin", plusmoin.binary(), "-c",
      daemon.config_path, "check" })
    assert.equal(0, code, out)
    has(out, "triggers.plusmoin_up: advice: good is found in \"" .. dir .. "\"", "its full path: " .. dir .. "/good")
    code, out = daemon:cli("check", "--json")
    assert.equal(1, code, out)
    has(out, '"triggers": ["triggers.plusmoin_up: no such program in PATH: \\"good\\"')
  end)

  it("of root's is looked at as daemon_user", function()
    machine.need("root")
    local dir = make_files()
    make_roots_files(dir)
    local daemon = plusmoin.new { nodes = { pg.master() }, triggers = { plusmoin_up = dir .. "/roots" } }
    local code, out = daemon:root_cli("check")
    assert.equal(1, code, out)
    has(out, "triggers.plusmoin_up: PROBLEM: ", "/roots\" is not executable for uid")
  end)
end)
