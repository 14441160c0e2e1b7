/*
 * plusmoin.core: the API's smallest functions (contract.md, "Lua triggers"); the
 * face that users see is lua/plusmoin/init.lua. Host's thread.
 */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "dispatch/action.h"
#include "loop/clock.h"
#include "script/api.h"
#include "script/run.h"
#include "script/tables.h"

#define LONGEST_S 86400.0 /* contract.md: the longest time anywhere */

static int finish_nothing(lua_State *L, void *data)
{
	(void)L;
	(void)data;
	return 0;
}

static void release_timer(void *data)
{
	struct timer *timer = data;

	timer_free(&timer);
}

static void on_slept(void *data)
{
	run_wake(data);
}

/* sleep(seconds): waits; at the latest the run's timeout ends it. Raises on misuse. */
static int core_sleep(lua_State *L)
{
	lua_Number seconds = luaL_checknumber(L, 1);
	struct run *run = run_check_wait(L, "pm.sleep");
	struct wait wait = { .what = "sleep", .finish = finish_nothing, .release = release_timer };
	struct timer *timer;

	luaL_argcheck(L, seconds >= 0 && seconds <= LONGEST_S, 1,
		      "seconds from 0 to 86400 expected");
	timer = timer_new(run->engine->loop, on_slept, run);
	timer_start(timer, (int64_t)ceil(seconds * 1000.0));
	wait.data = timer;
	return run_wait(L, run, &wait);
}

/* now(): epoch seconds, fractional. Does not wait. */
static int core_now(lua_State *L)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	lua_pushnumber(L, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
	return 1;
}

static struct log_about about_run(const struct run *run)
{
	struct log_about about = { 0 };

	if (run->job->event != NULL)
		about = action_event_about(run->job->event);
	about.trigger = run->job->trigger;
	about.spare = true;
	return about;
}

void core_log_left_out(struct run *run)
{
	struct log_about about;

	if (run->log_left_out == 0)
		return;
	about = about_run(run);
	log_line(LOG_LEVEL_WARNING, &about, "%lu more lines were left out: a trigger may log %d lines a second",
		 run->log_left_out, RUN_LOG_LINES);
	run->log_left_out = 0;
}

/* Whether the run may log one more line in this second. */
static bool has_line_left(struct run *run)
{
	int64_t second = clock_steady_ms() / 1000;

	if (run->log_second != second) {
		run->log_second = second;
		run->log_lines = 0;
		core_log_left_out(run);
	}
	if (run->log_lines >= RUN_LOG_LINES) {
		run->log_left_out++;
		return false;
	}
	run->log_lines++;
	return true;
}

/*
 * log(level, text): one line with the run's trigger, cluster and event id, passwords
 * blanked, cut at LOG_USER_BYTES; level 0 error to 3 debug. Does not wait: a line is counted and
 * left out when the run has logged RUN_LOG_LINES in this second, or the log's queue is half full.
 */
static int core_log(lua_State *L)
{
	lua_Integer level = luaL_checkinteger(L, 1);
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);
	struct run *run = run_of(L);
	struct log_about about = { .spare = true };
	char *clean;

	if (level < LOG_LEVEL_ERROR || level > LOG_LEVEL_DEBUG)
		return luaL_argerror(L, 1, "level");
	if (!log_enabled((enum log_level)level))
		return 0;
	if (run != NULL && run->job != NULL) {
		if (!has_line_left(run))
			return 0;
		about = about_run(run);
	}
	about.bytes = len > LOG_USER_BYTES ? len : 0;
	clean = secret_scrub(text, LOG_USER_BYTES);
	log_line((enum log_level)level, &about, "%s", clean);
	free(clean);
	return 0;
}

/* in_trigger(): whether a trigger or typed code runs, as opposed to a load. */
static int core_in_trigger(lua_State *L)
{
	const struct run *run = run_of(L);

	lua_pushboolean(L, run != NULL && run->job != NULL);
	return 1;
}

/* Drops the board's reference. A userdata holds that, so that an error of Lua's (out of memory) does not lose it. */
static int free_board(lua_State *L)
{
	board_unref(lua_touserdata(L, 1));
	return 0;
}

static struct board *push_board(lua_State *L)
{
	struct board **held = lua_newuserdatauv(L, sizeof(struct board *), 0);

	*held = NULL;
	if (luaL_newmetatable(L, "plusmoin.board")) {
		lua_pushcfunction(L, free_board);
		lua_setfield(L, -2, "__gc");
		lua_pushboolean(L, 0);
		lua_setfield(L, -2, "__metatable");
	}
	lua_setmetatable(L, -2);
	if (engine_of(L)->shared != NULL)
		*held = shared_board(engine_of(L)->shared);
	return *held;
}

/* cluster(id): its table as known now, nil if there is none. Does not wait. */
static int core_cluster(lua_State *L)
{
	lua_Integer id = luaL_checkinteger(L, 1);
	const struct board *board = push_board(L);
	const struct view *view = board != NULL && id >= 0 && id <= INT_MAX ? board_find(board, (int)id) : NULL;

	if (view != NULL)
		tables_push_cluster(L, view, board->clusterless);
	else
		lua_pushnil(L);
	return 1;
}

/* clusters(): a list of all, as cluster() gives them. Does not wait. */
static int core_clusters(lua_State *L)
{
	const struct board *board = push_board(L);
	const struct view *view = NULL;
	lua_Integer n = 0;

	lua_newtable(L);
	while (board != NULL &&
	       (view = board_next(board, view != NULL ? view->cluster_id : -1)) != NULL) {
		tables_push_cluster(L, view, board->clusterless);
		lua_rawseti(L, -2, ++n);
	}
	return 1;
}

int luaopen_plusmoin_core(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "sleep", core_sleep },
		{ "now", core_now },
		{ "log", core_log },
		{ "in_trigger", core_in_trigger },
		{ "cluster", core_cluster },
		{ "clusters", core_clusters },
		{ NULL, NULL },
	};

	luaL_newlib(L, functions);
	return 1;
}
