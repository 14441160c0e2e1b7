/* For verbs that use Lua: gets one of our modules, or an answer as a table. Call inside a protected call. */
#pragma once

#include <lua.h>

/* Pushes what require "plusmoin.NAME" returns; raises. */
void module_push(lua_State *L, const char *name);

/* Pushes the JSON text at `index` as a table; raises. */
void module_push_json(lua_State *L, int index);
