/*
 * plusmoin.jansson: JSON by libjansson for pm.json (contract.md): arrays stay
 * arrays, integers integers, null is cjson's null. Does not wait. Host's thread.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "script/api.h"
#include "script/tables.h"

#define MOST_BYTES ((size_t)16 << 20) /* of a text; its tree takes some ten times as much memory */
#define MOST_DEPTH 100

/* Pushes a userdata to hold the parsed tree, so that an error of Lua's does not lose it. */
static json_t **push_holder(lua_State *L)
{
	json_t **held = lua_newuserdatauv(L, sizeof(json_t *), 0);

	*held = NULL;
	luaL_setmetatable(L, "plusmoin.jansson");
	return held;
}

static int free_holder(lua_State *L)
{
	json_t **held = lua_touserdata(L, 1);

	json_decref(*held);
	*held = NULL;
	return 0;
}

static void push_value(lua_State *L, json_t *value);

static void push_array(lua_State *L, json_t *array)
{
	size_t count = json_array_size(array);

	lua_createtable(L, (int)count, 0);
	luaL_setmetatable(L, ARRAY_MARK);
	for (size_t i = 0; i < count; i++) {
		push_value(L, json_array_get(array, i));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

static void push_object(lua_State *L, json_t *object)
{
	lua_createtable(L, 0, (int)json_object_size(object));
	for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
		lua_pushstring(L, json_object_iter_key(at));
		push_value(L, json_object_iter_value(at));
		lua_rawset(L, -3);
	}
}

static void push_value(lua_State *L, json_t *value)
{
	luaL_checkstack(L, 4, "JSON nested too deeply");
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		push_object(L, value);
		break;
	case JSON_ARRAY:
		push_array(L, value);
		break;
	case JSON_STRING:
		lua_pushlstring(L, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		lua_pushinteger(L, json_integer_value(value));
		break;
	case JSON_REAL:
		lua_pushnumber(L, json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		lua_pushboolean(L, json_is_true(value));
		break;
	case JSON_NULL:
		lua_pushlightuserdata(L, NULL);
		break;
	}
}

/* decode(text): the value, or nil and a message with line and column. */
static int decode(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	json_error_t error;
	json_t **held;

	luaL_argcheck(L, len <= MOST_BYTES, 1, "more than 16 MiB of JSON");
	held = push_holder(L);
	*held = json_loadb(text, len, JSON_DECODE_ANY, &error);
	if (*held == NULL) {
		lua_pushnil(L);
		lua_pushfstring(L, "line %d, column %d: %s", error.line, error.column, error.text);
		return 2;
	}
	push_value(L, *held);
	json_decref(*held);
	*held = NULL;
	return 1;
}

static void add_value(lua_State *L, struct buf *out, int depth);

static void add_string(lua_State *L, struct buf *out)
{
	size_t len;
	const char *text = lua_tolstring(L, -1, &len);

	buf_add_char(out, '"');
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)text[i];
		size_t n = text_char_len(text + i, len - i);

		if (n == 0)
			buf_add_str(out, "\xEF\xBF\xBD");
		else if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c < 0x20)
			buf_addf(out, "\\u%04x", c);
		else
			buf_add(out, text + i, n);
		i += n > 0 ? n : 1;
	}
	buf_add_char(out, '"');
}

static void add_number(lua_State *L, struct buf *out)
{
	lua_Number number = lua_tonumber(L, -1);

	if (lua_isinteger(L, -1))
		buf_addf(out, LUA_INTEGER_FMT, lua_tointeger(L, -1));
	else if (!isfinite(number))
		luaL_error(L, "pm.json.encode: %f cannot be JSON", number);
	else
		buf_addf(out, number == floor(number) && fabs(number) < 1e15 ? "%.1f" : "%.17g",
			 number);
}

static bool is_array(lua_State *L)
{
	bool marked = lua_getmetatable(L, -1) != 0;

	if (marked) {
		luaL_getmetatable(L, ARRAY_MARK);
		marked = lua_rawequal(L, -1, -2) != 0;
		lua_pop(L, 2);
	}
	return marked || lua_rawlen(L, -1) > 0;
}

static void add_array(lua_State *L, struct buf *out, int depth)
{
	size_t count = lua_rawlen(L, -1);
	size_t seen = 0;

	for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1))
		seen++;
	if (seen != count)
		luaL_error(L, "pm.json.encode: a table that mixes a list with other keys, or has holes");
	buf_add_char(out, '[');
	for (size_t i = 1; i <= count; i++) {
		if (i > 1)
			buf_add_char(out, ',');
		lua_rawgeti(L, -1, (lua_Integer)i);
		add_value(L, out, depth + 1);
		lua_pop(L, 1);
	}
	buf_add_char(out, ']');
}

/* Pushes the sorted list of the table's keys, so that equal tables make equal texts. */
static void push_keys(lua_State *L)
{
	lua_Integer count = 0;

	lua_getglobal(L, "table");
	lua_getfield(L, -1, "sort");
	lua_remove(L, -2);
	lua_newtable(L); /* object sort keys */
	for (lua_pushnil(L); lua_next(L, -4) != 0;) {
		lua_pop(L, 1);
		if (lua_type(L, -1) != LUA_TSTRING)
			luaL_error(L, "pm.json.encode: a %s as a key; allowed: strings, or a list",
				   luaL_typename(L, -1));
		lua_pushvalue(L, -1);
		lua_rawseti(L, -3, ++count);
	}
	lua_pushvalue(L, -1);
	lua_insert(L, -3); /* object keys sort keys */
	lua_call(L, 1, 0);
}

static void add_object(lua_State *L, struct buf *out, int depth)
{
	size_t count;

	push_keys(L); /* object keys */
	count = lua_rawlen(L, -1);
	buf_add_char(out, '{');
	for (size_t i = 1; i <= count; i++) {
		if (i > 1)
			buf_add_char(out, ',');
		lua_rawgeti(L, -1, (lua_Integer)i);
		add_string(L, out);
		buf_add_char(out, ':');
		lua_rawget(L, -3);
		add_value(L, out, depth + 1);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	buf_add_char(out, '}');
}

static void add_value(lua_State *L, struct buf *out, int depth)
{
	if (depth > MOST_DEPTH)
		luaL_error(L, "pm.json.encode: nested deeper than %d (a cycle?)", MOST_DEPTH);
	if (out->len > MOST_BYTES)
		luaL_error(L, "pm.json.encode: more than 16 MiB");
	luaL_checkstack(L, 8, NULL);
	switch (lua_type(L, -1)) {
	case LUA_TNIL:
		buf_add_str(out, "null");
		break;
	case LUA_TBOOLEAN:
		buf_add_str(out, lua_toboolean(L, -1) ? "true" : "false");
		break;
	case LUA_TNUMBER:
		add_number(L, out);
		break;
	case LUA_TSTRING:
		add_string(L, out);
		break;
	case LUA_TTABLE:
		if (is_array(L))
			add_array(L, out, depth);
		else
			add_object(L, out, depth);
		break;
	default:
		if (lua_touserdata(L, -1) != NULL || lua_type(L, -1) != LUA_TLIGHTUSERDATA)
			luaL_error(L, "pm.json.encode: a %s cannot be JSON", luaL_typename(L, -1));
		buf_add_str(out, "null");
		break;
	}
}

static int free_text(lua_State *L)
{
	buf_free(lua_touserdata(L, 1));
	return 0;
}

/* encode(value): the text, keys sorted, invalid UTF-8 as U+FFFD. Raises on misuse. */
static int encode(lua_State *L)
{
	struct buf *out;

	luaL_checkany(L, 1);
	lua_settop(L, 1);
	out = lua_newuserdatauv(L, sizeof(*out), 0);
	*out = (struct buf){ 0 };
	luaL_setmetatable(L, "plusmoin.text");
	lua_insert(L, 1); /* text value */
	add_value(L, out, 0);
	lua_pushlstring(L, buf_text(out), out->len);
	buf_free(out);
	return 1;
}

/* array(t): marks `t` (default {}) as an array, also when it is empty; returns it. */
static int array(lua_State *L)
{
	if (lua_isnoneornil(L, 1)) {
		lua_settop(L, 0);
		lua_newtable(L);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	luaL_setmetatable(L, ARRAY_MARK);
	return 1;
}

static void make_metatable(lua_State *L, const char *name, lua_CFunction gc)
{
	luaL_newmetatable(L, name);
	if (gc != NULL) {
		lua_pushcfunction(L, gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

int luaopen_plusmoin_json(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "decode", decode }, { "encode", encode }, { "array", array }, { NULL, NULL },
	};

	make_metatable(L, "plusmoin.jansson", free_holder);
	make_metatable(L, "plusmoin.text", free_text);
	make_metatable(L, ARRAY_MARK, NULL);
	luaL_newlib(L, functions);
	lua_pushlightuserdata(L, NULL);
	lua_setfield(L, -2, "null");
	return 1;
}
