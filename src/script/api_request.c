/*
 * plusmoin.request: exchange(spec) is pm.request's C half (contract.md, "Lua
 * triggers"; the arguments are checked in lua/plusmoin/request.lua). Host's thread.
 */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/exchange.h"
#include "script/api.h"
#include "script/run.h"

/* One exchange under way. Freed by release(). */
struct request {
	struct run *run;
	struct exchange *exchange;
	char *error;
	struct buf answer;
};

static void release(void *data)
{
	struct request *request = data;

	free(request->error);
	buf_free(&request->answer);
	free(request);
}

static void cancel(void *data)
{
	struct request *request = data;

	exchange_cancel(&request->exchange);
}

static void on_answer(void *data, const char *error, struct buf *answer)
{
	struct request *request = data;

	request->exchange = NULL;
	request->error = mem_strdup(error);
	request->answer = *answer;
	*answer = (struct buf){ 0 };
	run_wake(request->run);
}

static int finish(lua_State *L, void *data)
{
	const struct request *request = data;

	if (request->error != NULL) {
		lua_pushnil(L);
		lua_pushstring(L, request->error);
		return 2;
	}
	lua_pushlstring(L, buf_text(&request->answer), request->answer.len);
	return 1;
}

/*
 * exchange{path = text or host = text, port = n, data = text, timeout = s or nil}:
 * waits; all that came back, or nil and a message. Raises where nothing can wait.
 */
static int request_exchange(lua_State *L)
{
	struct run *run = run_check_wait(L, "pm.request");
	struct wait wait = { .what = "request", .cancel = cancel, .finish = finish, .release = release };
	struct exchange_order order = { .timeout_ms = run_left_ms(run) };
	struct request *request;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1); /* the texts stay on the stack while they are used */
	if (lua_getfield(L, 1, "timeout") == LUA_TNUMBER)
		order.timeout_ms = (int64_t)ceil(lua_tonumber(L, -1) * 1000.0);
	lua_getfield(L, 1, "path");
	order.path = lua_tostring(L, -1);
	lua_getfield(L, 1, "host");
	order.host = lua_tostring(L, -1);
	lua_getfield(L, 1, "port");
	order.port = (int)lua_tointeger(L, -1);
	lua_getfield(L, 1, "data");
	order.data = luaL_checklstring(L, -1, &order.len);
	request = mem_zalloc(1, sizeof(*request));
	request->run = run;
	request->exchange = exchange_start(run->engine->loop, engine_resolver(run->engine), &order,
					   on_answer, request);
	lua_settop(L, 1);
	wait.data = request;
	return run_wait(L, run, &wait);
}

int luaopen_plusmoin_request(lua_State *L)
{
	static const luaL_Reg functions[] = { { "exchange", request_exchange }, { NULL, NULL } };

	luaL_newlib(L, functions);
	return 1;
}
