/* plusmoin lua-types: writes the definitions by which editors know the API (lua/plusmoin/lua_types.lua). */
#pragma once

/*
 * Writes into `dir`, whose last component is made where it is missing. NULL: into .plusmoin-lua-types in the working
 * directory, with .luarc.json beside it. Returns an exit status, after a message where it is not 0.
 */
int command_lua_types(const char *dir);
