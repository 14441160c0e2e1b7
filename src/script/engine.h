/*
 * The inside of a script host: a Lua state, the runs in it, and their limits.
 * All on the host's thread but for `pulse` and `abandoned`.
 *
 * A run is a coroutine. It is stopped in one way only: its hook (or a wait of
 * the API) yields, and the run is never resumed (lua-notes.md, "Stopping a
 * run"). Every thread of Lua carries its run in its extra space.
 */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "core/config.h"
#include "loop/timer.h"
#include "net/http.h"
#include "net/resolve.h"
#include "process/child.h"
#include "script/job.h"
#include "script/shared.h"

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
	DOOM_STOPPED, /* the daemon or the host ends */
};

/* What a waiting run waits for. */
struct wait {
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

/* What the monitor may look at when the host gives no sign. */
struct pulse {
	pthread_mutex_t lock;
	unsigned long job_id; /* 0: no run holds the host */
	char trigger[128];
	char place[256]; /* file:line, as the hook saw it last */
};

struct engine {
	lua_State *L;
	uv_loop_t *loop;
	uv_idle_t *idle;
	struct child_port *port;
	struct resolver *resolver; /* NULL until somebody asks */
	struct http *http;         /* likewise */
	struct config *nodes; /* copies of the configured ones, for their credentials; NULL: none */
	struct shared *shared;
	struct list runs;
	struct list ready;
	struct run *current;
	size_t memory_used;
	size_t memory_limit;
	bool refused;  /* the last request for memory was */
	bool uncapped; /* while an error is described */
	struct pulse *pulse;
	const atomic_bool *abandoned; /* end everything at the next chance */
	void (*ended)(void *data, struct job *job); /* the outcome is in the job */
	void (*full)(void *data); /* what no run holds takes more than FULL_PART of the memory */
	void *data;
};

/* engine.c: NULL state when there is no memory. */
bool engine_open(struct engine *engine, uv_loop_t *loop); /* loop NULL: only to load files */
/* For short-lived programs: to load files, and to call our own Lua. */
bool engine_open_alone(struct engine *engine);
/* Drops all runs and closes the state; handles close when the loop runs next. */
void engine_close(struct engine *engine);

/* Keeps copies of these nodes: pm.query() finds their credentials. */
void engine_keep_nodes(struct engine *engine, const struct config *config);

/* The loop's look-ups. */
struct resolver *engine_resolver(struct engine *engine);

/* The loop's HTTP. */
struct http *engine_http(struct engine *engine);

/* Has engine_work() called in the loop's next turn. */
void engine_kick(struct engine *engine);

/* run.c. Starts a job: takes a reference. Never runs it from inside the call. */
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

/* The run that this thread of Lua belongs to; NULL outside of any. */
struct run *run_of(lua_State *L);

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

/* limits.c: the hook and the allocator. */
void *limits_alloc(void *engine, void *block, size_t old_size, size_t new_size);
void limits_set_hook(lua_State *L, int count);
int64_t limits_now_us(void);
/* Notes where L is, for the monitor. */
void limits_note_place(lua_State *L, const struct run *run);
/* Appends "file:line" of where L is, "?" if that is unknown. */
void limits_add_place(lua_State *L, char *out, size_t size);

/* coroutines.c: coroutine.*, xpcall and setmetatable that keep to the limits. */
bool coroutine_is_parked(lua_State *co);
void coroutine_park(lua_State *co);
void coroutine_enter(lua_State *co, struct run *run);
void coroutine_leave(lua_State *co); /* it belongs to no run */
int luaopen_plusmoin_coroutines(lua_State *L);

/* The API's primitives: tables with functions. */
int luaopen_plusmoin_core(lua_State *L);
int luaopen_plusmoin_exec(lua_State *L);
int luaopen_plusmoin_request(lua_State *L);
int luaopen_plusmoin_http(lua_State *L);
int luaopen_plusmoin_query(lua_State *L);
int luaopen_plusmoin_json(lua_State *L);
int luaopen_plusmoin_store(lua_State *L);
int luaopen_plusmoin_libs(lua_State *L);

/* query.c: closes the connections of a run. */
void query_end_sessions(struct run *run);

/* core.c: says how many of the run's lines were left out, if any were. */
void core_log_left_out(struct run *run);

/* The engine of this state. */
struct engine *engine_of(lua_State *L);

/* The registry's metatable of tables that pm.json writes as arrays, also when they are empty. */
#define ARRAY_MARK "plusmoin.array"

/* tables.c: what Lua sees of events, clusters and nodes. Push one table. */
void tables_push_event(lua_State *L, const struct event *event);
void tables_push_cluster(lua_State *L, const struct view *view, const struct view *others);
