-- io.popen and the console of triggers, with a pm.exec that answers at once.
describe("plusmoin.sandbox.files", function()
  local files, asked, answer, logged

  before_each(function()
    logged = {}
    package.loaded["plusmoin.core"] = { log = function(level, text) logged[#logged + 1] = level .. " " .. text end }
    local function run(spec)
      asked = spec
      return answer
    end
    package.loaded["plusmoin.exec"] = { run = run, read = run }
    package.loaded["plusmoin.sandbox.files"] = nil
    files = require "plusmoin.sandbox.files"
  end)

  after_each(function()
    package.loaded["plusmoin.core"], package.loaded["plusmoin.exec"] = nil, nil
    package.loaded["plusmoin.sandbox.files"] = nil
  end)

  it("reads by the formats of io.read", function()
    answer = { code = 0, stdout = "one\ntwo\n 12 0x10 rest\n\nend", stderr = "" }
    local file = files.popen("x")
    assert.same({ "/bin/sh", "-c", "x" }, asked)
    assert.equal("one", file:read())
    assert.equal("two\n", file:read("L"))
    assert.equal(12, file:read("n"))
    assert.equal(16, file:read("n"))
    assert.equal(" re", file:read(3))
    assert.same({ "st", "" }, { file:read("l", "*l") })
    assert.equal("end", file:read("a"))
    assert.equal("", file:read("a"))
    assert.is_nil(file:read("l"))
    assert.is_nil(file:read(1))
    assert.equal("", file:read(0) or "")
    assert.is_true(file:close())
    assert.has_error(function() file:read() end, "attempt to use a closed file")
  end)

  it("gives lines, and what the program's end was", function()
    answer = { code = 3, stdout = "a\nb", stderr = "oops\n" }
    local file, lines = files.popen("x", "r"), {}
    for line in file:lines() do
      lines[#lines + 1] = line
    end
    assert.same({ "a", "b" }, lines)
    assert.same({ [2] = "exit", [3] = 3 }, { file:close() })
    assert.same({ "2 oops" }, logged)
    answer = { signal = 9, stdout = "", stderr = "" }
    assert.same({ [2] = "signal", [3] = 9 }, { files.execute("x") })
    assert.is_true(files.execute())
  end)

  it("writes at close", function()
    answer = { code = 0, stdout = "said\n", stderr = "" }
    asked = nil
    local file = files.popen("cat", "w")
    assert.equal(file, file:write("a", 1))
    assert.is_nil(asked)
    assert.is_true(file:close())
    assert.equal("a1", asked.stdin)
    assert.same({ "2 said" }, logged)
    assert.is_nil((files.popen("cat", "w"):write(("x"):rep(5 << 20))))
    assert.has_error(function() files.popen("x", "z") end)
  end)

  it("logs what is written to the console, a line each", function()
    local console = files.console()
    assert.equal(console, console:write("a\nb", 2, "\n"))
    assert.same({ "2 a", "2 b2" }, logged)
    assert.is_nil((console:read()))
    assert.is_nil(files.no_input():read())
  end)
end)
