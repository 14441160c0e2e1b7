-- The daemon of 2015 beside plusmoin: it writes the same row, with its tstamp in seconds.
local pg = require "spec.support.pg"
local plusmoin = require "spec.support.plusmoin"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local function psql(server, name, text)
  local path = proc.new_dir("beats") .. "/" .. name .. ".sql"
  proc.write_file(path, text)
  return proc.spawn({ "psql", "-XAtq", "-h", server.host, "-p", tostring(server.port), "-U", "postgres", "-d",
    "plusmoin", "-f", path }, { output = "/dev/null" })
end

-- The statement of its beat; it beats every `seconds`. Its row is gone for a moment while plusmoin beats: it makes
-- one, then, as at its start.
local function beat_of_2015(server, name, seconds)
  return psql(server, "beat", ("WITH made AS (INSERT INTO heartbeat SELECT 7, '%s', 0 WHERE NOT EXISTS (SELECT FROM "
    .. "heartbeat)) UPDATE heartbeat SET cluster_id = 7, master = '%s', tstamp = floor(extract(epoch FROM "
    .. "clock_timestamp()))\n\\watch %g\n"):format(name, name, seconds))
end

local function row_of(server)
  return server:sql("SELECT tstamp FROM heartbeat ORDER BY tstamp LIMIT 1", "plusmoin")[1]
end

local function waits_for_seconds(server)
  proc.wait_for("a row in seconds at " .. server.name, 10, function()
    local row = row_of(server)
    return row and tonumber(row[1]) < 1e11
  end)
end

describe("the daemon of 2015", function()
  after_each(scene.finish)

  it("may beat beside plusmoin, each second or more often, without an event", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { heartbeat = 0.3, max_sync_delay = 1.5,
      recover_sync_delay = 1 } }
    daemon:wait_place(slaves[1], "slave 0")
    local slow = beat_of_2015(master, master.name, 1)
    local fast = beat_of_2015(master, master.name, 0.13)
    local other = beat_of_2015(master, "db1.example.com:5432", 0.37) -- one that calls the master otherwise
    waits_for_seconds(master)
    waits_for_seconds(slaves[1])
    daemon:quiet_rounds(12)
    daemon:wait_place(slaves[1], "slave 0")
    for _, old in ipairs { slow, fast, other } do
      assert.is_true(old:running())
      old:kill("sigkill")
    end
  end)

  it("has left a row behind, by which a slave is found, and in order among others", function()
    local master, slaves = pg.cluster(1)
    -- the greatest counts: the one in seconds, which is a minute old; the other is ten minutes old
    master:sql("SET ROLE plusmoin; CREATE TABLE heartbeat (cluster_id INT, master TEXT, tstamp BIGINT);"
      .. ("INSERT INTO heartbeat VALUES (0, '%s', floor(extract(epoch FROM now())) - 60), (0, 'elsewhere:1', "
      .. "(floor(extract(epoch FROM now())) - 600) * 1000), (-1, '-', 0)"):format(master.name), "plusmoin")
    slaves[1]:pause_replay()
    proc.wait_for("the rows", 5, function() return row_of(slaves[1]) end)
    local daemon = plusmoin.start { nodes = { master, slaves[1] }, config = { max_sync_delay = 1.5,
      recover_sync_delay = 1 } }
    daemon:wait_place(slaves[1], "lost 0") -- its row names the master
    slaves[1]:resume_replay()
    daemon:expect_events { { "slave_up", slaves[1], cluster = 0, rule = "L4" } }
    local rows = master:sql("SELECT count(*), min(tstamp) > 1600000000000 FROM heartbeat", "plusmoin")
    assert.same({ "1", "t" }, rows[1])
    daemon:quiet_rounds(2)
  end)

  it("of a clock that is ahead: plusmoin's beats stay in front of its own", function()
    local daemon, master, slaves = scene.start { slaves = 1, config = { heartbeat = 0.3, max_sync_delay = 1.5,
      recover_sync_delay = 1 } }
    daemon:wait_place(slaves[1], "slave 0")
    master:sql("UPDATE heartbeat SET tstamp = floor(extract(epoch FROM now())) + 3600", "plusmoin")
    daemon:quiet_rounds(8)
    local ahead = master:sql("SELECT min(tstamp) > (extract(epoch FROM now()) + 3500) * 1000 "
      .. "FROM heartbeat", "plusmoin")
    assert.equal("t", ahead[1][1])
  end)
end)
