/*
 * Replaces coroutine.resume, wrap and close, xpcall and setmetatable, as the limits
 * require (lua-notes.md, "Stopping a run"): a yield of the hook or of a wait passes
 * through all coroutines of a run up to its first one; nobody else resumes a
 * coroutine that waits; no message handler runs inside the hook; and there is no __gc.
 */
#include "script/api.h"
#include "script/limits.h"

void coroutine_enter(lua_State *co, struct run *run)
{
	coroutine_belongs(co, run);
	limits_set_hook(co, run != NULL && run->doom != DOOM_NONE ? 1 : RUN_HOOK_COUNT);
	if (run != NULL)
		run->innermost = co;
}

static lua_State *thread_at(lua_State *L, int index)
{
	lua_State *co = lua_tothread(L, index);

	luaL_argexpected(L, co != NULL, index, "coroutine");
	return co;
}

static int refuse_parked(lua_State *L, bool wrapped)
{
	static const char text[] =
		"cannot resume a coroutine that waits in another run, or was ended with its run";

	if (wrapped)
		return luaL_error(L, "%s", text);
	lua_pushboolean(L, 0);
	lua_pushstring(L, text);
	return 2;
}

static int give_error(lua_State *L, lua_State *co, bool wrapped)
{
	const struct run *run = run_of(L);

	if (!wrapped) {
		lua_pushboolean(L, 0);
		lua_xmove(co, L, 1);
		return 2;
	}
	if (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD &&
	    (run == NULL || run->doom == DOOM_NONE))
		(void)lua_resetthread(co); /* closes what it has to close */
	lua_xmove(co, L, 1);
	if (lua_type(L, -1) == LUA_TSTRING) {
		luaL_where(L, 1);
		lua_insert(L, -2);
		lua_concat(L, 2);
	}
	return lua_error(L);
}

static int give_results(lua_State *L, lua_State *co, int count, bool wrapped)
{
	if (!lua_checkstack(L, count + 1)) {
		lua_pop(co, count);
		return luaL_error(L, "too many results to resume");
	}
	if (!wrapped)
		lua_pushboolean(L, 1);
	lua_xmove(co, L, count);
	return wrapped ? count : count + 1;
}

static int go_on(lua_State *L, int status, lua_KContext wrapped);

static int resume(lua_State *L, bool wrapped, int nargs)
{
	lua_State *co = lua_tothread(L, wrapped ? lua_upvalueindex(1) : 1);
	struct run *run = run_of(L);
	bool pins = run != NULL && !lua_isyieldable(L);
	int count = 0;
	int status;

	coroutine_enter(co, run);
	if (pins)
		run->pinned++;
	status = lua_resume(co, L, nargs, &count);
	if (pins)
		run->pinned--;
	if (status == LUA_YIELD && run != NULL && run->passing) {
		coroutine_park(co);
		return lua_yieldk(L, 0, wrapped, go_on);
	}
	if (run != NULL)
		run->innermost = L;
	if (status != LUA_OK && status != LUA_YIELD)
		return give_error(L, co, wrapped);
	return give_results(L, co, count, wrapped);
}

static int go_on(lua_State *L, int status, lua_KContext wrapped)
{
	(void)status;
	return resume(L, wrapped != 0, 0);
}

static int begin_resume(lua_State *L, lua_State *co, bool wrapped, int nargs)
{
	if (coroutine_is_parked(co))
		return refuse_parked(L, wrapped);
	if (!lua_checkstack(co, nargs))
		return luaL_error(L, "too many arguments to resume");
	lua_xmove(L, co, nargs);
	return resume(L, wrapped, nargs);
}

static int co_resume(lua_State *L)
{
	return begin_resume(L, thread_at(L, 1), false, lua_gettop(L) - 1);
}

static int call_wrapped(lua_State *L)
{
	return begin_resume(L, lua_tothread(L, lua_upvalueindex(1)), true, lua_gettop(L));
}

static int co_wrap(lua_State *L)
{
	lua_State *co;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	co = lua_newthread(L); /* function ... co */
	lua_pushvalue(L, 1);
	lua_xmove(L, co, 1);
	lua_pushcclosure(L, call_wrapped, 1);
	return 1;
}

/* upvalue 1: the standard function */
static int co_close(lua_State *L)
{
	if (coroutine_is_parked(thread_at(L, 1)))
		return luaL_error(L, "cannot close a coroutine that waits in another run, or was"
				     " ended with its run");
	lua_settop(L, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* upvalue 1: the user's handler, which is not called in a run that must not go on */
static int handle_message(lua_State *L)
{
	const struct run *run = run_of(L);

	if (run != NULL && run->doom != DOOM_NONE)
		return 1;
	lua_settop(L, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1); /* handler message */
	lua_call(L, 1, 1);
	return 1;
}

static int end_xpcall(lua_State *L, int status, lua_KContext extra)
{
	if (status == LUA_OK || status == LUA_YIELD)
		return lua_gettop(L) - (int)extra;
	lua_pushboolean(L, 0);
	lua_insert(L, -2); /* ... false message */
	return 2;
}

static int safe_xpcall(lua_State *L)
{
	int nargs = lua_gettop(L) - 2;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_pushvalue(L, 2);
	lua_pushcclosure(L, handle_message, 1);
	lua_replace(L, 2); /* function handler args */
	lua_pushboolean(L, 1);
	lua_insert(L, 3);
	lua_pushvalue(L, 1);
	lua_insert(L, 4); /* function handler true function args */
	return end_xpcall(L, lua_pcallk(L, nargs, LUA_MULTRET, 2, 2, end_xpcall), 2);
}

static int safe_setmetatable(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
	lua_settop(L, 2);
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "cannot change a protected metatable");
	if (lua_istable(L, 2)) {
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "__gc is not for triggers: nothing can end a collector's"
					     " call; use a <close> variable");
	}
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

/* Pushes { resume =, wrap =, close =, xpcall =, setmetatable = }. */
int luaopen_plusmoin_coroutines(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "resume", co_resume },     { "wrap", co_wrap },
		{ "xpcall", safe_xpcall },   { "setmetatable", safe_setmetatable },
		{ NULL, NULL },
	};

	luaL_newlib(L, functions);
	lua_getglobal(L, "coroutine"); /* lib coroutine */
	lua_getfield(L, -1, "close");
	lua_pushcclosure(L, co_close, 1);
	lua_setfield(L, -3, "close");
	lua_pop(L, 1);
	return 1;
}
