/* What verbs need of Lua: one of our modules, and an answer as a table. Inside a protected call. */
#pragma once

#include <lua.h>

/* Pushes what require "plusmoin.NAME" returns; raises. */
void module_push(lua_State *L, const char *name);

/* Pushes the table that the JSON text at `index` is; raises. */
void module_push_json(lua_State *L, int index);
