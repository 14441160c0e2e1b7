std = "lua54"
max_line_length = 120
files["spec"] = { std = "lua54+busted" }
files["lua/plusmoin/sandbox.lua"] = { ignore = { "122" } } -- it is there to replace standard functions
files["lua/plusmoin/sandbox/reads.lua"] = { ignore = { "122" } } -- so is this
files["tests/hostile"] = { ignore = { "1", "2", "3", "4", "5" } } -- culprits
