#include "command/dialog.h"

#include <stdio.h>

#include "command/ask.h"
#include "command/module.h"
#include "loop/clock.h"
#include "script/api.h"
#include "script/state.h"

/* Returns whether the answer has no error; else prints it. NULL: the answer is no JSON. */
static bool is_ok(const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "ok")))
		return true;
	(void)fprintf(stderr, "plusmoin: %s\n", error != NULL ? error : "the answer is not understood");
	return false;
}

bool dialog_ask(const char *socket, const char *request, struct buf *text, json_t **tree)
{
	buf_free(text);
	*tree = NULL;
	if (ask(socket, request, ASK_MS, text) != ASK_ANSWERED) {
		(void)fprintf(stderr, "plusmoin: no daemon answers at %s\n", socket);
		return false;
	}
	*tree = json_loads(buf_text(text), 0, NULL);
	return is_ok(*tree);
}

/* Protected, with module, function, answer and time: returns the text that the function makes. */
static int render(lua_State *L)
{
	module_push(L, lua_tostring(L, 1));
	lua_pushvalue(L, 2);
	lua_gettable(L, -2);
	module_push_json(L, 3);
	lua_pushvalue(L, 4);
	lua_call(L, 2, 1);
	return 1;
}

bool dialog_print(const char *module, const char *function, const char *answer)
{
	struct engine engine;
	bool done;

	if (!engine_open_alone(&engine))
		return false;
	lua_pushcfunction(engine.L, render);
	lua_pushfstring(engine.L, "plusmoin.%s", module);
	lua_pushstring(engine.L, function);
	lua_pushstring(engine.L, answer);
	lua_pushnumber(engine.L, (double)clock_wall_ms() / 1000.0);
	done = lua_pcall(engine.L, 4, 1, 0) == LUA_OK;
	if (done)
		(void)fputs(luaL_tolstring(engine.L, -1, NULL), stdout);
	else
		(void)fprintf(stderr, "plusmoin: the answer cannot be shown: %s\n", lua_tostring(engine.L, -1));
	engine_close(&engine);
	return done;
}
