-- A manual page in roff, put together line by line; for tests/tools/man.lua.
local roff = {}

-- Text as roff has it: `code` is bold; no line begins with a control character.
function roff.text(text)
  text = text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("`([^`]*)`", "\\fB%1\\fR")
  return (text:gsub("^[.']", "\\&%0"):gsub("\n([.'])", "\n\\&%1"))
end

local page = {}

function roff.put(line)
  page[#page + 1] = line
end

--- All that was put, as one text.
function roff.page()
  return table.concat(page, "\n")
end

function roff.section(title)
  roff.put(".SH " .. title)
end

function roff.paragraphs(...)
  for _, text in ipairs { ... } do
    roff.put(".PP")
    roff.put(roff.text(text))
  end
end

-- A term (already roff) and what it means, in one paragraph or more.
function roff.entry(term, ...)
  roff.put(".TP")
  roff.put(term)
  for i, text in ipairs { ... } do
    if i > 1 then
      roff.put(".br")
    end
    roff.put(roff.text(text))
  end
end

function roff.bold(text)
  return "\\fB" .. roff.text(text) .. "\\fR"
end

function roff.example(text)
  roff.put(".PP\n.RS 4\n.nf")
  roff.put((roff.text(text):gsub("\n$", "")))
  roff.put(".fi\n.RE")
end

-- The last section: the names of other pages, "plusmoin(8)".
function roff.see_also(...)
  roff.section("SEE ALSO")
  local names = {}
  for i, name in ipairs { ... } do
    names[i] = roff.text(name):gsub("^[^(]+", "\\fB%0\\fR")
  end
  roff.put(table.concat(names, ", "))
end

function roff.list(title, rows)
  roff.section(title)
  for _, row in ipairs(rows) do
    roff.entry(roff.bold(row.name), row.doc)
  end
end

return roff
