/*
 * A load of the configuration: struct config, its host, and the functions that
 * run there as dispatch knows them. Each run is told as ended once: when the
 * host says so, or when the host gives no sign past the run's timeout. Monitor's
 * loop.
 */
#pragma once

#include "dispatch/runner.h"
#include "loop/timer.h"
#include "script/host.h"

struct load {
	uv_loop_t *loop;
	struct config *config; /* a reference */
	struct host *host;     /* NULL: left behind, and no successor could be loaded */
	struct list tasks;
	bool hangs;    /* gave no sign at a deadline */
	bool dropping; /* hangs, and too many hosts are left behind already */
	struct timer *patience;
};

struct task;

/* `out_of_patience` is called when the host has hung for lua.patience. */
struct load *load_new(uv_loop_t *loop, struct config *config, struct host *host,
		      void (*out_of_patience)(void *data), void *data);

/* Its host, if it has one, is the caller's to end. Clears the pointer. */
void load_free(struct load **load);

/* As runner.h says. */
struct task *load_start(struct load *load, unsigned long id, const struct config_action *action,
			struct event *event,
			void (*ended)(void *owner, const struct runner_outcome *outcome),
			void *owner);
void load_stop(struct task *task, bool force);

/* The host has sent the outcome of this job. */
void load_take_outcome(struct job *job);

/* Tells all that run as failed. */
void load_fail(struct load *load, const char *why);

/* The host has given a sign: true if it had hung. */
bool load_see_sign(struct load *load);
