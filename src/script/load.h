/*
 * A load of the configuration: struct config, its host, and the functions that run there as dispatch
 * knows them. Each run is told as ended once: when the host says so, when the host gives no sign past
 * the run's timeout, or when the host is left behind.
 *
 * A host that a function holds for lua.patience is left behind, and made again from what the load has
 * read (remake.h); what had not begun waits for it. Monitor's loop.
 */
#pragma once

#include "base/json.h"
#include "dispatch/runner.h"
#include "loop/timer.h"
#include "script/host.h"

#define LOAD_HOLDS 2 /* a function that has held its host so often is not called again */

enum load_state {
	LOAD_RUNS,
	LOAD_SILENT, /* a function holds the host, and some run is late for it: others wait */
	LOAD_DROPS,  /* it holds it for longer than lua.patience, and no host can be left behind */
	LOAD_MAKES,  /* there is no host, and one is being made: what is to run waits */
	LOAD_LACKS,  /* there is none, and none can be made: functions are dropped until a reload */
};

struct load;

struct load_events {
	/* A function has held the host for lua.patience. The callee says load_leave() or load_drop(). */
	void (*held)(void *data, struct load *load);
	/* The load has no use for this host any more, the callee ends it; `held`: it gives no sign. */
	void (*spare)(void *data, struct host *host, bool held);
	/* More can run than before, or there is more to show. */
	void (*changed)(void *data);
};

struct load {
	uv_loop_t *loop;
	struct config *config; /* a reference */
	struct record *record; /* likewise */
	enum load_state state;
	struct host *host; /* NULL: left behind */
	struct host *next; /* is being made in its place; NULL: none */
	struct list old;   /* hosts that were replaced and end what they run */
	struct list tasks;
	struct timer *watch;
	struct timer *next_timer;  /* the time that `next` has to load; NULL: there never was one */
	unsigned long slice;       /* in which the watch saw the host last, */
	int64_t held_ms;           /* and for how long it has seen nothing else */
	unsigned *holds;           /* by function: how often it has held its host */
	unsigned made_again;
	char *lack; /* why no further host could be made; NULL: nothing is known against it */
	const struct load_events *events;
	void *data;
};

struct task;

/* Takes over `host`, whose configuration is `config`. `events` stay the caller's. */
struct load *load_new(uv_loop_t *loop, struct config *config, struct host *host,
		      const struct load_events *events, void *data);

/* Its hosts, as far as it has them, become spare. Clears the pointer. */
void load_free(struct load **load);

/* Whether a function could start now. */
bool load_is_ready(const struct load *load);

/* Runs the job, which it takes over, as runner.h says. */
struct task *load_start(struct load *load, struct job *job,
			void (*ended)(void *owner, const struct runner_outcome *outcome), void *owner);

/* What it runs; the task's, also while its `ended` is called. */
const struct job *load_job(const struct task *task);

void load_stop(struct task *task, enum runner_stop how);

/* The host has sent the outcome of this job. */
void load_take_outcome(struct job *job);

/* The host has given a sign. */
void load_see_sign(struct load *load);

/* Tells what runs on the host as failed and gives the host to the caller; what has not begun waits. */
struct host *load_leave(struct load *load);

/* The host cannot be left: what has not begun is dropped, until the host gives a sign or is left after all. */
void load_drop(struct load *load);

/* This host, whose load is over, runs what is to run from now on; an earlier one ends what it runs. */
void load_take_host(struct load *load, struct host *host);

/* No further host can be made: without one, what waits is dropped. Takes over `why`. */
void load_lacks(struct load *load, char *why);

/* Into an open object: "state", "why", "made_again", "not_called". */
void load_render(const struct load *load, struct json *json);
