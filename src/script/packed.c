#include "script/packed.h"

#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES 40 /* of a number's text: %a takes 24 at most, an integer 20 */

enum tag { TAG_FALSE = 'f', TAG_TRUE = 't', TAG_INTEGER = 'i', TAG_FLOAT = 'd', TAG_STRING = 's',
	   TAG_TABLE = '{', TAG_END = '}', TAG_NULL = '0' };

struct reader {
	const char *at;
	const char *end;
};

struct token {
	char tag;
	lua_Integer integer;
	lua_Number number;
	const char *text;
	size_t len; /* of the text */
};

/* ---- out of Lua ---- */

static void add_string(lua_State *L, struct buf *out)
{
	size_t len;
	const char *text = lua_tolstring(L, -1, &len);

	buf_addf(out, "%c%zu:", TAG_STRING, len);
	buf_add(out, text, len);
}

static void add_number(lua_State *L, struct buf *out)
{
	if (lua_isinteger(L, -1))
		buf_addf(out, "%c%lld;", TAG_INTEGER, (long long)lua_tointeger(L, -1));
	else
		buf_addf(out, "%c%a;", TAG_FLOAT, lua_tonumber(L, -1));
}

static void add(lua_State *L, struct buf *out, size_t most, int depth);

static void add_table(lua_State *L, struct buf *out, size_t most, int depth)
{
	buf_add_char(out, TAG_TABLE);
	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		lua_pushvalue(L, -2);
		add(L, out, most, depth + 1);
		lua_pop(L, 1);
		add(L, out, most, depth + 1);
		lua_pop(L, 1);
	}
	buf_add_char(out, TAG_END);
}

static void add(lua_State *L, struct buf *out, size_t most, int depth)
{
	if (depth > PACKED_DEPTH)
		luaL_error(L, "pm.state: nested deeper than %d (a cycle?)", PACKED_DEPTH);
	if (out->len > most)
		luaL_error(L, "pm.state holds 1 MiB in all: this value is bigger");
	luaL_checkstack(L, 8, NULL);
	switch (lua_type(L, -1)) {
	case LUA_TBOOLEAN:
		buf_add_char(out, lua_toboolean(L, -1) ? TAG_TRUE : TAG_FALSE);
		break;
	case LUA_TNUMBER:
		add_number(L, out);
		break;
	case LUA_TSTRING:
		add_string(L, out);
		break;
	case LUA_TTABLE:
		add_table(L, out, most, depth);
		break;
	default:
		if (lua_type(L, -1) != LUA_TLIGHTUSERDATA || lua_touserdata(L, -1) != NULL)
			luaL_error(L, "pm.state keeps plain values: a %s is none",
				   luaL_typename(L, -1));
		buf_add_char(out, TAG_NULL);
		break;
	}
}

void packed_add(lua_State *L, struct buf *out, size_t most)
{
	add(L, out, most, 0);
}

/* ---- bytes ---- */

/* Copies the text up to `mark`, and goes on behind that. False: there is no such mark, or the text is too long. */
static bool read_until(struct reader *reader, char mark, char text[NUMBER_BYTES])
{
	size_t left = (size_t)(reader->end - reader->at);
	const char *end = memchr(reader->at, mark, left < NUMBER_BYTES ? left : NUMBER_BYTES);

	if (end == NULL || end == reader->at)
		return false;
	memcpy(text, reader->at, (size_t)(end - reader->at));
	text[end - reader->at] = '\0';
	reader->at = end + 1;
	return true;
}

static bool read_number(struct reader *reader, struct token *token)
{
	char text[NUMBER_BYTES];
	char *rest;

	if (!read_until(reader, ';', text))
		return false;
	errno = 0;
	if (token->tag == TAG_INTEGER)
		token->integer = strtoll(text, &rest, 10);
	else
		token->number = strtod(text, &rest);
	return *rest == '\0' && (errno == 0 || token->tag == TAG_FLOAT); /* the smallest floats set errno */
}

static bool read_string(struct reader *reader, struct token *token)
{
	char text[NUMBER_BYTES];
	unsigned long long len;
	char *rest;

	if (!read_until(reader, ':', text))
		return false;
	len = strtoull(text, &rest, 10);
	if (*rest != '\0' || text[0] == '-' || len > (size_t)(reader->end - reader->at))
		return false;
	token->text = reader->at;
	token->len = (size_t)len;
	reader->at += token->len;
	return true;
}

/* Reads what stands next: a whole value, or where a table begins or ends. False: there is nothing, or no token. */
static bool read_token(struct reader *reader, struct token *token)
{
	if (reader->at == reader->end)
		return false;
	*token = (struct token){ .tag = *reader->at++ };
	switch (token->tag) {
	case TAG_FALSE:
	case TAG_TRUE:
	case TAG_NULL:
	case TAG_TABLE:
	case TAG_END:
		return true;
	case TAG_INTEGER:
	case TAG_FLOAT:
		return read_number(reader, token);
	case TAG_STRING:
		return read_string(reader, token);
	default:
		return false;
	}
}

static bool is_at_end_of_table(const struct reader *reader)
{
	return reader->at < reader->end && *reader->at == TAG_END;
}

/* Goes over one value. `is_key`: it is a table's key, for which Lua raises an error if it is NaN. */
static bool skip(struct reader *reader, bool is_key, int depth)
{
	struct token token;

	if (depth > PACKED_DEPTH || !read_token(reader, &token) || token.tag == TAG_END)
		return false;
	if (is_key && token.tag == TAG_FLOAT && isnan(token.number))
		return false;
	if (token.tag != TAG_TABLE)
		return true;
	while (!is_at_end_of_table(reader)) {
		if (!skip(reader, true, depth + 1) || !skip(reader, false, depth + 1))
			return false;
	}
	reader->at++;
	return true;
}

bool packed_is_sound(const char *bytes, size_t len)
{
	struct reader reader = { .at = bytes, .end = bytes + len };

	return skip(&reader, false, 0) && reader.at == reader.end;
}

/* ---- into Lua ---- */

static void push(lua_State *L, struct reader *reader);

static void push_table(lua_State *L, struct reader *reader)
{
	lua_newtable(L);
	while (!is_at_end_of_table(reader)) {
		push(L, reader);
		push(L, reader);
		lua_rawset(L, -3);
	}
	reader->at++;
}

static void push(lua_State *L, struct reader *reader)
{
	struct token token;

	luaL_checkstack(L, 8, NULL);
	if (!read_token(reader, &token))
		luaL_error(L, "pm.state: the value cannot be read");
	switch (token.tag) {
	case TAG_FALSE:
	case TAG_TRUE:
		lua_pushboolean(L, token.tag == TAG_TRUE);
		break;
	case TAG_INTEGER:
		lua_pushinteger(L, token.integer);
		break;
	case TAG_FLOAT:
		lua_pushnumber(L, token.number);
		break;
	case TAG_STRING:
		lua_pushlstring(L, token.text, token.len);
		break;
	case TAG_TABLE:
		push_table(L, reader);
		break;
	default:
		lua_pushlightuserdata(L, NULL);
		break;
	}
}

void packed_push(lua_State *L, const char *bytes, size_t len)
{
	struct reader reader = { .at = bytes, .end = bytes + len };

	push(L, &reader);
}
