#include "command/monitors.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "command/ask.h"
#include "command/module.h"
#include "command/running.h"
#include "loop/clock.h"
#include "script/api.h"
#include "script/state.h"

#define HAND_OVER_MS 20000 /* what waits is written first, and another monitor takes over */
#define LOOK_MS 100

enum { FINE = 0, FAILED = 1, USAGE = 2 };

/* Says what the answer's `error` is; whether it has none. NULL: it is no JSON. */
static bool is_ok(const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "ok")))
		return true;
	(void)fprintf(stderr, "plusmoin: %s\n", error != NULL ? error : "the answer is not understood");
	return false;
}

/* The answer's text in `text`; false, after a message: there is none, or an error. `*tree` is the caller's anyway. */
static bool ask_daemon(const char *socket, const char *request, struct buf *text, json_t **tree)
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

static bool acts(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "acts"));
}

/* Whether the daemon stands by, and another one acts. */
static bool is_handed_over(const json_t *answer)
{
	return !acts(answer) && json_is_string(json_object_get(answer, "acting"));
}

/* Its term; 0: it does not act. */
static json_int_t term_of(const json_t *answer)
{
	return json_integer_value(json_object_get(answer, "term"));
}

enum hand_over { HAND_WAITS, HAND_DONE, HAND_BACK, HAND_SILENT };

/* How far it is with the daemon that acted in term `before`; after a message: it gives no answer. */
static enum hand_over look(const char *socket, json_int_t before, struct buf *text)
{
	json_t *answer;
	enum hand_over found = HAND_SILENT;

	if (ask_daemon(socket, "{\"request\": \"monitors\"}\n", text, &answer)) {
		if (is_handed_over(answer))
			found = HAND_DONE;
		else
			found = acts(answer) && term_of(answer) != before ? HAND_BACK : HAND_WAITS;
	}
	json_decref(answer);
	return found;
}

/* Waits until another monitor acts; false, after a message: none does in time. `text`: the last answer. */
static bool wait_for_another(const char *socket, json_int_t before, struct buf *text)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t end_ms = clock_steady_ms() + HAND_OVER_MS;
	enum hand_over found = HAND_WAITS;

	while (found == HAND_WAITS && clock_steady_ms() < end_ms) {
		(void)nanosleep(&pause, NULL);
		found = look(socket, before, text);
	}
	if (found == HAND_BACK)
		(void)fputs("plusmoin: this monitor acts again: no other one has taken over\n", stderr);
	if (found == HAND_WAITS)
		(void)fputs("plusmoin: no other monitor has taken over yet\n", stderr);
	return found == HAND_DONE;
}

/* Has the daemon hand over, if it acts; false, after a message: it cannot. `text`: the last answer to "monitors". */
static bool resign(const char *socket, struct buf *text)
{
	json_t *answer;
	struct buf ignored = { 0 };
	json_int_t before;
	bool acted;
	bool done = ask_daemon(socket, "{\"request\": \"monitors\"}\n", text, &answer);

	acted = acts(answer);
	before = term_of(answer);
	json_decref(answer);
	if (!done || !acted)
		return done;
	done = ask_daemon(socket, "{\"request\": \"resign\"}\n", &ignored, &answer);
	json_decref(answer);
	buf_free(&ignored);
	return done && wait_for_another(socket, before, text);
}

/* Has the daemon write what it knows to another etcd. `text`: the last answer to "monitors". */
static bool seed(const char *socket, struct buf *text)
{
	json_t *answer;
	bool done = ask_daemon(socket, "{\"request\": \"seed\"}\n", text, &answer);

	json_decref(answer);
	if (!done)
		return false;
	done = ask_daemon(socket, "{\"request\": \"monitors\"}\n", text, &answer);
	json_decref(answer);
	return done;
}

static bool say(const char *word, const char *socket, struct buf *text)
{
	json_t *answer;
	bool done;

	if (word != NULL)
		return strcmp(word, "seed") == 0 ? seed(socket, text) : resign(socket, text);
	done = ask_daemon(socket, "{\"request\": \"monitors\"}\n", text, &answer);
	json_decref(answer);
	return done;
}

/* Protected: the answer at 1, now at 2; its text. */
static int render(lua_State *L)
{
	module_push(L, "plusmoin.monitors");
	lua_getfield(L, -1, "render");
	module_push_json(L, 1);
	lua_pushvalue(L, 2);
	lua_call(L, 2, 1);
	return 1;
}

static int print_table(const char *answer)
{
	struct engine engine;
	int status = FAILED;

	if (!engine_open_alone(&engine))
		return FAILED;
	lua_pushcfunction(engine.L, render);
	lua_pushstring(engine.L, answer);
	lua_pushnumber(engine.L, (double)clock_wall_ms() / 1000.0);
	if (lua_pcall(engine.L, 2, 1, 0) == LUA_OK) {
		(void)fputs(luaL_tolstring(engine.L, -1, NULL), stdout);
		status = FINE;
	} else {
		(void)fprintf(stderr, "plusmoin: the answer cannot be shown: %s\n", lua_tostring(engine.L, -1));
	}
	engine_close(&engine);
	return status;
}

int command_monitors(const char *config_path, const char *word, bool as_json)
{
	struct running running;
	struct buf text = { 0 };
	const char *socket;
	int status = FAILED;
	bool done;

	if (word != NULL && strcmp(word, "resign") != 0 && strcmp(word, "seed") != 0) {
		(void)fprintf(stderr, "plusmoin: monitors takes \"resign\", \"seed\", or nothing: %s\n", word);
		return USAGE;
	}
	if (!running_find(config_path, &running))
		return FAILED;
	socket = running.names.report.names.control_socket;
	done = say(word, socket, &text);
	if (as_json)
		(void)fputs(buf_text(&text), stdout);
	if (done)
		status = as_json ? FINE : print_table(buf_text(&text));
	buf_free(&text);
	running_free(&running);
	return status;
}
