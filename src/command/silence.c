#include "command/silence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "command/ask.h"
#include "command/duration.h"
#include "command/module.h"
#include "command/running.h"
#include "core/silences.h"
#include "loop/clock.h"
#include "script/api.h"
#include "script/state.h"

#define SET_MS 15000 /* how long the answer is waited for; with several monitors etcd is written before it */

enum { FINE = 0, FAILED = 1, USAGE = 2 };

enum what { SET, LIST, END };

static const char usage[] = "silence NODE|CLUSTER-ID|all DURATION [REASON], silence --list [--json], silence --end TARGET";

static int wrong_usage(const char *what, const char *word)
{
	(void)fprintf(stderr, "plusmoin: %s%s%s; allowed: %s\n", what, word != NULL ? ": " : "", word != NULL ? word : "",
		      usage);
	return USAGE;
}

/* ---- what is asked for ---- */

static void add_text(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

/* Adds the words behind the duration as the reason; "": there are none. */
static void add_reason(struct json *json, const struct verb_call *call)
{
	struct buf text = { 0 };

	for (size_t i = 2; i < VERB_WORDS && call->words[i] != NULL; i++)
		buf_addf(&text, "%s%s", i > 2 ? " " : "", call->words[i]);
	add_text(json, "reason", buf_text(&text));
	buf_free(&text);
}

/* Returns the request, one line, the caller's. */
static char *request_of(const struct verb_call *call, enum what what, int64_t seconds)
{
	static const char *const names[] = { [SET] = "silence", [LIST] = "silences", [END] = "silence_end" };
	struct buf out = { 0 };
	struct json json = { .out = &out };

	jsonw_begin_object(&json);
	add_text(&json, "request", names[what]);
	if (what != LIST)
		add_text(&json, "target", what == END ? call->end : call->words[0]);
	if (what == SET) {
		char *text = mem_printf("%lld", (long long)seconds);

		add_text(&json, "seconds", text);
		free(text);
		add_reason(&json, call);
	}
	jsonw_end_object(&json);
	buf_add_char(&out, '\n');
	return buf_steal(&out);
}

/* ---- what is said ---- */

/*
 * Protected, with the answer at 1, whether it is the list at 2, what was named at 3, the status (nil: not asked) at 4:
 * returns the text, and whether it is an error.
 */
static int render(lua_State *L)
{
	module_push(L, "plusmoin.silences");
	lua_getfield(L, -1, lua_toboolean(L, 2) != 0 ? "render" : "say");
	module_push_json(L, 1);
	if (lua_isnil(L, 4))
		lua_pushnil(L);
	else
		module_push_json(L, 4);
	lua_pushvalue(L, 3);
	lua_pushnumber(L, (double)clock_wall_ms() / 1000.0);
	lua_call(L, 4, 2);
	return 2;
}

static int print_text(lua_State *L)
{
	bool is_error = lua_toboolean(L, -1) != 0;

	(void)fputs(lua_tostring(L, -2), is_error ? stderr : stdout);
	return is_error ? FAILED : FINE;
}

/*
 * Prints the answer. `status` is the daemon's status, which tells what is like a name that it does not know; NULL: it
 * was not asked.
 */
static int print_answer(const char *answer, const struct verb_call *call, enum what what, const char *status)
{
	struct engine engine;
	int result = FAILED;

	if (!engine_open_alone(&engine))
		return FAILED;
	lua_pushcfunction(engine.L, render);
	lua_pushstring(engine.L, answer);
	lua_pushboolean(engine.L, what == LIST);
	lua_pushstring(engine.L, what == END ? call->end : call->words[0]);
	lua_pushstring(engine.L, status);
	if (lua_pcall(engine.L, 4, 2, 0) == LUA_OK)
		result = print_text(engine.L);
	else
		(void)fprintf(stderr, "plusmoin: the answer cannot be shown: %s\n", lua_tostring(engine.L, -1));
	engine_close(&engine);
	return result;
}

/* Prints the answer, and asks for the status before, where that helps to say which names are near. */
static int print_all(const char *socket, const char *answer, const struct verb_call *call, enum what what)
{
	struct buf status = { 0 };
	int result;

	if (strstr(answer, "\"unknown\":true") != NULL)
		(void)ask(socket, "{\"request\": \"status\"}\n", ASK_MS, &status);
	result = print_answer(answer, call, what, status.len > 0 ? buf_text(&status) : NULL);
	buf_free(&status);
	return result;
}

static int print_json(const char *answer)
{
	(void)puts(answer);
	return strstr(answer, "\"ok\":true") != NULL ? FINE : FAILED;
}

/* ---- the verb ---- */

/* Checks the words. Returns 0, or the exit status after a message. */
static int check_words(const struct verb_call *call, enum what what, int64_t *seconds)
{
	const char *why;

	*seconds = 0;
	if (call->list && call->end != NULL)
		return wrong_usage("--list and --end do not go together", NULL);
	if (what != LIST && call->json)
		return wrong_usage("--json goes with --list", NULL);
	if (what != SET)
		return call->words[0] == NULL ? 0 : wrong_usage("too many words", call->words[0]);
	if (call->words[1] == NULL)
		return wrong_usage("silence needs a target and a duration", NULL);
	*seconds = duration_read(call->words[1], SILENCE_MOST_S, &why);
	if (*seconds > 0)
		return 0;
	(void)fprintf(stderr, "plusmoin: silence for \"%s\": %s; allowed: whole numbers with d, h, m or s, the greater unit first"
		      " (30m, 1h30m, 2d), 1s to 30d\n", call->words[1], why);
	return USAGE;
}

int command_silence(const struct verb_call *call)
{
	enum what what = call->list ? LIST : (call->end != NULL ? END : SET);
	struct buf answer = { 0 };
	struct running running;
	const char *socket;
	char *request;
	int64_t seconds;
	int status = check_words(call, what, &seconds);

	if (status != 0)
		return status;
	if (!running_find(call->config, &running))
		return FAILED;
	status = FAILED;
	socket = running.names.report.names.control_socket;
	request = request_of(call, what, seconds);
	if (ask(socket, request, SET_MS, &answer) != ASK_ANSWERED)
		(void)fprintf(stderr, "plusmoin: no daemon answers at %s\n", socket);
	else
		status = call->json ? print_json(buf_text(&answer)) : print_all(socket, buf_text(&answer), call, what);
	free(request);
	buf_free(&answer);
	running_free(&running);
	return status;
}
