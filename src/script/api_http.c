/*
 * plusmoin.http: fetch(spec) is pm.http's C half (contract.md, "Lua triggers"; the
 * arguments are checked in lua/plusmoin/http.lua). Host's thread.
 */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/http.h"
#include "script/api.h"
#include "script/run.h"

/* One request under way. Freed by release(). */
struct fetch {
	struct run *run;
	struct http_call *call;
	char *error;
	struct http_answer answer;
};

static void release(void *data)
{
	struct fetch *fetch = data;

	free(fetch->error);
	buf_free(&fetch->answer.head);
	buf_free(&fetch->answer.body);
	free(fetch);
}

static void cancel(void *data)
{
	struct fetch *fetch = data;

	http_cancel(&fetch->call);
}

static void on_answer(void *data, const char *error, struct http_answer *answer)
{
	struct fetch *fetch = data;

	fetch->call = NULL;
	fetch->error = mem_strdup(error);
	fetch->answer = *answer;
	*answer = (struct http_answer){ 0 };
	run_wake(fetch->run);
}

static int finish(lua_State *L, void *data)
{
	const struct fetch *fetch = data;

	if (fetch->error != NULL) {
		lua_pushnil(L);
		lua_pushstring(L, fetch->error);
		return 2;
	}
	lua_pushinteger(L, fetch->answer.status);
	lua_pushlstring(L, buf_text(&fetch->answer.body), fetch->answer.body.len);
	lua_pushlstring(L, buf_text(&fetch->answer.head), fetch->answer.head.len);
	return 3;
}

/* The spec's field as a text that stays on the stack; NULL if it is not there. */
static const char *get_text(lua_State *L, const char *key, size_t *len)
{
	lua_getfield(L, 1, key);
	return lua_tolstring(L, -1, len);
}

/* Takes the header lines; their array is a userdata, which stays on the stack like the list of the texts. */
static void get_headers(lua_State *L, struct http_order *order)
{
	const char **lines;

	lua_getfield(L, 1, "headers");
	order->header_count = (size_t)luaL_len(L, -1);
	lines = lua_newuserdatauv(L, (order->header_count + 1) * sizeof(*lines), 0);
	for (size_t i = 0; i < order->header_count; i++) {
		lua_rawgeti(L, -2, (lua_Integer)i + 1);
		lines[i] = luaL_checkstring(L, -1);
		lua_pop(L, 1); /* the list holds it */
	}
	order->headers = lines;
}

/*
 * fetch{url =, method =, headers = {"Name: value"}, verify =, redirects =, body or nil,
 * cafile or nil, timeout = s or nil}: waits; status, body and header lines, or nil and a
 * message. Raises where nothing can wait.
 */
static int http_fetch(lua_State *L)
{
	struct run *run = run_check_wait(L, "pm.http");
	struct wait wait = { .what = "http", .cancel = cancel, .finish = finish, .release = release };
	struct http_order order = { .timeout_ms = run_left_ms(run) };
	struct fetch *fetch;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	luaL_checkstack(L, 16, NULL);
	if (lua_getfield(L, 1, "timeout") == LUA_TNUMBER)
		order.timeout_ms = (int64_t)ceil(lua_tonumber(L, -1) * 1000.0);
	order.url = get_text(L, "url", NULL);
	order.method = get_text(L, "method", NULL);
	order.cafile = get_text(L, "cafile", NULL);
	order.body = get_text(L, "body", &order.body_len);
	lua_getfield(L, 1, "verify");
	order.verify = lua_toboolean(L, -1) != 0;
	lua_getfield(L, 1, "redirects");
	order.redirects = (int)lua_tointeger(L, -1);
	get_headers(L, &order);
	fetch = mem_zalloc(1, sizeof(*fetch));
	fetch->run = run;
	fetch->call = http_start(engine_http(run->engine), &order, on_answer, fetch);
	lua_settop(L, 1);
	wait.data = fetch;
	return run_wait(L, run, &wait);
}

int luaopen_plusmoin_http(lua_State *L)
{
	static const luaL_Reg functions[] = { { "fetch", http_fetch }, { NULL, NULL } };

	luaL_newlib(L, functions);
	return 1;
}
