/*
 * What Lua is given: the API's primitives, tables of events and clusters, and a state that has them.
 * Host's thread.
 */
#pragma once

#include "script/state.h"

/* NULL state when there is no memory. loop NULL: only to load files. */
bool engine_open(struct engine *engine, uv_loop_t *loop);

/* For short-lived programs: to load files, and to call our own Lua. */
bool engine_open_alone(struct engine *engine);
/* Drops all runs and closes the state; handles close when the loop runs next. */
void engine_close(struct engine *engine);

/* Tables with functions; each is a module that Lua requires. */
int luaopen_plusmoin_coroutines(lua_State *L);
int luaopen_plusmoin_core(lua_State *L);
int luaopen_plusmoin_exec(lua_State *L);
int luaopen_plusmoin_request(lua_State *L);
int luaopen_plusmoin_http(lua_State *L);
int luaopen_plusmoin_query(lua_State *L);
int luaopen_plusmoin_json(lua_State *L);
int luaopen_plusmoin_store(lua_State *L);
int luaopen_plusmoin_libs(lua_State *L);
int luaopen_plusmoin_reads(lua_State *L);

/* Of a run that ends: closes its connections; says how many of its log lines were left out, if any were. */
void query_end_sessions(struct run *run);
void core_log_left_out(struct run *run);
