/* Starts runs, resumes them in slices, and ends them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "script/ending.h"
#include "script/functions.h"
#include "script/limits.h"
#include "script/run.h"
#include "script/snippet.h"
#include "script/tables.h"

static void clear_wait(struct run *run, bool cancelled)
{
	struct wait wait = run->wait;

	run->wait = (struct wait){ 0 };
	if (cancelled && wait.cancel != NULL)
		wait.cancel(wait.data);
	if (wait.release != NULL)
		wait.release(wait.data);
}

static void set_pulse(const struct run *run)
{
	struct pulse *pulse = run->engine->pulse;

	pthread_mutex_lock(&pulse->lock);
	pulse->job_id = run->job->id;
	pulse->slice++;
	pulse->function = run->job->function;
	(void)snprintf(pulse->trigger, sizeof(pulse->trigger), "%s", run->job->trigger);
	(void)snprintf(pulse->place, sizeof(pulse->place), "%s",
		       run->job->source != NULL ? run->job->source : "?");
	pthread_mutex_unlock(&pulse->lock);
}

static void clear_pulse(struct pulse *pulse)
{
	pthread_mutex_lock(&pulse->lock);
	pulse->job_id = 0;
	pthread_mutex_unlock(&pulse->lock);
}

static void free_run(struct run *run)
{
	struct engine *engine = run->engine;

	clear_wait(run, true);
	for (size_t i = 0; engine->run_ends[i] != NULL; i++)
		engine->run_ends[i](run);
	timer_free(&run->deadline);
	list_remove(&engine->runs, run);
	list_remove(&engine->ready, run);
	if (run->co != NULL)
		coroutine_park(run->co); /* the user's code may have kept it, but nobody can resume it any more */
	if (run->ref != LUA_NOREF)
		luaL_unref(engine->L, LUA_REGISTRYINDEX, run->ref);
	free(run);
}

/*
 * Collects garbage after a run that needed too much memory, and tells when what is kept still takes most of the limit.
 */
static void give_memory_back(struct engine *engine)
{
	lua_gc(engine->L, LUA_GCCOLLECT);
	if ((double)engine->memory_used > FULL_PART * (double)engine->memory_limit)
		engine->full(engine->data);
}

/* Ends the run and tells its outcome; takes over `error`. */
static void end(struct run *run, bool timed_out, char *error)
{
	struct engine *engine = run->engine;
	struct job *job = run->job;
	bool full = run->doom == DOOM_MEMORY;

	job->timed_out = timed_out;
	job->error = error;
	job->took_ms = clock_steady_ms() - run->started_ms;
	free_run(run);
	if (job->code != NULL)
		snippet_take(engine, job);
	if (full)
		give_memory_back(engine);
	engine->ended(engine->data, job);
	job_unref(&job);
}

static void end_doomed(struct run *run)
{
	end(run, run->doom == DOOM_TIMEOUT, ending_of_doom(run));
}

static void end_failed(struct run *run)
{
	run->innermost = run->co;
	end(run, false, ending_text(run, NULL));
}

static void on_deadline(void *data)
{
	struct run *run = data;

	if (run->phase == RUN_RUNNING)
		return; /* the hook sees that the time is over */
	run->doom = DOOM_TIMEOUT;
	end_doomed(run);
}

static void make_ready(struct run *run, bool first)
{
	struct engine *engine = run->engine;

	run->phase = RUN_READY;
	list_insert(&engine->ready, first ? 0 : engine->ready.count, run);
	engine_kick(engine);
}

static void judge(struct run *run, int status)
{
	if (status == LUA_OK)
		end(run, false, NULL);
	else if (status != LUA_YIELD && run->doom == DOOM_NONE)
		end_failed(run);
	else if (run->doom != DOOM_NONE)
		end_doomed(run);
	else if (!run->passing)
		end(run, false, ending_text(run, "coroutine.yield outside of a coroutine of its own"));
	else if (run->phase == RUN_RUNNING)
		make_ready(run, false);
}

/* Whether the run may go on; else it has ended. */
static bool may_step(struct run *run)
{
	struct job *job = run->job;

	if (!run->started && !job_begin(job)) { /* it was withdrawn, and nobody waits for its outcome */
		free_run(run);
		job_unref(&job);
		return false;
	}
	if (atomic_load(run->engine->abandoned)) {
		run->doom = DOOM_STOPPED;
		end_doomed(run);
		return false;
	}
	return true;
}

/* Runs one slice. The pulse is cleared only after judge(), since making an error's text may call the user's code. */
static void step(struct run *run)
{
	struct engine *engine = run->engine;
	int nargs = run->started ? 0 : run->nargs;
	int results = 0;
	int status;

	run->started = true;
	run->phase = RUN_RUNNING;
	run->passing = false;
	limits_begin_slice(run);
	engine->current = run;
	set_pulse(run);
	coroutine_enter(run->co, run);
	status = lua_resume(run->co, engine->L, nargs, &results);
	engine->current = NULL;
	if (status == LUA_YIELD)
		coroutine_park(run->co);
	judge(run, status);
	clear_pulse(engine->pulse);
}

void engine_work(struct engine *engine)
{
	int64_t until_us = limits_now_us() + RUN_SLICE_US;
	struct run *run;

	do {
		run = list_shift(&engine->ready);
		if (run != NULL && may_step(run))
			step(run);
	} while (run != NULL && limits_now_us() < until_us);
}

/* Called by lua_pcall(): makes the run's coroutine, with its function and arguments on the stack. */
static int prepare(lua_State *L)
{
	struct run *run = lua_touserdata(L, 1);
	lua_State *co = lua_newthread(L);

	luaL_checkstack(co, 4, NULL);
	if (run->job->code != NULL) {
		run->nargs = snippet_push(L, run->job); /* run co function session chunk code */
	} else {
		functions_push(L, run->job->function);  /* run co function */
		tables_push_event(L, run->job->event);  /* run co function event */
		run->nargs = 1;
	}
	lua_xmove(L, co, run->nargs + 1);
	run->ref = luaL_ref(L, LUA_REGISTRYINDEX);
	run->co = co;
	run->innermost = co;
	return 0;
}

void run_start(struct engine *engine, struct job *job)
{
	struct run *run = mem_zalloc(1, sizeof(*run));
	int status;

	run->engine = engine;
	run->job = job_ref(job);
	run->ref = LUA_NOREF;
	run->started_ms = clock_steady_ms();
	run->deadline_ms = run->started_ms + job->timeout_ms;
	lua_pushcfunction(engine->L, prepare);
	lua_pushlightuserdata(engine->L, run);
	status = lua_pcall(engine->L, 1, 0, 0);
	if (status != LUA_OK) {
		lua_pop(engine->L, 1);
		give_memory_back(engine);
		end(run, false, mem_strdup("not started: the script host's memory is used up"));
		return;
	}
	run->deadline = timer_new(engine->loop, on_deadline, run);
	timer_start(run->deadline, job->timeout_ms);
	list_add(&engine->runs, run);
	make_ready(run, false);
}

void run_stop(struct engine *engine, const struct job *job)
{
	for (size_t i = 0; i < engine->runs.count; i++) {
		struct run *run = engine->runs.items[i];

		if (run->job == job) {
			run->doom = DOOM_STOPPED;
			end_doomed(run);
			return;
		}
	}
}

void run_stop_all(struct engine *engine)
{
	struct run *run;

	while ((run = list_shift(&engine->runs)) != NULL) {
		run->doom = DOOM_STOPPED;
		end_doomed(run);
	}
}

int64_t run_left_ms(const struct run *run)
{
	int64_t left = run->deadline_ms - clock_steady_ms();

	return left > 0 ? left : 0;
}

struct run *run_check_wait(lua_State *L, const char *function)
{
	struct run *run = run_of(L);

	if (run == NULL || run->job == NULL)
		luaL_error(L, "%s waits, and while a configuration is being loaded nothing can", function);
	else if (!lua_isyieldable(L) || run->pinned > 0)
		luaL_error(L, "%s waits, and here Lua cannot (in a callback of sort or gsub, a"
			      " metamethod called from C, require)", function);
	return run;
}

static int end_wait(lua_State *L, int status, lua_KContext context)
{
	struct run *run = (struct run *)context; // NOLINT(performance-no-int-to-ptr)
	int count = run->wait.finish != NULL ? run->wait.finish(L, run->wait.data) : 0;

	(void)status;
	clear_wait(run, false);
	return count;
}

int run_wait(lua_State *L, struct run *run, const struct wait *wait)
{
	run->wait = *wait;
	job_waits(run->job, wait->what);
	run->phase = RUN_WAITING;
	run->passing = true;
	run->innermost = L;
	return lua_yieldk(L, 0, (lua_KContext)run, end_wait);
}

void run_wake(struct run *run)
{
	job_waits(run->job, NULL);
	make_ready(run, true);
}

static int load_steps(struct run *run, int nargs)
{
	struct engine *engine = run->engine;
	int results = 0;
	int status = LUA_YIELD;

	do {
		engine->current = run;
		run->passing = false;
		limits_begin_slice(run);
		coroutine_enter(run->co, run);
		status = lua_resume(run->co, engine->L, nargs, &results);
		engine->current = NULL;
		nargs = 0;
	} while (status == LUA_YIELD && run->passing && run->doom == DOOM_NONE);
	return status;
}

static char *load_error(struct run *run, int64_t ms, int status)
{
	const char *place = ending_place(run);

	switch (run->doom) {
	case DOOM_TIMEOUT:
		return mem_printf("took longer than %lld s to load; it was at %s",
				  (long long)(ms / 1000), place);
	case DOOM_MEMORY:
		return mem_printf("needs more than %d MiB while it is loaded; it was at %s",
				  (int)(LOAD_MEMORY_BYTES >> 20), place);
	case DOOM_STOPPED:
	case DOOM_BURST:
		return mem_printf("loading was ended at %s", place);
	case DOOM_NONE:
		break;
	}
	run->innermost = run->co;
	return ending_text(run, status == LUA_YIELD ? "coroutine.yield outside of a coroutine" : NULL);
}

bool run_load(struct engine *engine, int nargs, int64_t ms, char **error)
{
	struct run run = { .engine = engine, .deadline_ms = clock_steady_ms() + ms };
	lua_State *L = engine->L;
	int status;

	*error = NULL;
	engine->uncapped = true;
	run.co = lua_newthread(L);
	engine->uncapped = false;
	run.innermost = run.co;
	lua_insert(L, -nargs - 2); /* co function args */
	lua_xmove(L, run.co, nargs + 1);
	status = load_steps(&run, nargs);
	if (status == LUA_OK)
		lua_xmove(run.co, L, 1);
	else
		*error = load_error(&run, ms, status);
	coroutine_park(run.co);
	lua_remove(L, status == LUA_OK ? -2 : -1);
	return status == LUA_OK;
}
