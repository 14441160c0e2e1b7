--- The matrix's rows of full disks: the write-ahead log on a small file system (spec/support/faults.lua).
local disk = require "spec.support.disk"

return {
  { name = "disk of the log full", mounts = true, settings = { max_sync_delay = 1.5, recover_sync_delay = 1.5 },
    prepare = function(server) disk.small_wal(server) end,
    strike = function(server, cell)
      disk.fill(server)
      disk.write_until_full(server, cell.master)
    end, mend = function(server)
      disk.empty(server)
      if not server.process:running() then
        server:start()
      end
    end, down = { master = true, slave = "lag" }, rule = { slave = "S2" } },
}
