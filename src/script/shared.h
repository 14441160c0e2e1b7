/*
 * What all script hosts of a daemon share, and what outlives them: the values of
 * pm.state, and the newest board (core/board.h) with all clusters. Any thread.
 *
 * With several monitors pm.state stands in etcd (daemon/scribe.h). Only the monitor that acts may change it, and it
 * keeps the changes of each run until that has ended and etcd has them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/board.h"
#include "script/assignments.h"
#include "script/job.h"

#define STORE_BYTES ((size_t)1 << 20)   /* contract.md: pm.state holds 1 MiB in all */
/*
 * What the changes of runs under way may take. ASSIGNMENT_BYTES makes that 16,000 changes at most. The monitor's loop
 * takes about 15 ms to make commits of so many when their run ends.
 */
#define STORE_CHANGES (2 * STORE_BYTES)
#define STORE_VALUES ((size_t)16384)   /* in etcd, where a term reads all of them in one answer, of less than 16 MiB */
#define STORE_NAME_BYTES ((size_t)1024) /* in etcd, where a name is up to three times as long */

struct shared;

struct shared *shared_new(void);
void shared_free(struct shared **shared);

enum shared_result {
	SHARED_DONE,
	SHARED_FULL,         /* the values would take more than STORE_BYTES */
	SHARED_CHANGES_FULL, /* the changes of runs under way would take more than STORE_CHANGES */
	SHARED_MANY,         /* there would be more than STORE_VALUES values */
	SHARED_LONG,         /* the name is longer than STORE_NAME_BYTES */
	SHARED_LOADS,        /* no run does so, but a configuration that is being loaded */
	SHARED_SHUT,         /* this monitor does not act */
	SHARED_OVER,         /* the run has been told as ended, or was stopped */
};

/* Makes `bytes` (malloc'ed), which it takes over, the value of `key`; NULL removes it. `job`: whose run does so. */
enum shared_result shared_set(struct shared *shared, const struct job *job, const char *key, size_t key_len,
			      char *bytes, size_t len);

/* A copy of the value of `key`, which the caller frees; NULL if there is none. */
char *shared_get(struct shared *shared, const char *key, size_t key_len, size_t *len);

/* The first key after `key` (NULL: from the beginning), which the caller frees; NULL at the end. */
char *shared_next(struct shared *shared, const char *key, size_t key_len, size_t *len);

/* Makes this board the newest one; takes a reference. The monitor's thread. */
void shared_publish(struct shared *shared, struct board *board);

/* The newest board, which the caller board_unref()s; NULL before the first. */
struct board *shared_board(struct shared *shared);

/* ---- with several monitors; monitor's thread ---- */

/* Has changes kept from now on, and shuts pm.state. Called before anything runs. */
void shared_track(struct shared *shared);

/* The daemon ends: what a job that fails from now on has changed is dropped, because the next monitor runs it again. */
void shared_leave(struct shared *shared);

/*
 * The job is told as ended: its changes are ready, and later ones are refused. `failed`: it has failed, but not by its
 * timeout. True: changes are ready.
 */
bool shared_end_job(struct shared *shared, struct job *job, bool failed);

/* Whether changes are ready. */
bool shared_has_assignments(struct shared *shared);

/* Moves the changes that are ready to `out`, whose owner frees them with assignment_free_all(). */
void shared_take(struct shared *shared, struct list *out);

/*
 * This monitor acts from now on. `values` (struct assignment *) replace all values; NULL: they stay. Changes that were
 * not taken are dropped.
 */
void shared_open(struct shared *shared, const struct list *values);

/* This monitor acts no more: pm.state can only be read, and changes that were not taken are dropped. */
void shared_shut(struct shared *shared);

/*
 * Adds to `out` copies of all values, and the removal of each one in `stored` (struct assignment *) that there is not.
 * Names that runs under way have changed are left out. The owner of `out` frees them with assignment_free_all().
 */
void shared_copy(struct shared *shared, const struct list *stored, struct list *out);
