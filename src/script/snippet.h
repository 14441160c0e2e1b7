/*
 * Code that somebody typed at a console, as a run: lua/plusmoin/session.lua keeps each session's variables in the
 * state, compiles what is typed, and prints what it returns. Host's thread.
 */
#pragma once

#include "script/state.h"

/* Pushes the function that runs the job's code, and its arguments; how many these are. Raises Lua's errors. */
int snippet_push(lua_State *L, const struct job *job);

/* The run of the job's code has ended: what it printed and returned becomes the job's. */
void snippet_take(struct engine *engine, struct job *job);

/* The session has ended: its variables go. */
void snippet_forget(struct engine *engine, const char *session);
