/* Makes the tables of events, clusters and nodes that Lua sees (contract.md, "Lua triggers"). Host's thread. */
#pragma once

#include <lua.h>

#include "core/view.h"

/* The name in the registry of the metatable of tables that pm.json writes as arrays, also when they are empty. */
#define ARRAY_MARK "plusmoin.array"

/* Push one table. */
void tables_push_event(lua_State *L, const struct event *event);
void tables_push_cluster(lua_State *L, const struct view *view, const struct view *others);
