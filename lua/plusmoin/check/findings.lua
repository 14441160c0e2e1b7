--- The findings of `plusmoin check` about one node: how they are noted, and words that cures share.
local findings = {}

--- Returns two functions (cure, text, ...): the first notes a problem of the node, the second advice. `cure` is the
-- line that mends it, printed as it is; nil or false: none is known. `text` is a format when arguments follow it.
function findings.of(node)
  local function add(fatal, cure, text, ...)
    text = select("#", ...) > 0 and text:format(...) or text
    node.findings[#node.findings + 1] = { fatal = fatal, text = text, cure = cure }
    node.ok = node.ok and not fatal
  end
  return function(cure, text, ...) add(true, cure, text, ...) end,
    function(cure, text, ...) add(false, cure, text, ...) end
end

--- Returns the SQL with the name of the database in which it must run.
function findings.in_database(node, sql)
  return ("in database %s: %s"):format(node.dbname, sql)
end

return findings
