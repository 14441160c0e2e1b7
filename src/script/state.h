/*
 * A Lua state with the standard libraries and the embedded modules. LUA_PATH and
 * its kin are ignored; "./" is not searched. For development PLUSMOIN_LUA names
 * a directory that replaces the embedded modules; ignored for root.
 */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* NULL when there is no memory. The caller closes it. */
lua_State *state_new(void);
