-- `plusmoin check` of nodes that tell nonsense of themselves: what is said of the others stands.
local cjson = require "cjson"
local has = require "spec.support.has"
local plusmoin = require "spec.support.plusmoin"
local scene = require "spec.support.scene"
local standin = require "spec.support.standin"

-- What a node tells of itself and of its table; no blanks, as the stand-in's script has it.
local ODD = {
  { "no\xFFJSON" }, { '"' }, { "\\" }, { "\x7F\x01" }, { "{}" }, { "[]" }, { "7" }, { "null" }, { "true" },
  { '"text"' },
  { "NaN" }, { "1e999" }, { ("["):rep(3000) }, { '{"a":' }, { '{"now":{}}' }, { '{"now":"%s%d"}' },
  { '{"now":1e308,"max_connections":1e308,"reserved":-1e308,"sessions":NaN,"started":1e999,"system_id":"1"}' },
  { '{"table":true,"can_select":[],"dead_rows":1.5e9,"table_bytes":"1e99","publications":[]}' },
  { '{"table":false,"schema":{"a":1},"publishing":[1]}' }, { '{"table":false,"schema":"%s%n","can_create":false}' },
  { nil, "[]" }, -- nothing, which is no nonsense
  { nil, "7" }, { nil, "x" }, { nil, '{"kind":7,"name":7,"columns":7}' },
  { nil, '{"kind":"r","columns":[1,null,{}],"policies":[[]],"triggers":[{}],"rules":[null],"constraints":[3]}' },
  { nil, '{"kind":"r","row_security":true,"policies":[{"name":{},"command":"*","permissive":1,"using":5}]}' },
  { nil, '{"name":"%s","kind":"v","path":{},"path_source":[],"event_triggers":{"a":1}}' },
}

describe("check of a node that tells nonsense of itself", function()
  after_each(scene.finish)
  after_each(standin.stop_all)

  it("judges the nodes beside it, and names the odd one", function()
    local play = standin.start()
    local good = play:server("good", "127.20.9.1")
    play:play('good shape {"kind":null}')
    play:play('good facts {"now":' .. os.time() .. ',"recovery":false,"read_only":false,"default_read_only":false,'
      .. '"schema":"public","can_create":true,"table":false,"publications":0,"wal_receiver_timeout_ms":1000,'
      .. '"idle_session_timeout_ms":0,"max_connections":100,"reserved":3,"sessions":1,"system_id":"good","started":1}')
    local nodes = play:servers("odd", #ODD, "127.20.9.2")
    for i, odd in ipairs(ODD) do
      if odd[1] then
        play:play(("odd%d facts %s"):format(i, odd[1]))
      end
      if odd[2] then
        play:play(("odd%d shape %s"):format(i, odd[2]))
      end
    end
    table.insert(nodes, 14, good)
    local daemon = plusmoin.new { nodes = nodes, config = { query_timeout = 5 } }
    local code, out, err = daemon:cli("check")
    assert.equal(1, code, out .. err)
    has(out, "odd21: advice: the server does not tell what of table heartbeat could refuse",
      "A loss that breaks no connection", "Something will not work", "cannot be understood")
    local result = cjson.decode((select(2, daemon:cli("check", "--json"))))
    assert.equal(#ODD + 1, #result.nodes)
    for i, node in ipairs(result.nodes) do
      assert.is_true(node.reached)
      assert.equal("master", node.role)
      local fine = i == 14 or i == 22
      assert.equal(fine, node.ok, i .. out)
      assert.equal(fine, node.can_beat)
      assert.is_true(fine or #node.problems == 1, i .. out) -- no guess beside it
    end
    for line in out:gmatch("[^\n]+") do
      assert.is_true(#line < 200, line)
    end
  end)
end)
