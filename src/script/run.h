/*
 * Runs. A run is a coroutine that runs a job, or loads the files. It is stopped in one way only: its hook (or a wait
 * of the API) yields, and the run is never resumed (lua-notes.md, "Stopping a run"). Host's thread.
 */
#pragma once

#include "loop/timer.h"
#include "script/state.h"

#define RUN_SLICE_US 2000     /* a run that does not wait lets other runs in after this time */
#define RUN_BURST_US 50000    /* a run may compute for this time where Lua cannot yield */
#define RUN_BURST_WALL_US 500000 /* and hold the host so long by the clock, which goes on while others have the core */
#define RUN_HOOK_COUNT 1000   /* the hook is called after so many instructions: 5 to 30 us (lua-notes.md) */
#define RUN_ERROR_BYTES 8192  /* of an error with its traceback */
#define RUN_LOG_LINES 500         /* a second; further lines of a run are counted and left out */
#define FULL_PART 0.5             /* a host is full when more than this part of the limit is kept */
#define LOAD_MEMORY_BYTES ((size_t)256 << 20) /* the limit while files are loaded, which have yet to set one */

enum run_phase { RUN_READY, RUN_RUNNING, RUN_WAITING };

/* Why a run must not go on. */
enum doom {
	DOOM_NONE,
	DOOM_TIMEOUT, /* its wall time is over */
	DOOM_BURST,   /* it has held the host where Lua cannot yield */
	DOOM_MEMORY,  /* it was refused memory */
	DOOM_STOPPED, /* the daemon or the host ends, or somebody has asked for its end */
};

/* What a run waits for. */
struct wait {
	const char *what; /* one word for people; a literal */
	/* Drops what is under way, as the run is stopped. May be NULL. */
	void (*cancel)(void *data);
	/* Pushes the results, and returns how many; may raise. */
	int (*finish)(lua_State *L, void *data);
	/* Frees `data`; called at the end of each wait, after finish or cancel. */
	void (*release)(void *data);
	void *data;
};

struct run {
	struct engine *engine;
	struct job *job; /* NULL: the load of the files */
	lua_State *co;
	int ref;              /* a reference in the registry, which keeps `co` alive */
	lua_State *innermost; /* where it runs or was stopped: `co`, or a coroutine that it has made */
	enum run_phase phase;
	enum doom doom;
	bool passing; /* a yield of the hook or of a wait passes through its coroutines up to `co` */
	int pinned;   /* how many coroutines around the present code were resumed where Lua cannot yield */
	bool started;
	int nargs; /* the number of arguments of its function */
	int64_t started_ms;
	int64_t deadline_ms;
	int64_t burst_us;     /* when the present slice began */
	int64_t burst_cpu_us; /* the CPU time that the host's thread had used by then */
	size_t allocated; /* all bytes that it was given, whether or not they were freed since */
	struct timer *deadline;
	struct wait wait;
	struct list sessions; /* of api_query.c: connections that are kept until the run ends */
	int64_t log_second; /* steady: the second of which log_lines counts the lines */
	unsigned log_lines;
	unsigned long log_left_out; /* lines that were left out and are not yet told */
	char doom_place[160]; /* "file:line", where its hook stopped it; "": it did not */
};

/* Starts a job, of which it takes a reference. Never runs it from inside the call. */
void run_start(struct engine *engine, struct job *job);
/* Ends the run of this job, if it is under way. */
void run_stop(struct engine *engine, const struct job *job);
/* Ends all runs. */
void run_stop_all(struct engine *engine);
/* Runs what is ready, for about one slice. */
void engine_work(struct engine *engine);

/*
 * Calls the function with its `nargs` arguments, which are on top of the state's stack,
 * as a run of its own that has to end within `ms`. True: its one result is there in
 * their place. False: `*error` says what is wrong; the caller frees it.
 */
bool run_load(struct engine *engine, int nargs, int64_t ms, char **error);

/*
 * For functions of the API that wait: run_check_wait() raises an error where no wait
 * is possible. `return run_wait(...)`, which takes over `wait`, ends the C function;
 * after run_wake() the run goes on with what `finish` pushes as the results.
 */
struct run *run_check_wait(lua_State *L, const char *function);
int run_wait(lua_State *L, struct run *run, const struct wait *wait);
void run_wake(struct run *run);

/* Milliseconds until the run's timeout; 0: it is over. */
int64_t run_left_ms(const struct run *run);
