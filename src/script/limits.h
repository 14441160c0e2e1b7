/*
 * The limits of a run: the hook that counts instructions, the allocator that counts memory, and
 * coroutines that keep to both. Host's thread.
 */
#pragma once

#include "script/run.h"

void *limits_alloc(void *engine, void *block, size_t old_size, size_t new_size);
void limits_set_hook(lua_State *L, int count);
int64_t limits_now_us(void);
/* Notes where L is, for the monitor. */
void limits_note_place(lua_State *L, const struct run *run);
/* After a call that may have taken long: a slice that is over ends at once, not after more instructions. */
void limits_after_call(lua_State *L, const struct run *run);
/* Writes "file:line" of where L is, in users' code if it is in such; "?" if that is unknown. */
void limits_add_place(lua_State *L, char *out, size_t size);

/* A coroutine is about to run as part of `run` (NULL: of none). */
void coroutine_enter(lua_State *co, struct run *run);
