--- A small file system (tmpfs) for a server's write-ahead log, or for a table, to be filled up.
local proc = require "spec.support.proc"

local disk = { mounted = {} }

local MB = 24

local function mount(dir, mb)
  proc.must({ "mount", "-t", "tmpfs", "-o", ("size=%dm,mode=700,uid=%s"):format(mb, proc.user), "none", dir },
    { as_root = true })
  table.insert(disk.mounted, dir)
end

--- Moves the log of `server` to a file system of its own, the server restarted.
function disk.small_wal(server)
  server:stop("fast")
  local wal = server.data .. "/pg_wal"
  proc.must { "mv", wal, server.home .. "/wal" }
  proc.must { "mkdir", "-m", "700", wal }
  mount(wal, MB)
  proc.must { "sh", "-c", 'mv "$1"/* "$2"', "sh", server.home .. "/wal", wal }
  server:start()
end

--- Fills what is left of it.
function disk.fill(server)
  proc.run { "dd", "if=/dev/zero", "of=" .. server.data .. "/pg_wal/filler", "bs=64k" } -- ends by having no room
end

function disk.empty(server)
  os.remove(server.data .. "/pg_wal/filler")
end

--- Moves the beats' table of `server`, a master without slaves, to a file system that has no room for a row; a call
-- of what it returns makes room.
function disk.full_table(server)
  local dir = proc.new_dir("table")
  mount(dir, 1)
  proc.must { "mkdir", "-m", "700", dir .. "/space" }
  server:sql(("CREATE TABLESPACE small LOCATION '%s/space'"):format(dir))
  -- filled under the lock: no beat takes a page before
  server:sql(("BEGIN; TRUNCATE heartbeat; ALTER TABLE heartbeat SET TABLESPACE small;"
    .. "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; dd if=/dev/zero of=%s/filler bs=8k 2>/dev/null; true'; COMMIT")
    :format(dir), "plusmoin")
  return function() os.remove(dir .. "/filler") end
end

--- Has `master` write until the log of `server` has no room: a master ends itself then, a slave's receiver gives up.
function disk.write_until_full(server, master)
  for i = 1, 60 do
    pcall(master.sql, master, ("CREATE TABLE full%d AS SELECT generate_series(1, 20000)"):format(i), "plusmoin")
    if server:log():find("No space left on device", 1, true) then
      return
    end
  end
  error("its log still has room: " .. server:log(), 0)
end

--- Takes away all that is mounted, from under servers that still run, if there are any.
function disk.restore()
  for _, wal in ipairs(disk.mounted) do
    proc.must({ "umount", "-l", wal }, { as_root = true })
  end
  disk.mounted = {}
end

return disk
