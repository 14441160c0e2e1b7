/*
 * Snippets are code that somebody typed at a console, which runs like a trigger's function. lua/plusmoin/session.lua
 * keeps each session's variables in the Lua state, compiles what is typed, and prints what it returns. Host's thread.
 */
#pragma once

#include "script/state.h"

/* Pushes the function that runs the job's code, and its arguments; returns how many these are. Raises Lua's errors. */
int snippet_push(lua_State *L, const struct job *job);

/* Stores in the job, whose code has ended, what that printed and returned. */
void snippet_take(struct engine *engine, struct job *job);

/* Drops the variables of a session that has ended. */
void snippet_forget(struct engine *engine, const char *session);
