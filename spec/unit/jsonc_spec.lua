-- JSON with comments: what it takes, and where it says that something is wrong.
local cjson = require "cjson"
local jsonc = require "plusmoin.jsonc"

-- Text, line, column and a part of the first error.
local BAD = {
  { '{"a": 1,}', 1, 8, "trailing comma" },
  { "[1, 2,\n]", 1, 6, "trailing comma" },
  { '{\n "a": NaN}', 2, 7, '"NaN": not a number' },
  { '{"a": -Infinity}', 1, 7, "not a number" },
  { '{"a": 0x10}', 1, 7, "hexadecimal" },
  { '{"a": 007}', 1, 7, "leading zeros" },
  { '{"a": -01}', 1, 7, "leading zeros" },
  { '{"a": +1}', 1, 7, "plus sign" },
  { '{"a": .5}', 1, 7, "allowed: decimal" },
  { '{"a": 1.}', 1, 7, "allowed: decimal" },
  { '{"a": 1e}', 1, 7, "allowed: decimal" },
  { '{"a": 1e400}', 1, 7, "too big" },
  { '{"a": -1e400}', 1, 7, "too big" },
  { '{"a": 1,\n "a": 2}', 2, 2, "duplicate key: a stands in line 1" },
  { '{"a": 1, "\\u0061": 2}', 1, 10, "duplicate key" },
  { '{"a": {"b": 1, "b": 2}}', 1, 16, "duplicate key: a.b" },
  { '{"ü": "ü", x}', 1, 12, 'unexpected "x"' },
  { '{"a": None}', 1, 7, "allowed: null" },
  { '{"a": True}', 1, 7, "allowed: true" },
  { '{"a": yes}', 1, 7, "allowed: true" },
  { "{'a': 1}", 1, 2, "double quotes" },
  { "{a: 1}", 1, 2, "double quotes" },
  { '{"a" 1}', 1, 6, '":" behind a key' },
  { '{"a": 1 "b": 2}', 1, 9, "a comma" },
  { "[1,,2]", 1, 4, "allowed: a value" },
  { '{"a": "x\ny"}', 1, 7, "not closed on its line" },
  { '{"a": "\\q"}', 1, 8, "escape" },
  { '{"a": "\\ud800"}', 1, 8, "surrogate" },
  { '{"a": "\\ud800\\u0041"}', 1, 8, "surrogate" },
  { '{"a": "\\udc00"}', 1, 8, "surrogate" },
  { '{"a": "x\ty"}', 1, 9, "control character" },
  { '{"a": 1} {}', 1, 10, "behind the end" },
  { '{"a": 1}\n# b', 2, 1, "behind the end" },
  { "# b\n{}", 1, 1, "comments" },
  { '{"a": 1 /* b', 1, 9, "never closed" },
  { '{"a": 1 /*/ }', 1, 9, "never closed" },
  { '{"a": "http://b', 1, 7, "not closed on its line" },
  { "", 1, 1, "empty" }, { " \n\t", 1, 1, "empty" }, { "// a", 1, 1, "comments" },
  { '{"a\0": 1}', 1, 4, "NUL" }, { "\xFF\xFE{\0}\0", 1, 4, "NUL" },
  { '{"a\0": /*', 1, 4, "NUL" }, { "{", 1, 2, "ends too early" },
  { ("["):rep(65) .. ("]"):rep(65), 1, 65, "nested too deep" },
  { ('{"a":'):rep(100000), 1, 321, "nested too deep" },
}

local GOOD = {
  { '{"a": "x // y /* z */ \\" // "}', { a = 'x // y /* z */ " // ' } },
  { '/**/{"a"/* " */: // "\n 1}', { a = 1 } },
  { '{"a": "\\\\"} // b', { a = "\\" } },
  { "\xEF\xBB\xBF[1]", { 1 } },
  { '{"a": "\\ud83d\\ude00"}', { a = "😀" } },
  { '{"a": "\\u0000"}', { a = "\0" } },
  { '{"a": null}', { a = cjson.null } },
  { "{\r\n// a\r\n}", {} },
  { "[1e3, -0.5, 0, 1E-400]", { 1000.0, -0.5, 0, 0.0 } },
  { ("["):rep(3) .. ("]"):rep(3), { { {} } } },
}

describe("jsonc.decode", function()
  for _, case in ipairs(BAD) do
    it("refuses " .. ("%q"):format(case[1]:sub(1, 30)), function()
      local _, errors = jsonc.decode(case[1])
      assert.is_true(#errors > 0)
      assert.same({ case[2], case[3] }, { errors[1].line, errors[1].column })
      assert.is_truthy(errors[1].text:find(case[4], 1, true), errors[1].text)
      assert.is_truthy(errors[1].text:find("[;:] ?allowed: ") or errors[1].text:find("unexpected", 1, true))
    end)
  end

  for _, case in ipairs(GOOD) do
    it("takes " .. ("%q"):format(case[1]:sub(1, 30)), function()
      local doc, errors = jsonc.decode(case[1])
      assert.same({}, errors)
      assert.same(case[2], doc.value)
    end)
  end

  it("keeps integers as they are written", function()
    local doc = jsonc.decode('{"a": 5432, "b": [9007199254740993, 5432.0, 99999999999999999999], "c.d": 7}')
    assert.equal("integer", math.type(doc.value.a))
    assert.equal(9007199254740993, doc.value.b[1])
    assert.equal("float", math.type(doc.value.b[2]))
    assert.equal("float", math.type(doc.value.b[3]))
    assert.equal("integer", math.type(doc.value["c.d"]))
  end)

  it("knows the line of every value, and lists from objects", function()
    local doc = jsonc.decode('{\n"a":\n 1, "b": [\n{"c": 1},\n{}], "d": {}}')
    assert.same({ 2, 3, 4, 5, 5 }, {
      doc.lines.a, doc.lines.b, doc.lines["b[1].c"], doc.lines["b[2]"], doc.lines.d })
    assert.same({ "array", "object", "object" }, { doc.kinds.b, doc.kinds["b[2]"], doc.kinds.d })
  end)

  it("reports several errors of one text, and none of what a comment swallowed", function()
    local _, errors = jsonc.decode('{"a": 01, "b": NaN,\n "a": [1,],}')
    assert.equal(5, #errors)
    _, errors = jsonc.decode('{"a": 01, /* b')
    assert.equal(2, #errors)
  end)

  it("never quotes a password", function()
    for _, text in ipairs { '{"password": carrot}', '{"nodes": [{"password": 0carrot}]}' } do
      local _, errors = jsonc.decode(text)
      assert.is_nil(errors[1].text:find("carrot", 1, true))
    end
  end)

  it("blanks comments to equal length", function()
    local text = '{"a": "//" /* b\nc */, // d\n"e": 1}'
    local blanked = jsonc.blank_comments(text)
    assert.equal(#text, #blanked)
    assert.equal('{"a": "//"     \n    ,     \n"e": 1}', blanked)
  end)
end)
