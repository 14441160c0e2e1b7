/*
 * The script host: a thread with a loop and a Lua state of its own, one per load
 * of the configuration (design.md, "Threads"). It evaluates the files, reports
 * struct config or the errors, and then runs the functions that it found in
 * them. It shares nothing with the monitor's thread but jobs and messages.
 *
 * All functions: monitor's thread (or the program's only one, at the start).
 */
#pragma once

#include "script/job.h"
#include "script/loader.h"
#include "script/mailbox.h"
#include "script/record.h"
#include "script/shared.h"

#define HOST_LOAD_MS 10000  /* design.md, "Threads": a load takes 10 s at most */
#define HOST_SIGN_MS 1000   /* a host that works reports a deadline that has passed within this time */

struct host;

/* What a host says. The receiver frees the message and its reference of the job. */
enum host_word {
	HOST_HAS_LOADED,
	HOST_JOB_ENDED,
	HOST_IS_FULL, /* what no run holds takes most of lua.memory_limit: another host has to replace it */
	HOST_IS_GONE, /* its thread ends, so that host_free() does not wait */
};

struct host_message {
	enum host_word word;
	struct host *host;
	struct job *job;
};

/* Which run holds a host. */
struct host_sign {
	unsigned long job_id; /* 0: none does */
	unsigned long slice;  /* changes whenever the host goes on to something else */
	int function;         /* the job's; 0: it is code */
	char trigger[128];
	char place[256];      /* "file:line", where it was seen last */
};

/*
 * Starts the thread, which loads `path`. The text in `options` (NULL: an ordinary load) is not copied: the caller
 * keeps it until the load has ended. Messages go to `mailbox`; if that is NULL, none is sent before host_attach().
 * Returns NULL when there is no thread or memory.
 */
struct host *host_new(const char *path, const struct load_options *options,
		      struct shared *shared, struct mailbox *mailbox);

/*
 * Makes another host of a load that was accepted as `config`, from its record and nothing else. The configuration that
 * its load gives only serves to compare its functions with the accepted ones: nodes and settings are those of `config`,
 * of which the host keeps no reference. Else it is as host_new().
 */
struct host *host_make_again(const struct config *config, struct record *record,
			     struct shared *shared, struct mailbox *mailbox);

/* The record of what its load has read; the host's. */
struct record *host_record(const struct host *host);

/* Waits for the load, at most HOST_LOAD_MS and HOST_SIGN_MS; false: it took longer. */
bool host_wait(struct host *host);
void host_attach(struct host *host, struct mailbox *mailbox);

/* Takes, once after the load, its configuration and report, which are the caller's then. `*config` NULL: it failed. */
void host_take(struct host *host, struct config **config, struct load_report *report);

/* Run the job, and end it; HOST_JOB_ENDED follows, but not for a job that was withdrawn. */
void host_run(struct host *host, struct job *job);
void host_stop_job(struct host *host, struct job *job);

/* Drops the variables of a console's session that has ended. */
void host_forget(struct host *host, const char *session);

/* Ends all runs and the thread; HOST_IS_GONE follows. */
void host_end(struct host *host);

/*
 * Does the same for a host that gives no sign: its thread ends when the C call that
 * holds it returns.
 */
void host_abandon(struct host *host);

/* Fills in which run holds the host now. */
void host_look(struct host *host, struct host_sign *sign);

/* How many bytes its state takes. Any thread. */
size_t host_memory(const struct host *host);

/* Waits up to `ms` for the thread to end, and frees the host; false: the thread still runs, and nothing is freed. */
bool host_free(struct host **host, int64_t ms);
