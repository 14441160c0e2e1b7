/*
 * Numbers the functions of a load's actions in their order, each function once. So every host that is made of the
 * load has the same numbers. Host's thread.
 */
#pragma once

#include <lua.h>
#include <stdint.h>

/* Pops a function and returns its number; the same function always has the same one. */
int functions_add(lua_State *L);

/* Pushes the function of this number. */
void functions_push(lua_State *L, int number);

/*
 * A hash of the function at the top: of its code, and of those of its upvalues that are functions, strings or booleans.
 * Numbers are left out, as they may be counters or times. The same files give the same hash in every host.
 */
uint64_t functions_code(lua_State *L);
