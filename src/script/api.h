/*
 * The C half of the Lua API: opens the Lua state of an engine (state.h), and lists the modules that it has.
 * Host's thread.
 */
#pragma once

#include "script/state.h"

/* Opens the state; `loop` NULL: it only loads files. False: there was no memory, or an error, which is logged. */
bool engine_open(struct engine *engine, uv_loop_t *loop);

/* Opens an engine for a short-lived program, which loads files and calls plusmoin's own Lua. */
bool engine_open_alone(struct engine *engine);

/* Drops all runs and closes the state; handles close when the loop runs next. */
void engine_close(struct engine *engine);

/* Each pushes the table of a module, as `require` calls it. */
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

/* Closes the connections of a run that ends. */
void query_end_sessions(struct run *run);

/* Logs how many log lines of the run were left out since this was last logged, if any were. */
void core_log_left_out(struct run *run);
