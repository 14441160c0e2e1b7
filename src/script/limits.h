/*
 * The limits of a run: the hook that counts instructions, the allocator that counts memory, and
 * coroutines that keep to both. Host's thread.
 */
#pragma once

#include "script/run.h"

void *limits_alloc(void *engine, void *block, size_t old_size, size_t new_size);
void limits_set_hook(lua_State *L, int count);
int64_t limits_now_us(void);
/* Notes that the run's slice begins now. */
void limits_begin_slice(struct run *run);
/* Notes in the pulse (state.h) where L is, for the monitor. */
void limits_note_place(lua_State *L, const struct run *run);
/* Called after a C function that may have taken long: ends the slice with the next instruction if its time is over. */
void limits_after_call(lua_State *L, const struct run *run);
/* Writes where L is, as "file:line", in users' code if that is on the stack; "?": that is not known. */
void limits_add_place(lua_State *L, char *out, size_t size);

/* Prepares a coroutine that is about to run as part of `run` (NULL: of none). */
void coroutine_enter(lua_State *co, struct run *run);
