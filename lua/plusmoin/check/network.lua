--- Judges whether plusmoin could tell a cut of its own network from the loss of nodes, by the anchors that
-- src/command/anchors.c has tried.
local network = {}

local function anchors_text(config)
  return config.hosts == 0 and "" or config.hosts == 1 and "one other machine" or "two other machines"
end

--- Judges `config`, of which it reads hosts, anchors, acts_on_master_down and acts_on_isolated. Returns a list of
-- findings {path, text, cure, fatal}.
function network.judge(config)
  local found = {}
  local function advise(path, cure, text)
    found[#found + 1] = { path = path, text = text, cure = cure, fatal = false }
  end
  for i, anchor in ipairs(config.anchors or {}) do
    if not anchor.heard then
      advise(("isolation_anchors[%d]"):format(i), "an address that always answers, or refuses, from here: a gateway, "
        .. "a name server", ("%s does not answer now: its silence cannot show that plusmoin is cut off")
          :format(anchor.text))
    end
  end
  local hosts = config.hosts or 0
  if hosts > 0 and hosts < 3 and #(config.anchors or {}) == 0 then
    advise("isolation_anchors", 'isolation_anchors = ["GATEWAY:53"]: what always answers, or refuses, from here',
      ("the nodes are on %s: plusmoin cannot always tell whether they are dead or it is cut off itself")
        :format(anchors_text(config)))
  end
  if hosts > 0 and config.acts_on_master_down and not config.acts_on_isolated then
    advise("triggers.monitor_isolated", "a trigger that tells whoever is on call",
      "nothing runs when plusmoin is cut off from all other hosts: nobody is told that it cannot watch")
  end
  return found
end

return network
