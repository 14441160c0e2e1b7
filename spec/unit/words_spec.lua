local nearest = require "plusmoin.nearest"
local words = require "plusmoin.words"

local GOOD = {
  { "a b", { "a", "b" } }, { [[a 'b c' "d e"]], { "a", "b c", "d e" } }, { [[a\ b]], { "a b" } },
  { [[a "" '']], { "a", "", "" } }, { [["a\"b\n"]], { [[a"b\n]] } }, { "a'b'\"c\"", { "abc" } },
}

describe("words and nearest", function()
  for _, case in ipairs(GOOD) do
    it("splits " .. case[1], function()
      assert.same(case[2], words.split(case[1]))
    end)
  end

  it("refuses what is not closed or empty", function()
    for _, line in ipairs { "", "  ", "'a", '"a', "a\\", "'' a" } do
      assert.is_nil((words.split(line)))
    end
  end)

  it("finds the nearest word", function()
    assert.equal("heartbeat", (nearest.find("hartbeat", { "nodes", "heartbeat" })))
    assert.is_nil((nearest.find("x", {})))
  end)
end)
