/*
 * The script host: a thread with a loop and a Lua state of its own, one per load
 * of the configuration (design.md, "Threads"). It evaluates the files, reports
 * struct config or the errors, and then runs the functions that it found in
 * them. Nothing but jobs and messages crosses over.
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
#define HOST_SIGN_MS 1000   /* past a deadline of its own a host that lives has said so by then */

struct host;

/* What a host says. The receiver frees the message and drops its job. */
enum host_word {
	HOST_HAS_LOADED,
	HOST_JOB_ENDED,
	HOST_IS_FULL, /* upvalues hold most of lua.memory_limit: it needs a successor */
	HOST_IS_GONE, /* its thread ends: host_free() will not wait */
};

struct host_message {
	enum host_word word;
	struct host *host;
	struct job *job;
};

/* Who holds a host that gives no sign. */
struct host_sign {
	unsigned long job_id; /* 0: nobody */
	unsigned long slice;  /* another one: it has got to something else since */
	int function;
	char trigger[128];
	char place[256];
};

/*
 * Starts the thread, which loads `path`. `options` (NULL: an ordinary load) and the
 * text in it stay the caller's until the load has ended. Its messages go to `mailbox`, or wait for
 * host_attach() when that is NULL. NULL when there is no thread or memory.
 */
struct host *host_new(const char *path, const struct load_options *options,
		      struct shared *shared, struct mailbox *mailbox);

/*
 * A further host of a load that was accepted as `config`, from its record and nothing else. Its load
 * gives a configuration whose functions may be compared with the accepted ones; it has no other use:
 * nodes and settings are those of `config`, which is not kept. As host_new() else.
 */
struct host *host_make_again(const struct config *config, struct record *record,
			     struct shared *shared, struct mailbox *mailbox);

/* What its load has read; the host's. */
struct record *host_record(const struct host *host);

/* Waits for the load, HOST_LOAD_MS and a little at most; false: it took longer. */
bool host_wait(struct host *host);
void host_attach(struct host *host, struct mailbox *mailbox);

/* After the load, once: what came of it, the caller's from then on. `*config` NULL: errors. */
void host_take(struct host *host, struct config **config, struct load_report *report);

/* Runs the job, or ends it; HOST_JOB_ENDED follows. */
void host_run(struct host *host, struct job *job);
void host_stop_job(struct host *host, struct job *job);

/* A console's session has ended: its variables go. */
void host_forget(struct host *host, const char *session);

/* Ends all runs and the thread; HOST_IS_GONE follows. */
void host_end(struct host *host);

/*
 * As host_end() for a host that gives no sign: it ends when its C call returns,
 * and until then it lives on.
 */
void host_abandon(struct host *host);
void host_look(struct host *host, struct host_sign *sign);

/* How many bytes its state takes. Any thread. */
size_t host_memory(const struct host *host);

/* Waits up to `ms` for an ended thread and frees it; false: it still runs, and lives on. */
bool host_free(struct host **host, int64_t ms);
