/*
 * A job is one run of Lua as both threads see it: what to run (a trigger's function, or code that somebody typed at a
 * console), and how it ended. Its references are counted atomically. The monitor's thread writes what to run before it
 * sends the job to the host, whose thread writes the outcome before it sends the job back; nobody writes them
 * afterwards.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "core/view.h"

/*
 * JOB_BEGUN: the host runs it, and owes its outcome. JOB_WITHDRAWN: the sender wants no outcome, and the host drops
 * it.
 */
enum job_state { JOB_SENT, JOB_BEGUN, JOB_WITHDRAWN };

struct job {
	atomic_uint references;
	atomic_int state;
	atomic_bool by_hand; /* somebody has asked for its end */
	atomic_bool over;    /* it was stopped, or told as ended: it must not change pm.state any more (shared.h) */
	_Atomic(const char *) waits_for; /* NULL: it does not wait; job_waits() writes this after waits_since_ms */
	atomic_llong waits_since_ms;     /* steady: since when it waits */
	unsigned long id;
	struct event *event; /* NULL: it is code */
	char *trigger; /* "triggers.master_up[2]"; "console" if it is code */
	char *source;  /* "file.lua:12", where the function begins; the chunk's name if it is code */
	int function;  /* its number (functions.h); 0: it is code */
	char *code;    /* NULL: it is a function */
	char *session; /* of code: the session whose variables it sees */
	int64_t timeout_ms;
	/* the outcome */
	bool timed_out;
	char *error; /* with its traceback; NULL: it ended well */
	int64_t took_ms;
	char *text;      /* of code: what it printed and returned, for people; NULL: nothing */
	bool unfinished; /* of code: it is the beginning of a statement, which further lines may complete */
	bool first;      /* of code: its host had no variables of this session before */
	void *owner;     /* for the sender's use; the host does not touch it */
};

/* Copies what it needs of `action`; takes its own reference of `event`. */
struct job *job_new(unsigned long id, const struct config_action *action, struct event *event);

/* Makes a job of Lua code for that session; `chunk` is its name in errors. Copies all. */
struct job *job_new_code(unsigned long id, const char *session, const char *chunk, const char *code,
			 int64_t timeout_ms);

/* Makes another job that asks for the same, without an owner. */
struct job *job_again(const struct job *job);

struct job *job_ref(struct job *job);

/* The host is about to run the job's first line; false: the job was withdrawn, and must not run. */
bool job_begin(struct job *job);

/* The sender withdraws the job; false: it has begun, and its outcome follows, or never comes if its host is held. */
bool job_withdraw(struct job *job);

/* Notes that the job is to end (`by_hand`: because somebody has asked for that), and withdraws it. */
void job_stop(struct job *job, bool by_hand);

/* Whether the host has begun it. Any thread. */
bool job_has_begun(const struct job *job);

/* Notes that the job waits from now on for `what` (a literal), or (NULL) does not wait any more. Host's thread. */
void job_waits(struct job *job, const char *what);

/* What the job waits for, and since when (steady, ms); NULL: for nothing. Any thread. */
const char *job_waits_for(const struct job *job, int64_t *since_ms);

/* NULL allowed; clears the pointer. */
void job_unref(struct job **job);
