--- What users are given to read: README.md and the manual pages of conf/man. Specs run what is printed there.
local proc = require "spec.support.proc"

local texts = {}

--- README.md, then the pages, each { path, text }.
function texts.all()
  local list = { "README.md" }
  for name in proc.must({ "ls", "conf/man" }, { as_root = true, cwd = "." }):gmatch("%S+%.md") do
    list[#list + 1] = "conf/man/" .. name
  end
  for i, path in ipairs(list) do
    list[i] = { path = path, text = assert(proc.read_file(path)) }
  end
  return list
end

--- The blocks of code of that language (a pattern: "lua", "lua spec"), each { path, text }, in all of them or in the
-- one with `path`.
function texts.blocks(language, path)
  local found = {}
  for _, one in ipairs(texts.all()) do
    for text in one.text:gmatch("\n```" .. language .. "\n(.-)```") do
      found[#found + 1] = (not path or path == one.path) and { path = one.path, text = text } or nil
    end
  end
  return found
end

--- The block of any language whose first line is a comment with these words alone, in all of them or in the one with
-- `path`; raises when it is not there.
function texts.block(words, path)
  for _, block in ipairs(texts.blocks("[^\n]+", path)) do
    if block.text:match("^[#;/-]+ ([^\n]+)") == words then
      return block.text
    end
  end
  error("no text has a block of " .. words)
end

--- What a pattern finds first in any of them; raises when there is nothing.
function texts.match(pattern)
  for _, one in ipairs(texts.all()) do
    local found = one.text:match(pattern)
    if found then
      return found
    end
  end
  error("no text has " .. pattern)
end

return texts
