/*
 * plusmoin.libs: the parts of the sandbox that have to be written in C. A standard function that may take long
 * in one call notes its caller's line before, and lets other runs in afterwards. Host's thread.
 */
#include "script/api.h"
#include "script/limits.h"

/* upvalue 1: the standard function, in whose place this stands */
static int noted(lua_State *L)
{
	const struct run *run = run_of(L);
	lua_CFunction function = lua_tocfunction(L, lua_upvalueindex(1));
	int count;

	if (run != NULL)
		limits_note_place(L, run);
	count = function(L);
	if (run != NULL)
		limits_after_call(L, run);
	return count;
}

/* note(f): wraps f, a C function without upvalues, so that it first notes its caller's line for the monitor. */
static int libs_note(lua_State *L)
{
	luaL_argcheck(L, lua_iscfunction(L, 1) && lua_getupvalue(L, 1, 1) == NULL, 1,
		      "C function without upvalues expected");
	lua_settop(L, 1);
	lua_pushcclosure(L, noted, 1);
	return 1;
}

/* protect(name): gives the metatable of that name in the registry a __metatable. */
static int libs_protect(lua_State *L)
{
	if (luaL_getmetatable(L, luaL_checkstring(L, 1)) == LUA_TTABLE) {
		lua_pushboolean(L, 0);
		lua_setfield(L, -2, "__metatable");
	}
	return 0;
}

/* set_globals(t): makes t the _ENV of chunks that are loaded from now on. */
static int libs_set_globals(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	return 0;
}

int luaopen_plusmoin_libs(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "note", libs_note },
		{ "protect", libs_protect },
		{ "set_globals", libs_set_globals },
		{ NULL, NULL },
	};

	luaL_newlib(L, functions);
	return 1;
}
