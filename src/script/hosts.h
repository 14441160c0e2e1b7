/*
 * The hosts of a daemon: the one of the present load, earlier ones that end what
 * they run, and those that were left behind in a C call that does not return.
 * Runs jobs on them for dispatch (runner.h), sees that each run ends or is
 * called off, and loads the configuration anew: nothing else reads the disk. Monitor's loop.
 */
#pragma once

#include "dispatch/runner.h"
#include "script/host.h"

#define HOSTS_LEFT_BEHIND 2 /* design.md, "Threads": two at most */

struct hosts;

struct hosts_events {
	/*
	 * A load is good: may it come in force? NULL: yes, and loaded() follows with it. Else why not, allocated, for
	 * people: the load is dropped before anybody has seen it, loaded() follows without a configuration, and the
	 * reason is its report's error. A member that is NULL refuses nothing.
	 */
	char *(*refuses)(void *data, const struct config *config);
	/*
	 * A load has ended. `config` NULL: `report` says why, and all stays as it was;
	 * else it is in force from now on (the callee takes its own reference).
	 * `number`: as hosts_load() gave it; with it all loads asked for before are answered.
	 */
	void (*loaded)(void *data, unsigned long number, struct config *config,
		       const struct load_report *report);
	/* More can run than before, or hosts_render() has more to say. */
	void (*changed)(void *data);
};

/* Takes `host`, whose configuration is `config` (takes a reference), and `shared`. */
struct hosts *hosts_new(uv_loop_t *loop, struct host *host, struct config *config,
			struct shared *shared, const struct hosts_events *events, void *data);
const struct runner *hosts_runner(struct hosts *hosts);

/* Lua's code that somebody typed; all text is the caller's. */
struct hosts_code {
	const char *session; /* whose variables it sees */
	const char *chunk;   /* what errors call it, as lua_load() takes it */
	const char *text;
	int64_t timeout_ms;
};

/*
 * Runs code on the host of the load that `config` came in with, which the caller keeps referenced until `ended` is
 * called, once and not from inside this call. What it returns is for the runner's stop(). When the daemon ends before,
 * `ended` is not called.
 */
void *hosts_run_code(struct hosts *hosts, const struct config *config, const struct hosts_code *code,
		     void (*ended)(void *owner, const struct runner_outcome *outcome), void *owner);

/* What came of it, besides the outcome; until `ended` has returned. */
const struct job *hosts_code_job(const void *run);

/* The session has ended: its variables go. */
void hosts_forget(struct hosts *hosts, const char *session);

/*
 * Loads the configuration's file; a call during a load makes one more. The number
 * of the load that will see the file as it is now; 0: there is no thread for it.
 */
unsigned long hosts_load(struct hosts *hosts);

/* Another number after each change of what hosts_render() says. */
unsigned long hosts_generation(const struct hosts *hosts);

/* Into an open object: how the present load's functions are (load_render()), and "left_behind". */
void hosts_render(const struct hosts *hosts, struct json *json);

/* How many bytes the state of the present load's host takes; 0: it has none now. */
size_t hosts_memory(const struct hosts *hosts);

/* Ends all; false: a thread does not end, and what it holds lives on. Clears the pointer. */
bool hosts_free(struct hosts **hosts);
