/*
 * One run of a Lua function as both threads see it: what to run, and how it
 * went. Counted atomically. What is asked is written before it is sent to the
 * host, the outcome before it is sent back; nobody writes it afterwards.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "core/view.h"

struct job {
	atomic_uint references;
	unsigned long id;
	struct event *event;
	char *trigger; /* "triggers.master_up[2]" */
	char *source;  /* "file.lua:12", where the function begins */
	int function;
	int64_t timeout_ms;
	/* the outcome */
	bool timed_out;
	char *error; /* with its traceback; NULL: it ended well */
	int64_t took_ms;
	/* the sender's alone */
	void *owner;
};

/* Copies what it needs of `action`; takes its own reference of `event`. */
struct job *job_new(unsigned long id, const struct config_action *action, struct event *event);
struct job *job_ref(struct job *job);

/* NULL allowed; clears the pointer. */
void job_unref(struct job **job);
