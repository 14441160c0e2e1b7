--- The findings of `plusmoin check` about one node: how they are noted, and words that cures share.
local findings = {}

--- Two functions (cure, text, ...) that note a problem, and advice, of the node. `cure`: the line that mends it; nil
-- or false: there is none; it is printed as it is. The text is a format where more follows.
function findings.of(node)
  local function add(fatal, cure, text, ...)
    text = select("#", ...) > 0 and text:format(...) or text
    node.findings[#node.findings + 1] = { fatal = fatal, text = text, cure = cure }
    node.ok = node.ok and not fatal
  end
  return function(cure, text, ...) add(true, cure, text, ...) end,
    function(cure, text, ...) add(false, cure, text, ...) end
end

--- The SQL, and where it is to be run.
function findings.in_database(node, sql)
  return ("in database %s: %s"):format(node.dbname, sql)
end

return findings
