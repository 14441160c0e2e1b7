/*
 * A load of the configuration: struct config, its script host, and a task for each function that runs there for
 * dispatch. Each task is told as ended once: when the host says so, when the host gives no sign past the task's
 * timeout, or when the host is left behind.
 *
 * A host that a function holds for lua.patience is left behind, and another one is made from what the load has read
 * (remake.h). Tasks that had not begun wait for that one. Monitor's loop.
 */
#pragma once

#include "base/json.h"
#include "dispatch/runner.h"
#include "loop/timer.h"
#include "script/host.h"

#define LOAD_HOLDS 2 /* a function that has held its host this often is not called again */

enum load_state {
	LOAD_RUNS,
	LOAD_SILENT, /* a function holds the host past a timeout or lua.patience: others wait */
	LOAD_DROPS,  /* a function holds the host past lua.patience, and no further host can be left behind */
	LOAD_MAKES,  /* there is no host, and one is being made: functions wait */
	LOAD_LACKS,  /* there is no host, and none can be made: functions are dropped until a reload */
};

struct load;

struct load_events {
	/* A function has held the host for lua.patience. The callee calls load_leave() or load_drop(). */
	void (*held)(void *data, struct load *load);
	/* The load does not use this host any more, and the callee ends it; `held`: a run holds the host. */
	void (*spare)(void *data, struct host *host, bool held);
	/* The job is about to be told as ended, whatever its run still does. `failed`: but not by its timeout. */
	void (*ending)(void *data, struct job *job, bool failed);
	/* More can run than before, or load_render() has something else to say. */
	void (*changed)(void *data);
};

struct load {
	uv_loop_t *loop;
	struct config *config; /* a reference */
	struct record *record; /* a reference */
	enum load_state state;
	struct host *host; /* NULL: it was left behind */
	struct host *next; /* the host that is being made in its place; NULL: none is */
	struct list old;   /* hosts that were replaced, while something still runs there */
	struct list tasks;
	struct timer *watch;       /* until the host is looked at again */
	struct timer *next_timer;  /* ends the load of `next` when it takes too long; NULL: there never was a `next` */
	unsigned long slice;       /* that of the host when the watch saw it last */
	int64_t held_ms;           /* for how long the watch has seen that slice */
	unsigned *holds;           /* how often each function, by its number, has held its host */
	unsigned made_again;       /* how often the host was made again */
	char *lack; /* why no further host could be made; NULL: none has failed */
	const struct load_events *events;
	void *data;
};

struct task;

/* Takes over `host`, whose configuration is `config`. `events` stay the caller's. */
struct load *load_new(uv_loop_t *loop, struct config *config, struct host *host,
		      const struct load_events *events, void *data);

/* Gives up all its hosts by `spare`. Its tasks are not told. Clears the pointer. */
void load_free(struct load **load);

/* Whether a function could start now. */
bool load_is_ready(const struct load *load);

/* Runs the job, which it takes over, as start() in runner.h does. */
struct task *load_start(struct load *load, struct job *job,
			void (*ended)(void *owner, const struct runner_outcome *outcome), void *owner);

/* The job of the task, which owns it; valid until its `ended` has returned. */
const struct job *load_job(const struct task *task);

/* Ends the task, as stop() in runner.h does. */
void load_stop(struct task *task, enum runner_stop how);

/* The host has sent the outcome of this job. */
void load_take_outcome(struct job *job);

/* The host has sent a message, or gone on to another slice, so nothing holds it now. */
void load_see_sign(struct load *load);

/* Tells tasks that run on the host as failed, and gives the host to the caller. Tasks that have not begun wait. */
struct host *load_leave(struct load *load);

/* The host cannot be left behind: tasks that have not begun are dropped until it gives a sign, or is left after all. */
void load_drop(struct load *load);

/* Runs tasks on this host, whose load has ended, from now on; the host before ends what it runs. */
void load_take_host(struct load *load, struct host *host);

/* No further host can be made: if the load has none, what waits is dropped. Takes over `why`. */
void load_lacks(struct load *load, char *why);

/* Writes into an open object: "state", "why", "made_again", "not_called". */
void load_render(const struct load *load, struct json *json);
