-- README.md and the manual pages of conf/man: how long they are, and where their links lead.
local PAGES = { "rules", "triggers", "recipes", "window", "monitors", "operations" }

local function read(path)
  local file = assert(io.open(path), path)
  local text = file:read("a")
  file:close()
  return text
end

local function path_of(page)
  return ("conf/man/plusmoin-%s.7.md"):format(page)
end

-- The lines outside of blocks of code, with their numbers.
local function prose(text)
  local list, number, is_code = {}, 0, false
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    is_code = is_code ~= (line:find("^```") ~= nil)
    list[#list + 1] = not is_code and { number = number, text = line } or nil
  end
  return list
end

-- The names by which a forge links to the headings.
local function anchors(text)
  local found = {}
  for _, line in ipairs(prose(text)) do
    local title = line.text:match("^#+ (.+)$")
    if title then
      found[title:lower():gsub("[^%w %-_]", ""):gsub(" ", "-")] = true
    end
  end
  return found
end

local function check_links(path)
  local text = read(path)
  local here = anchors(text)
  for target in text:gmatch("%]%(([^)]+)%)") do
    local file, anchor = target:match("^([^#]*)#?(.*)$")
    if file == "" then
      assert.is_true(here[anchor], path .. ": " .. target)
    elseif not file:find("^https?:") then
      local there = anchors(read(path:match("^(.-)[^/]*$") .. file))
      assert.is_true(anchor == "" or there[anchor], path .. ": " .. target)
    end
  end
end

local function check_width(path)
  for _, line in ipairs(prose(read(path))) do
    -- a row of a table is one line; README's fit nevertheless
    if path == "README.md" or not line.text:find("^|") then
      assert.is_true(utf8.len(line.text) <= 120, ("%s:%d"):format(path, line.number))
    end
  end
end

local function check_paragraphs(path)
  local lines = 0
  for _, line in ipairs(prose(read(path))) do
    local is_text = line.text ~= "" and not line.text:find("^[|#<]") and not line.text:find("^    ")
    lines = is_text and (line.text:find("^%s?[-%d]%.? ") and 1 or lines + 1) or 0
    assert.is_true(lines <= 5, ("%s:%d: a paragraph of more than five lines"):format(path, line.number))
  end
end

describe("README", function()
  it("has less than 600 lines", function()
    local _, lines = read("README.md"):gsub("\n", "")
    assert.is_true(lines < 600)
  end)

  it("has short lines and paragraphs, and links that lead somewhere", function()
    check_width("README.md")
    check_paragraphs("README.md")
    check_links("README.md")
  end)

  it("names the manual pages that there are", function()
    local readme = read("README.md")
    for _, page in ipairs(PAGES) do
      assert.truthy(readme:find(path_of(page), 1, true), page)
    end
    for page in readme:gmatch("plusmoin%-(%l+)%(7%)") do
      assert.truthy(page == "lua" or io.open(path_of(page)), page)
    end
  end)
end)

describe("the manual pages", function()
  it("have short lines and paragraphs, and links that lead somewhere", function()
    for _, page in ipairs(PAGES) do
      check_width(path_of(page))
      check_paragraphs(path_of(page))
      check_links(path_of(page))
    end
  end)
end)
