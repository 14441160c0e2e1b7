/*
 * Runs. A run is a coroutine. It is stopped in one way only: its hook (or a wait of the API) yields, and
 * the run is never resumed (lua-notes.md, "Stopping a run"). Host's thread.
 */
#pragma once

#include "loop/timer.h"
#include "script/state.h"

#define RUN_SLICE_US 2000     /* a run that does not wait lets others in so often */
#define RUN_BURST_US 50000    /* and may hold the host so long where Lua cannot yield */
#define RUN_HOOK_COUNT 1000   /* instructions: 5 to 30 us (lua-notes.md) */
#define RUN_ERROR_BYTES 8192  /* of an error with its traceback */
#define RUN_LOG_LINES 500         /* a second: what a run logs beyond is counted and left out */
#define FULL_PART 0.5             /* of the limit */
#define LOAD_MEMORY_BYTES ((size_t)256 << 20) /* while files are loaded: no limit is known yet */

enum run_phase { RUN_READY, RUN_RUNNING, RUN_WAITING };

/* Why a run must not go on. */
enum doom {
	DOOM_NONE,
	DOOM_TIMEOUT, /* its wall time is over */
	DOOM_BURST,   /* held the host where Lua cannot yield */
	DOOM_MEMORY,
	DOOM_STOPPED, /* the daemon or the host ends, or somebody has asked for its end */
};

/* What a waiting run waits for. */
struct wait {
	const char *what; /* in a word, for people; lives for ever */
	/* It is not wanted any more: what is under way is dropped. */
	void (*cancel)(void *data);
	/* Pushes the results; may raise. How many. */
	int (*finish)(lua_State *L, void *data);
	/* Frees `data`; always called, after finish or cancel. */
	void (*release)(void *data);
	void *data;
};

struct run {
	struct engine *engine;
	struct job *job; /* NULL: the load of the files */
	lua_State *co;
	int ref;              /* keeps co alive */
	lua_State *innermost; /* where it runs or stopped: co, or a coroutine of its own */
	enum run_phase phase;
	enum doom doom;
	bool passing; /* a yield of ours is on its way up: forced by the hook, or a wait */
	int pinned;   /* resumes from where Lua cannot yield, around what runs now */
	bool started;
	int nargs; /* that its function is started with */
	int64_t started_ms;
	int64_t deadline_ms;
	int64_t burst_us; /* when the present slice began */
	size_t allocated; /* bytes, all in all */
	struct timer *deadline;
	struct wait wait;
	struct list sessions; /* query.c's: connections that are kept until the run ends */
	int64_t log_second; /* steady; in it so many lines were logged, and since then left out: */
	unsigned log_lines;
	unsigned long log_left_out;
	char doom_place[160]; /* file:line, where its hook stopped it */
};

/* Starts a job: takes a reference. Never runs it from inside the call. */
void run_start(struct engine *engine, struct job *job);
/* Ends the run of this job, if it is under way. */
void run_stop(struct engine *engine, const struct job *job);
/* Ends all runs. */
void run_stop_all(struct engine *engine);
/* Runs what is ready, for about one slice. */
void engine_work(struct engine *engine);

/*
 * Calls the function and its `nargs` arguments on top of the state's stack as a
 * run of its own, to the end, within `ms`; on true its one result is there
 * instead. False: `*error` says what is wrong, the caller frees it.
 */
bool run_load(struct engine *engine, int nargs, int64_t ms, char **error);

/*
 * For functions of the API that wait: run_check_wait() raises an error where
 * none is possible; `return run_wait(...)` ends the function, and what `finish`
 * pushes after run_wake() are its results. Takes `wait` over.
 */
struct run *run_check_wait(lua_State *L, const char *function);
int run_wait(lua_State *L, struct run *run, const struct wait *wait);
void run_wake(struct run *run);

/* Milliseconds that are left to it. */
int64_t run_left_ms(const struct run *run);
