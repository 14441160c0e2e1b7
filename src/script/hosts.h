/*
 * The script hosts of a daemon: that of the present load, those of earlier loads that
 * still run something, and those that were left behind in a C call that does not
 * return. Runs jobs on them for dispatch (runner.h), and loads the configuration anew;
 * nothing else here has the configuration read from the disk. Monitor's loop.
 */
#pragma once

#include "dispatch/runner.h"
#include "script/host.h"

#define HOSTS_LEFT_BEHIND 2 /* design.md, "Threads": two at most */

struct hosts;

struct hosts_events {
	/*
	 * Asks whether a load that has no errors may come into force. Returns NULL: it may, and loaded() follows with
	 * it. Else why not, in words for people, which the caller frees: the load is dropped, and loaded() follows
	 * without a configuration and with these words as its error. The member may be NULL, and then nothing is
	 * refused.
	 */
	char *(*refuses)(void *data, const struct config *config);
	/*
	 * A load has ended. `config` NULL: it failed, `report` says why, and all stays as it was; else it is in force
	 * from now on (the callee takes its own reference). `number`: what hosts_load() returned; this also answers
	 * all calls to which it returned a lower one.
	 */
	void (*loaded)(void *data, unsigned long number, struct config *config,
		       const struct load_report *report);
	/* More can run than before, or hosts_render() has something else to say. */
	void (*changed)(void *data);
	/* Changes of pm.state are ready (shared_take()); the run that made them is told as ended next. May be NULL. */
	void (*assigned)(void *data);
};

/* Takes over `host`, and `shared`; takes a reference of `config`, which is the host's configuration. */
struct hosts *hosts_new(uv_loop_t *loop, struct host *host, struct config *config,
			struct shared *shared, const struct hosts_events *events, void *data);
const struct runner *hosts_runner(struct hosts *hosts);

/* Lua code that somebody typed at a console; all text is the caller's. */
struct hosts_code {
	const char *session; /* the session whose variables it sees */
	const char *chunk;   /* the chunk's name in errors, as lua_load() takes it */
	const char *text;
	int64_t timeout_ms;
};

/*
 * Runs code on the host of the load that gave `config`, of which the caller keeps a reference until `ended` is called.
 * That is called once, not from inside this call; it is not called when the daemon ends before. Returns the run, for
 * the runner's stop().
 */
void *hosts_run_code(struct hosts *hosts, const struct config *config, const struct hosts_code *code,
		     void (*ended)(void *owner, const struct runner_outcome *outcome), void *owner);

/* The job of such a run, which has more of its result than the outcome; valid until `ended` has returned. */
const struct job *hosts_code_job(const void *run);

/* Drops the variables of a session that has ended. */
void hosts_forget(struct hosts *hosts, const char *session);

/*
 * Loads the configuration's file; a call during a load has another one follow it. Returns
 * the number of the load that will read the file as it is now; 0: no thread can be started.
 */
unsigned long hosts_load(struct hosts *hosts);

/* A number that changes whenever hosts_render() would say something else. */
unsigned long hosts_generation(const struct hosts *hosts);

/* Writes into an open object the state of the present load (load_render()), and "left_behind". */
void hosts_render(const struct hosts *hosts, struct json *json);

/* How many bytes the Lua state of the present load's host takes; 0: it has no host now. */
size_t hosts_memory(const struct hosts *hosts);

/* Ends all hosts; false: a thread did not end, and not all is freed. Clears the pointer. */
bool hosts_free(struct hosts **hosts);
