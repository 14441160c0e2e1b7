/*
 * plusmoin.store: the values of pm.state, copied out of a Lua state and into
 * one (contract.md, "Lua triggers"). Does not wait. Host's thread; the bytes
 * are kept by shared.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "script/api.h"
#include "script/packed.h"
#include "script/run.h"

static int free_text(lua_State *L)
{
	buf_free(lua_touserdata(L, 1));
	return 0;
}

/* Pushes a userdata that holds a buffer, so that an error of Lua's does not lose it. */
static struct buf *push_buf(lua_State *L)
{
	struct buf *buf = lua_newuserdatauv(L, sizeof(*buf), 0);

	*buf = (struct buf){ 0 };
	if (luaL_newmetatable(L, "plusmoin.bytes")) {
		lua_pushcfunction(L, free_text);
		lua_setfield(L, -2, "__gc");
		lua_pushboolean(L, 0);
		lua_setfield(L, -2, "__metatable");
	}
	lua_setmetatable(L, -2);
	return buf;
}

static struct shared *shared_of(lua_State *L)
{
	struct shared *shared = engine_of(L)->shared;

	if (shared == NULL)
		luaL_error(L, "pm.state can only be used while plusmoin runs");
	return shared;
}

/* get(key): a deep copy of the value, nil if there is none. */
static int store_get(lua_State *L)
{
	size_t key_len;
	const char *key = luaL_checklstring(L, 1, &key_len);
	struct buf *held = push_buf(L);

	held->data = shared_get(shared_of(L), key, key_len, &held->len);
	if (held->data == NULL) {
		lua_pushnil(L);
		return 1;
	}
	packed_push(L, held->data, held->len);
	buf_free(held);
	return 1;
}

/* Why an assignment is refused; SHARED_FULL names the name. */
static const char *refusal_of(enum shared_result result)
{
	switch (result) {
	case SHARED_FULL:
		return "pm.state holds 1 MiB in all: there is no room for %s";
	case SHARED_CHANGES_FULL:
		return "pm.state: what triggers that still run have changed takes more than 2 MiB, with 128 bytes a value"
		       " beside it; etcd gets it when they end";
	case SHARED_MANY:
		return "pm.state holds 16384 values at most where there are several monitors";
	case SHARED_LONG:
		return "pm.state: a name has at most 1024 bytes where there are several monitors";
	case SHARED_LOADS:
		return "pm.state can only be changed while plusmoin runs, not while a configuration is loaded";
	case SHARED_SHUT:
		return "pm.state: this monitor does not act, and only the one that acts may change pm.state";
	case SHARED_OVER:
		return "pm.state: this run was ended, and changes no more";
	case SHARED_DONE:
		break;
	}
	return NULL;
}

/* Gives the bytes to all hosts, or raises. Takes them over; NULL removes the value. */
static void keep(lua_State *L, struct shared *shared, const char *key, size_t key_len, char *bytes, size_t len)
{
	const struct run *run = run_of(L);
	const char *refusal =
		refusal_of(shared_set(shared, run != NULL ? run->job : NULL, key, key_len, bytes, len));

	if (refusal != NULL)
		luaL_error(L, refusal, key);
}

/* set(key, value): keeps a deep copy, nil removes. Raises when it is too big or not plain, or may not be changed. */
static int store_set(lua_State *L)
{
	size_t key_len;
	struct shared *shared = shared_of(L);
	const char *key;
	struct buf *out;
	size_t len;

	luaL_argcheck(L, lua_type(L, 1) == LUA_TSTRING, 1, "pm.state has names as keys");
	key = lua_tolstring(L, 1, &key_len);
	luaL_checkany(L, 2);
	if (lua_isnil(L, 2)) {
		keep(L, shared, key, key_len, NULL, 0);
		return 0;
	}
	lua_settop(L, 2);
	out = push_buf(L);
	lua_insert(L, 2); /* key bytes value */
	packed_add(L, out, STORE_BYTES);
	len = out->len;
	keep(L, shared, key, key_len, buf_steal(out), len);
	return 0;
}

/* next(key): the key after this one (nil: the first) and its value; nil at the end. */
static int store_next(lua_State *L)
{
	size_t key_len = 0;
	const char *key = luaL_optlstring(L, 1, NULL, &key_len);
	struct buf *held;

	lua_settop(L, 1);
	held = push_buf(L);
	held->data = shared_next(shared_of(L), key, key_len, &held->len);
	if (held->data == NULL)
		return 0;
	lua_pushlstring(L, held->data, held->len);
	buf_free(held);
	lua_replace(L, 1);
	lua_settop(L, 1);
	(void)store_get(L);
	lua_pushvalue(L, 1);
	lua_insert(L, -2);
	return 2;
}

int luaopen_plusmoin_store(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "get", store_get }, { "set", store_set }, { "next", store_next }, { NULL, NULL },
	};

	luaL_newlib(L, functions);
	return 1;
}
