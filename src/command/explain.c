#include "command/explain.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/json.h"
#include "command/ask.h"
#include "command/module.h"
#include "command/running.h"
#include "script/api.h"
#include "script/state.h"

#define NODES_MAX 100 /* nodes that are explained at most */

/* Whether the text is an event's id (contract.md), such as "1795485630-12". */
static bool is_event_id(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && text[digits] == '-' && isdigit((unsigned char)text[digits + 1]) &&
	       text[digits + 1 + strspn(text + digits + 1, "0123456789")] == '\0';
}

/* Sends the request. False, after a message: nobody answers. */
static bool ask_daemon(const struct load_files *files, const char *request, struct buf *answer)
{
	if (ask(files->control_socket, request, ASK_MS, answer) == ASK_ANSWERED)
		return true;
	(void)fprintf(stderr, "plusmoin: no daemon answers at %s\n", files->control_socket);
	return false;
}

/* Asks about a node or an event; `what` NULL: about those that are not well. */
static bool ask_about(const struct load_files *files, const char *what, struct buf *answer)
{
	struct buf request = { 0 };
	struct json json = { .out = &request };
	bool answered;

	jsonw_begin_object(&json);
	jsonw_key(&json, "request");
	jsonw_string(&json, "explain");
	if (what != NULL) {
		jsonw_key(&json, is_event_id(what) ? "event" : "node");
		jsonw_string(&json, what);
	}
	jsonw_end_object(&json);
	buf_add_char(&request, '\n');
	answered = ask_daemon(files, buf_text(&request), answer);
	buf_free(&request);
	return answered;
}

/* Pushes plusmoin.explain and the answer as a table. */
static void push_answer(lua_State *L)
{
	module_push(L, "plusmoin.explain");
	module_push_json(L, 1);
}

/* Protected, with the answer at 1: returns its text, or nil and the daemon's error. */
static int render(lua_State *L)
{
	push_answer(L); /* text explain answer */
	if (lua_getfield(L, -1, "ok"), lua_toboolean(L, -1) == 0) {
		lua_pushnil(L);
		lua_getfield(L, -3, "error");
		return 2;
	}
	lua_pop(L, 1);
	lua_getfield(L, -2, "render");
	lua_pushvalue(L, -2);
	lua_call(L, 1, 1);
	lua_pushnil(L);
	return 2;
}

static void say_isolated(time_t since)
{
	struct tm at;
	char text[32] = "-";

	if (localtime_r(&since, &at) != NULL)
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &at);
	(void)printf("plusmoin is cut off since %s (P7): it hears no other host\n\n", text);
}

/*
 * Protected, with the answer at 1: returns the nodes to explain, how many nodes there are, the clusters without a
 * master.
 */
static int unwell(lua_State *L)
{
	push_answer(L);
	lua_getfield(L, -1, "unwell");
	luaL_checktype(L, -1, LUA_TTABLE);
	lua_getfield(L, -2, "isolated");
	if (lua_isnumber(L, -1))
		say_isolated((time_t)lua_tonumber(L, -1));
	lua_pop(L, 1);
	lua_getfield(L, -2, "nodes");
	lua_getfield(L, -3, "no_master");
	return 3;
}

static int print_answer(lua_State *L, const char *answer)
{
	int status = 1;

	lua_pushcfunction(L, render);
	lua_pushstring(L, answer);
	if (lua_pcall(L, 1, 2, 0) != LUA_OK) {
		(void)fprintf(stderr, "plusmoin: the answer cannot be shown: %s\n",
			      lua_tostring(L, -1));
		lua_pop(L, 1);
		return 1;
	}
	if (lua_isnil(L, -2)) {
		(void)fprintf(stderr, "plusmoin: %s\n", luaL_tolstring(L, -1, NULL));
		lua_pop(L, 1);
	} else {
		(void)fputs(lua_tostring(L, -2), stdout);
		status = 0;
	}
	lua_pop(L, 2);
	return status;
}

static int explain_one(lua_State *L, const struct load_files *files, const char *what)
{
	struct buf answer = { 0 };
	int status = ask_about(files, what, &answer) ? print_answer(L, buf_text(&answer)) : 1;

	buf_free(&answer);
	return status;
}

/* Names the clusters of the list at the top, pops it, and returns how many there are. */
static lua_Integer list_no_master(lua_State *L)
{
	lua_Integer count = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : 0;

	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, -1, i);
		(void)printf("cluster %lld has no master\n", (long long)lua_tointeger(L, -1));
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return count;
}

/* Explains the nodes of the list at the top. The fleet has `total` nodes, and `headless` clusters were named before. */
static int explain_list(lua_State *L, const struct load_files *files, lua_Integer total,
			lua_Integer headless)
{
	lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
	int status = 0;

	if (count == 0)
		(void)printf("%sall %lld nodes are well\n", headless > 0 ? "but for that " : "",
			     (long long)total);
	else if (headless > 0)
		(void)puts("");
	for (lua_Integer i = 1; i <= count && i <= NODES_MAX && status == 0; i++) {
		lua_rawgeti(L, -1, i);
		if (i > 1)
			(void)puts("");
		status = explain_one(L, files, lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	if (count > NODES_MAX)
		(void)printf("\nand %lld more\n", (long long)(count - NODES_MAX));
	return status;
}

static int explain_all(lua_State *L, const struct load_files *files)
{
	struct buf answer = { 0 };
	int status = 1;

	if (!ask_about(files, NULL, &answer))
		return 1;
	lua_pushcfunction(L, unwell);
	lua_pushstring(L, buf_text(&answer));
	buf_free(&answer);
	if (lua_pcall(L, 1, 3, 0) == LUA_OK) {
		lua_Integer headless = list_no_master(L);
		lua_Integer total = lua_tointeger(L, -1);

		lua_pop(L, 1);
		status = explain_list(L, files, total, headless);
	} else {
		(void)fprintf(stderr, "plusmoin: the answer cannot be shown: %s\n",
			      lua_tostring(L, -1));
	}
	return status;
}

static int print_json(const struct load_files *files, const char *what)
{
	struct buf answer = { 0 };
	int status = 1;

	if (ask_about(files, what, &answer)) {
		(void)puts(buf_text(&answer));
		status = strstr(buf_text(&answer), "\"ok\":true") != NULL ? 0 : 1;
	}
	buf_free(&answer);
	return status;
}

int command_explain(const char *config_path, const char *what, bool as_json)
{
	struct engine engine;
	struct running running;
	int status = 1;

	if (!running_find(config_path, &running))
		return 1;
	if (as_json) {
		status = print_json(&running.names.report.names, what);
	} else if (engine_open_alone(&engine)) {
		status = what != NULL ? explain_one(engine.L, &running.names.report.names, what)
				      : explain_all(engine.L, &running.names.report.names);
		engine_close(&engine);
	}
	running_free(&running);
	return status;
}
