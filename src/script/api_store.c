/*
 * plusmoin.store: the values of pm.state, copied out of a Lua state and into
 * one (contract.md, "Lua triggers"). Does not wait. Host's thread; the bytes
 * are kept by shared.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "script/api.h"
#include "script/state.h"

#define MOST_DEPTH 100

/* The tags of values as bytes; each value begins with one. The bytes never leave the process. */
enum tag { TAG_FALSE = 'f', TAG_TRUE = 't', TAG_INTEGER = 'i', TAG_FLOAT = 'd', TAG_STRING = 's',
	   TAG_TABLE = '{', TAG_END = '}', TAG_NULL = '0' };

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

static void pack(lua_State *L, struct buf *out, int depth);

static void pack_string(lua_State *L, struct buf *out)
{
	size_t len;
	const char *text = lua_tolstring(L, -1, &len);

	buf_add_char(out, TAG_STRING);
	buf_add(out, &len, sizeof(len));
	buf_add(out, text, len);
}

static void pack_number(lua_State *L, struct buf *out)
{
	lua_Integer integer = lua_tointeger(L, -1);
	lua_Number number = lua_tonumber(L, -1);

	buf_add_char(out, lua_isinteger(L, -1) ? TAG_INTEGER : TAG_FLOAT);
	if (lua_isinteger(L, -1))
		buf_add(out, &integer, sizeof(integer));
	else
		buf_add(out, &number, sizeof(number));
}

static void pack_table(lua_State *L, struct buf *out, int depth)
{
	buf_add_char(out, TAG_TABLE);
	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		lua_pushvalue(L, -2);
		pack(L, out, depth + 1);
		lua_pop(L, 1);
		pack(L, out, depth + 1);
		lua_pop(L, 1);
	}
	buf_add_char(out, TAG_END);
}

/* Appends the value at the top, which stays there. Raises if it cannot be kept. */
static void pack(lua_State *L, struct buf *out, int depth)
{
	if (depth > MOST_DEPTH)
		luaL_error(L, "pm.state: nested deeper than %d (a cycle?)", MOST_DEPTH);
	if (out->len > STORE_BYTES)
		luaL_error(L, "pm.state holds 1 MiB in all: this value is bigger");
	luaL_checkstack(L, 8, NULL);
	switch (lua_type(L, -1)) {
	case LUA_TBOOLEAN:
		buf_add_char(out, lua_toboolean(L, -1) ? TAG_TRUE : TAG_FALSE);
		break;
	case LUA_TNUMBER:
		pack_number(L, out);
		break;
	case LUA_TSTRING:
		pack_string(L, out);
		break;
	case LUA_TTABLE:
		pack_table(L, out, depth);
		break;
	default:
		if (lua_type(L, -1) != LUA_TLIGHTUSERDATA || lua_touserdata(L, -1) != NULL)
			luaL_error(L, "pm.state keeps plain values: a %s is none",
				   luaL_typename(L, -1));
		buf_add_char(out, TAG_NULL);
		break;
	}
}

static void unpack(lua_State *L, const char **at);

static void unpack_table(lua_State *L, const char **at)
{
	lua_newtable(L);
	while (**at != TAG_END) {
		unpack(L, at);
		unpack(L, at);
		lua_rawset(L, -3);
	}
	(*at)++;
}

static void take(const char **at, void *out, size_t size)
{
	memcpy(out, *at, size);
	*at += size;
}

static void unpack(lua_State *L, const char **at)
{
	enum tag tag = (enum tag) * (*at)++;
	lua_Integer integer;
	lua_Number number;
	size_t len;

	luaL_checkstack(L, 8, NULL);
	switch (tag) {
	case TAG_FALSE:
	case TAG_TRUE:
		lua_pushboolean(L, tag == TAG_TRUE);
		break;
	case TAG_INTEGER:
		take(at, &integer, sizeof(integer));
		lua_pushinteger(L, integer);
		break;
	case TAG_FLOAT:
		take(at, &number, sizeof(number));
		lua_pushnumber(L, number);
		break;
	case TAG_STRING:
		take(at, &len, sizeof(len));
		lua_pushlstring(L, *at, len);
		*at += len;
		break;
	case TAG_TABLE:
		unpack_table(L, at);
		break;
	case TAG_NULL:
	case TAG_END:
		lua_pushlightuserdata(L, NULL);
		break;
	}
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
	const char *at;

	held->data = shared_get(shared_of(L), key, key_len, &held->len);
	if (held->data == NULL) {
		lua_pushnil(L);
		return 1;
	}
	at = held->data;
	unpack(L, &at);
	buf_free(held);
	return 1;
}

/* set(key, value): keeps a deep copy, nil removes. Raises when it is too big or not plain. */
static int store_set(lua_State *L)
{
	size_t key_len;
	const char *key;
	struct buf *out;
	size_t len;

	luaL_argcheck(L, lua_type(L, 1) == LUA_TSTRING, 1, "pm.state has names as keys");
	key = lua_tolstring(L, 1, &key_len);
	luaL_checkany(L, 2);
	if (lua_isnil(L, 2)) {
		(void)shared_set(shared_of(L), key, key_len, NULL, 0);
		return 0;
	}
	lua_settop(L, 2);
	out = push_buf(L);
	lua_insert(L, 2); /* key bytes value */
	pack(L, out, 0);
	len = out->len;
	if (!shared_set(shared_of(L), key, key_len, buf_steal(out), len))
		return luaL_error(L, "pm.state holds 1 MiB in all: there is no room for %s", key);
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
