/*
 * The state of a script host: its Lua state and what hangs on it, and to which run a thread of Lua
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

/* What the monitor may look at when the host gives no sign. */
struct pulse {
	pthread_mutex_t lock;
	unsigned long job_id; /* 0: no run holds the host */
	unsigned long slice;  /* counts up: while it stays, the host has not got to anything else */
	int function;         /* of the job */
	char trigger[128];
	char place[256]; /* file:line, as the hook saw it last */
	atomic_size_t memory; /* that the state takes; without the lock */
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
	struct record *record; /* of the load, its owner's; NULL: nothing is kept */
	bool again;            /* the load is made again from it */
	char *strayed;         /* what it then asked for that is not in it; NULL: nothing */
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
	/* Called for a run that ends, each in turn: what parts of the API keep for it goes. NULL-terminated. */
	void (*const *run_ends)(struct run *run);
	void (*work)(struct engine *engine); /* what engine_kick() has called */
};

/* The engine of this state. */
struct engine *engine_of(lua_State *L);

/* Keeps copies of these nodes: pm.query() finds their credentials. Their passwords stay blanked as long. */
void engine_keep_nodes(struct engine *engine, const struct config *config);

/* The loop's look-ups. */
struct resolver *engine_resolver(struct engine *engine);

/* The loop's HTTP. */
struct http *engine_http(struct engine *engine);

/* Has engine->work() called in the loop's next turn. */
void engine_kick(struct engine *engine);

/* The loop, from now on; and its end: handles close when the loop runs next. */
void engine_open_loop(struct engine *engine, uv_loop_t *loop);
void engine_close_loop(struct engine *engine);

/*
 * Every thread of Lua carries its run in its extra space. The run that this one belongs to; NULL
 * outside of any.
 */
struct run *run_of(lua_State *L);

/* Stopped by a yield of ours: nobody but its run resumes it, and it belongs to none meanwhile. */
bool coroutine_is_parked(lua_State *co);
void coroutine_park(lua_State *co);
void coroutine_belongs(lua_State *co, struct run *run);
void coroutine_leave(lua_State *co); /* it belongs to no run */
