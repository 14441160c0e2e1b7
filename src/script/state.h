/*
 * The engine: the Lua state of a script host, and all that belongs to it. Here is also noted to which run a coroutine
 * belongs. All on the host's thread but for `pulse` and `abandoned`.
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
#include "net/http.h"
#include "net/resolve.h"
#include "process/child.h"
#include "script/job.h"
#include "script/record.h"
#include "script/shared.h"

struct run;

/* The pulse: what the monitor reads when the host gives no sign. */
struct pulse {
	pthread_mutex_t lock; /* protects all but `memory` */
	unsigned long job_id; /* 0: no run holds the host */
	unsigned long slice;  /* counted up with each slice: while it stays, the host has gone on to nothing else */
	int function;         /* of the job */
	char trigger[128];
	char place[256]; /* "file:line", as the hook saw it last */
	atomic_size_t memory; /* bytes that the Lua state takes */
};

struct engine {
	lua_State *L;
	uv_loop_t *loop;
	uv_idle_t *idle;
	struct child_port *port;
	struct resolver *resolver; /* NULL: engine_resolver() was not called yet */
	struct http *http;         /* NULL: engine_http() was not called yet */
	struct config *nodes; /* copies of the configured ones, for their credentials; NULL: none */
	struct shared *shared;
	struct record *record; /* the record of the load, its owner's; NULL: nothing is kept */
	bool again;            /* the load is made again from `record` */
	char *strayed;         /* what a load that is made again asked for beyond its record; NULL: nothing */
	struct list runs;
	struct list ready;     /* the runs that can go on, in their order */
	struct run *current;   /* the one that runs now; NULL: none */
	size_t memory_used;
	size_t memory_limit;
	bool refused;  /* the last request for memory was refused */
	bool uncapped; /* no request for memory is refused now, as our own code has to succeed */
	struct pulse *pulse;
	const atomic_bool *abandoned; /* the host was left behind: every run ends at the next chance */
	void (*ended)(void *data, struct job *job); /* a run has ended; the outcome is in its job */
	void (*full)(void *data); /* what no run holds takes more than FULL_PART of the memory */
	void *data;
	/* Called in turn when a run ends, to drop what parts of the API keep for it. NULL-terminated. */
	void (*const *run_ends)(struct run *run);
	void (*work)(struct engine *engine); /* called in the loop's turn after engine_kick() */
};

/* The engine of this state. */
struct engine *engine_of(lua_State *L);

/* Keeps copies of these nodes, where pm.query() finds credentials. Their passwords stay blanked in texts as long. */
void engine_keep_nodes(struct engine *engine, const struct config *config);

/* The resolver of the engine's loop; makes it at the first call. */
struct resolver *engine_resolver(struct engine *engine);

/* The HTTP client of the engine's loop; makes it at the first call. */
struct http *engine_http(struct engine *engine);

/* Has engine->work() called in the loop's next turn. */
void engine_kick(struct engine *engine);

/* Begin and end the use of a loop. After engine_close_loop() the loop has to run once more, to close the handles. */
void engine_open_loop(struct engine *engine, uv_loop_t *loop);
void engine_close_loop(struct engine *engine);

/*
 * The run to which this coroutine belongs; NULL: none. Every coroutine has its run in
 * its extra space.
 */
struct run *run_of(lua_State *L);

/* A coroutine is parked while a yield of the hook or of a wait has stopped it: only its run may resume it. */
bool coroutine_is_parked(lua_State *co);
void coroutine_park(lua_State *co);
void coroutine_belongs(lua_State *co, struct run *run);
void coroutine_leave(lua_State *co); /* it belongs to no run */
