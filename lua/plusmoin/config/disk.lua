--- Reads files for a load, up to a bound, and makes paths absolute.
local disk = {}

--- Returns the content of a file of at most `max_bytes`; or nil, what is wrong in words,
-- and errno where the file could not be opened. `foreign` (optional; handle, path ->
-- boolean) is true for a file that must not be read.
function disk.read(path, max_bytes, foreign)
  local handle, err, code = io.open(path, "rb")
  if not handle then
    return nil, "cannot be read: " .. err:gsub("^.*: ", ""), code
  end
  if foreign and foreign(handle, path) then
    handle:close()
    return nil, "can be changed by others than root, and daemon_user is root; allowed: a file of root's, mode 0644"
  end
  local text, read_err = handle:read(max_bytes + 1)
  handle:close()
  if not text and read_err then
    return nil, "cannot be read: " .. read_err
  elseif text and #text > max_bytes then
    return nil, ("is too big; allowed: %d MiB"):format(max_bytes // 1048576)
  end
  return text or ""
end

--- Returns the path of `name` below the directory `dir`. An absolute name stays as it is,
-- and so does any name where `dir` is "".
function disk.join(dir, name)
  if name:sub(1, 1) == "/" or dir == "" then
    return name
  end
  return (dir == "/" and "/" or dir .. "/") .. name:gsub("^%./+", "")
end

--- Returns the directory of a file, absolute where `cwd` (absolute) is given; "" where it
-- is the working directory and `cwd` is nil.
function disk.directory(path, cwd)
  local dir = path:match("^(.*)/[^/]*$")
  if path:sub(1, 1) == "/" then
    return dir == "" and "/" or dir
  end
  dir = dir and dir:gsub("^%./+", ""):gsub("^%.$", "") or ""
  if not cwd then
    return dir
  elseif dir == "" then
    return cwd
  end
  return disk.join(cwd, dir)
end

return disk
