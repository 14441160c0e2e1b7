/* The hook and the allocator, which keep a run within its time and memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loop/clock.h"
#include "script/limits.h"

#define MODEST_PART 16 /* a run that took less than this part of the limit is not refused memory at once */
#define PLACE_LEVELS 8 /* calls of the stack in which a line is looked for */

static int64_t read_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t limits_now_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

void limits_begin_slice(struct run *run)
{
	run->burst_us = limits_now_us();
	run->burst_cpu_us = read_us(CLOCK_THREAD_CPUTIME_ID);
}

void limits_add_place(lua_State *L, char *out, size_t size)
{
	lua_Debug ar;

	(void)snprintf(out, size, "?");
	for (int level = 0; level < PLACE_LEVELS && lua_getstack(L, level, &ar) != 0; level++) {
		if (lua_getinfo(L, "Sl", &ar) == 0 || ar.currentline <= 0)
			continue;
		if (ar.source[0] != '=' || out[0] == '?')
			(void)snprintf(out, size, "%s:%d", ar.short_src, ar.currentline);
		if (ar.source[0] != '=')
			return;
	}
}

void limits_note_place(lua_State *L, const struct run *run)
{
	struct pulse *pulse = run->engine->pulse;
	char place[sizeof(pulse->place)];

	limits_add_place(L, place, sizeof(place));
	pthread_mutex_lock(&pulse->lock);
	memcpy(pulse->place, place, sizeof(place));
	pthread_mutex_unlock(&pulse->lock);
}

/*
 * Whether a run has held the host for too long where Lua cannot yield. Its CPU time counts first: on a busy machine a
 * `require` of a few ms takes more than RUN_BURST_US by the clock, for which the run can do nothing. CPU time is read
 * only when the clock gives a reason, because that is a system call.
 */
static bool is_burst(const struct run *run, int64_t held_us)
{
	return held_us > RUN_BURST_US && (held_us > RUN_BURST_WALL_US ||
					  read_us(CLOCK_THREAD_CPUTIME_ID) - run->burst_cpu_us > RUN_BURST_US);
}

static enum doom find_doom(const struct run *run, bool can_yield, int64_t held_us)
{
	if (atomic_load(run->engine->abandoned))
		return DOOM_STOPPED;
	if (clock_steady_ms() > run->deadline_ms)
		return DOOM_TIMEOUT;
	if (run->job != NULL && !can_yield && is_burst(run, held_us))
		return DOOM_BURST;
	return DOOM_NONE;
}

static const char *doom_text(enum doom doom)
{
	switch (doom) {
	case DOOM_TIMEOUT:
		return "out of time";
	case DOOM_BURST:
		return "ran too long where Lua cannot wait";
	case DOOM_MEMORY:
		return "out of memory";
	case DOOM_STOPPED:
	case DOOM_NONE:
		break;
	}
	return "stopped";
}

static void on_count(lua_State *L, lua_Debug *ar)
{
	struct run *run = run_of(L);
	bool can_yield;
	int64_t held_us;

	(void)ar;
	if (run == NULL)
		return;
	limits_note_place(L, run);
	can_yield = lua_isyieldable(L) && run->pinned == 0;
	held_us = limits_now_us() - run->burst_us;
	if (run->doom == DOOM_NONE)
		run->doom = find_doom(run, can_yield, held_us);
	if (run->doom != DOOM_NONE) {
		limits_set_hook(L, 1);
		if (run->doom_place[0] == '\0')
			limits_add_place(L, run->doom_place, sizeof(run->doom_place));
	}
	if (can_yield && (run->doom != DOOM_NONE || (run->job != NULL && held_us > RUN_SLICE_US))) {
		run->passing = true;
		run->innermost = L;
		lua_yield(L, 0); /* in a hook it returns, and Lua yields when the hook has returned */
	} else if (run->doom != DOOM_NONE) {
		luaL_error(L, "%s", doom_text(run->doom));
	} else {
		limits_set_hook(L, RUN_HOOK_COUNT); /* limits_after_call() may have set it to 1 */
	}
}

void limits_after_call(lua_State *L, const struct run *run)
{
	if (run->job != NULL && limits_now_us() - run->burst_us > RUN_SLICE_US)
		limits_set_hook(L, 1);
}

void limits_set_hook(lua_State *L, int count)
{
	if (lua_gethook(L) == on_count && lua_gethookcount(L) == count)
		return; /* lua_sethook() walks through all calls of L, which takes time */
	lua_sethook(L, on_count, LUA_MASKCOUNT, count);
}

/*
 * Whether a request for memory is refused. Over the limit a run is refused if it took much itself; one that took
 * little may go on up to twice the limit in all, as others have used the memory up. After a refusal Lua collects
 * garbage and asks once more; a run that is refused then must not go on.
 */
static bool is_refused(struct engine *engine, bool new_block, size_t more)
{
	struct run *run = engine->current;
	size_t limit = run != NULL && run->job == NULL ? LOAD_MEMORY_BYTES : engine->memory_limit;

	if (engine->uncapped || engine->memory_used + more <= limit)
		return false;
	if (run == NULL)
		return engine->memory_used + more > 2 * limit;
	if (run->doom == DOOM_NONE && run->job != NULL && engine->memory_used + more <= 2 * limit &&
	    run->allocated + more <= limit / MODEST_PART)
		return false;
	if (run->doom == DOOM_NONE && engine->refused) {
		run->doom = DOOM_MEMORY;
		/* A block that grows may be Lua's stack, which from 5.4.5 on cannot be read while it is reallocated.
		   Then the hook notes the place, though the error may have left the function by then. */
		if (new_block)
			limits_add_place(run->innermost, run->doom_place, sizeof(run->doom_place));
		limits_set_hook(run->innermost, 1);
	}
	return true;
}

static void note_use(struct engine *engine, size_t used)
{
	engine->memory_used = used;
	atomic_store_explicit(&engine->pulse->memory, used, memory_order_relaxed);
}

void *limits_alloc(void *data, void *block, size_t old_size, size_t new_size)
{
	struct engine *engine = data;
	void *result;

	if (block == NULL)
		old_size = 0; /* for a new block Lua gives the kind of object there */
	if (new_size == 0) {
		free(block);
		note_use(engine, engine->memory_used - old_size);
		return NULL;
	}
	if (new_size > old_size && is_refused(engine, block == NULL, new_size - old_size)) {
		engine->refused = true;
		return NULL;
	}
	result = realloc(block, new_size);
	if (result == NULL)
		return new_size <= old_size ? block : NULL; /* Lua relies on it that shrinking cannot fail */
	note_use(engine, engine->memory_used - old_size + new_size);
	if (new_size > old_size)
		engine->refused = false;
	if (engine->current != NULL && new_size > old_size)
		engine->current->allocated += new_size - old_size;
	return result;
}
