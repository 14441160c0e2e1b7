/*
 * The functions of a load, by number: those of its actions in order, each function once, so that
 * every host that is made of the load knows them by the same numbers. Host's thread.
 */
#pragma once

#include <lua.h>
#include <stdint.h>

/* The number of the function at the top, which is popped; the same for the same function. */
int functions_add(lua_State *L);

/* Pushes the function of this number. */
void functions_push(lua_State *L, int number);

/*
 * What the function at the top is made of, as a hash: its code, and of its upvalues the functions, texts
 * and truths; not numbers, which count and tell times. The same files give the same in every host.
 */
uint64_t functions_code(lua_State *L);
