#include "script/functions.h"

#include <lauxlib.h>
#include <stdbool.h>

#define TABLE "plusmoin.functions" /* in the registry: number -> function, function -> number */
#define DEEPEST 50 /* how deep the upvalues of upvalues are followed */
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

int functions_add(lua_State *L)
{
	int number;

	luaL_getsubtable(L, LUA_REGISTRYINDEX, TABLE); /* function table */
	lua_insert(L, -2);
	lua_pushvalue(L, -1);
	lua_rawget(L, -3); /* table function number */
	number = (int)lua_tointeger(L, -1);
	lua_pop(L, 1);
	if (number == 0) {
		number = (int)lua_rawlen(L, -2) + 1;
		lua_pushvalue(L, -1);
		lua_rawseti(L, -3, number); /* table function */
		lua_pushinteger(L, number);
		lua_rawset(L, -3); /* table */
		lua_pop(L, 1);
	} else {
		lua_pop(L, 2);
	}
	return number;
}

void functions_push(lua_State *L, int number)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, TABLE);
	lua_rawgeti(L, -1, number);
	lua_remove(L, -2);
}

/* A lua_Writer: FNV-1a. */
static int add_bytes(lua_State *L, const void *bytes, size_t len, void *data)
{
	const unsigned char *at = bytes;
	uint64_t *code = data;

	(void)L;
	for (size_t i = 0; i < len; i++)
		*code = (*code ^ at[i]) * FNV_PRIME;
	return 0;
}

/* Whether the value at the top is in the set, to which it is added. */
static bool is_known(lua_State *L, int set)
{
	bool known;

	lua_pushvalue(L, -1);
	lua_rawget(L, set);
	known = lua_toboolean(L, -1) != 0;
	lua_pop(L, 1);
	if (!known) {
		lua_pushvalue(L, -1);
		lua_pushboolean(L, 1);
		lua_rawset(L, set);
	}
	return known;
}

/* Adds a string or a boolean, by which a function differs from others of the same code. */
static void add_plain(lua_State *L, uint64_t *code)
{
	size_t len;
	const char *text;

	if (lua_type(L, -1) == LUA_TSTRING) {
		text = lua_tolstring(L, -1, &len);
		(void)add_bytes(L, text, len, code);
	} else if (lua_type(L, -1) == LUA_TBOOLEAN) {
		(void)add_bytes(L, lua_toboolean(L, -1) ? "t" : "f", 1, code);
	}
}

/* Adds the function at the top, which stays there, unless `seen` (a set on the stack) has it. */
static void add_function(lua_State *L, int seen, int depth, uint64_t *code)
{
	if (lua_iscfunction(L, -1) || depth > DEEPEST || is_known(L, seen))
		return;
	luaL_checkstack(L, 8, NULL);
	(void)lua_dump(L, add_bytes, code, 0);
	for (int i = 1; lua_getupvalue(L, -1, i) != NULL; i++) {
		if (lua_isfunction(L, -1))
			add_function(L, seen, depth + 1, code);
		else
			add_plain(L, code);
		lua_pop(L, 1);
	}
}

uint64_t functions_code(lua_State *L)
{
	uint64_t code = FNV_BASIS;

	lua_newtable(L);
	lua_insert(L, -2); /* seen function */
	add_function(L, lua_gettop(L) - 1, 0, &code);
	lua_remove(L, -2);
	return code;
}
