#include "command/watch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "command/ask.h"
#include "command/module.h"
#include "command/running.h"
#include "loop/clock.h"
#include "script/api.h"
#include "script/state.h"

#define EVERY_S 1
#define WIDTH 80
#define WIDTH_MAX 400

static volatile sig_atomic_t ended;

static void on_end(int signum)
{
	(void)signum;
	ended = 1;
}

static void catch_end(void)
{
	struct sigaction action = { .sa_handler = on_end };

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGPIPE, &action, NULL);
}

static int width_of(bool terminal)
{
	struct winsize size;

	if (!terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < WIDTH)
		return WIDTH;
	return size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
}

/* Protected: calls require("plusmoin.watch").render(status, events, options). */
static int render(lua_State *L)
{
	bool terminal = lua_toboolean(L, 3) != 0;

	module_push(L, "plusmoin.watch");
	lua_getfield(L, -1, "render");
	lua_pushvalue(L, 1);
	lua_pushvalue(L, 2);
	lua_newtable(L);
	lua_pushnumber(L, (double)clock_wall_ms() / 1000.0);
	lua_setfield(L, -2, "now");
	lua_pushinteger(L, width_of(terminal));
	lua_setfield(L, -2, "width");
	lua_pushboolean(L, terminal && getenv("NO_COLOR") == NULL);
	lua_setfield(L, -2, "color");
	lua_call(L, 3, 1);
	return 1;
}

/* Pushes the text, or nil where nobody answered. */
static void push_text(lua_State *L, const struct buf *text)
{
	if (text->len > 0)
		lua_pushlstring(L, text->data, text->len);
	else
		lua_pushnil(L);
}

/* Shows the status once. Returns whether the daemon answered. */
static bool show(struct engine *engine, const char *socket, bool terminal)
{
	struct buf status = { 0 };
	struct buf events = { 0 };
	lua_State *L = engine->L;
	bool answered = ask(socket, "{\"request\": \"status\"}\n", ASK_MS, &status) == ASK_ANSWERED &&
			ask(socket, "{\"request\": \"events\"}\n", ASK_MS, &events) == ASK_ANSWERED;

	lua_pushcfunction(L, render);
	push_text(L, &status);
	push_text(L, &events);
	lua_pushboolean(L, terminal);
	if (lua_pcall(L, 3, 1, 0) != LUA_OK)
		(void)fprintf(stderr, "plusmoin: the answer cannot be shown: %s\n",
			      lua_tostring(L, -1));
	else
		(void)printf("%s%s%s", terminal ? "\033[H\033[2J" : "", lua_tostring(L, -1),
			     terminal ? "" : "\n");
	lua_pop(L, 1);
	if (fflush(stdout) != 0)
		ended = 1;
	buf_free(&status);
	buf_free(&events);
	return answered;
}

int command_watch(const char *config_path)
{
	bool terminal = isatty(STDOUT_FILENO) == 1;
	const struct timespec pause = { .tv_sec = EVERY_S };
	struct engine engine;
	struct running running;
	bool answered = false;

	if (!running_find(config_path, &running))
		return 1;
	catch_end();
	if (engine_open_alone(&engine)) {
		while (!ended) {
			if (show(&engine, running.names.report.names.control_socket, terminal))
				answered = true;
			else if (!answered)
				break;
			if (!ended)
				(void)nanosleep(&pause, NULL);
		}
		if (!answered)
			(void)fprintf(stderr, "plusmoin: no daemon answers at %s\n",
				      running.names.report.names.control_socket);
		engine_close(&engine);
	}
	running_free(&running);
	return answered ? 0 : 1;
}
