/*
 * One run of Lua as both threads see it: what to run (a trigger's function, or code that somebody
 * typed at a console), and how it went. Counted atomically. What is asked is written before it is sent
 * to the host, the outcome before it is sent back; nobody writes it afterwards.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "core/view.h"

/* Who has it: the host from its first line on, or its sender again. */
enum job_state { JOB_SENT, JOB_BEGUN, JOB_WITHDRAWN };

struct job {
	atomic_uint references;
	atomic_int state;
	atomic_bool by_hand; /* somebody has asked for its end */
	_Atomic(const char *) waits_for; /* job_waits() writes both, */
	atomic_llong waits_since_ms;     /* this one first */
	unsigned long id;
	struct event *event; /* NULL: of code */
	char *trigger; /* "triggers.master_up[2]"; of code "console" */
	char *source;  /* "file.lua:12", where the function begins; of code what Lua calls it */
	int function;  /* 0: of code */
	char *code;    /* NULL: of a function */
	char *session; /* of code: whose variables it sees, the host's */
	int64_t timeout_ms;
	/* the outcome */
	bool timed_out;
	char *error; /* with its traceback; NULL: it ended well */
	int64_t took_ms;
	char *text;      /* of code: what it printed and returned, for people; NULL: nothing */
	bool unfinished; /* of code: more lines may make a statement of it */
	bool first;      /* of code: its host had no variables of this session before */
	/* the sender's alone */
	void *owner;
};

/* Copies what it needs of `action`; takes its own reference of `event`. */
struct job *job_new(unsigned long id, const struct config_action *action, struct event *event);

/* Lua's `code`, which errors call `chunk`, for the session of that name. Copies all. */
struct job *job_new_code(unsigned long id, const char *session, const char *chunk, const char *code,
			 int64_t timeout_ms);

/* Another one that asks for the same; its sender is none. */
struct job *job_again(const struct job *job);

struct job *job_ref(struct job *job);

/* The host is about to run its first line; false: it has been withdrawn. */
bool job_begin(struct job *job);

/* The sender wants it back; false: it has begun, and its outcome follows or never comes. */
bool job_withdraw(struct job *job);

/* Whether the host has begun it. Any thread. */
bool job_has_begun(const struct job *job);

/* It waits from now on for this (a text that lives for ever), or (NULL) does not wait any more. Host's thread. */
void job_waits(struct job *job, const char *what);

/* What it waits for, and since when (steady, ms); NULL: for nothing. Any thread. */
const char *job_waits_for(const struct job *job, int64_t *since_ms);

/* NULL allowed; clears the pointer. */
void job_unref(struct job **job);
