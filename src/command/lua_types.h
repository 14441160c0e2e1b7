/* plusmoin lua-types: writes the definitions by which editors know the API (lua/plusmoin/lua_types.lua). */
#pragma once

/*
 * `dir`: where to, the last component is made where it is missing; NULL: .plusmoin-lua-types in the working
 * directory, and .luarc.json beside it. An exit status, after a message where it is not 0.
 */
int command_lua_types(const char *dir);
