/*
 * The changes of pm.state that etcd does not have yet, where there are several monitors. A run's changes are written
 * with the run's end, so until then they are kept by run: the end of one run must not take along what another one,
 * which is still under way, has assigned. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define ASSIGNMENT_BYTES 128 /* what a change counts beside its name and value, so that their number has a bound */

/* That a value was assigned to a name, or that a name has this value. All is owned by the change. */
struct assignment {
	char *name; /* any bytes, and a terminator */
	size_t name_len;
	char *bytes; /* packed.h; NULL: the value was removed */
	size_t len;
	unsigned long run; /* whose change it is; 0: nobody's, it is a value */
	unsigned long order; /* counted up with each change */
};

/* Zero-initialised it is empty. */
struct assignments {
	struct list open;  /* struct assignment *, of runs that are under way; by name, then by run */
	struct list ready; /* struct assignment *, of runs that have ended, in the order in which they have to be written */
	unsigned long order;
	size_t bytes; /* of `open` */
};

/* Returns a change with copies of the name and of the bytes (NULL: the value was removed); the caller's. */
struct assignment *assignment_new(const char *name, size_t name_len, const char *bytes, size_t len);
void assignment_free(struct assignment **assignment);

/* Where a change of this name by this run is in a list by name, then by run, or (`*found` false) where it belongs. */
size_t assignment_place(const struct list *sorted, const struct assignment *like, bool *found);

/* Frees all changes of the list, and the list's array. */
void assignment_free_all(struct list *list);

/*
 * Adds a change of this run; takes it over. A later change of the same name by the same run replaces the earlier one.
 * False: the changes of runs under way would take more than `most` bytes; nothing is added.
 */
bool assignments_add(struct assignments *assignments, unsigned long run, struct assignment *assignment, size_t most);

/* Whether a run that is under way has changed this name. */
bool assignments_have(const struct assignments *assignments, const char *name, size_t name_len);

/* Drops the changes of a run that will run again elsewhere. */
void assignments_drop(struct assignments *assignments, unsigned long run);

/*
 * The run has ended: its changes are ready. Older changes of the same names by other runs are dropped, since they are
 * no longer what the name has.
 */
void assignments_end(struct assignments *assignments, unsigned long run);

/* Moves the ready changes to `out`, whose owner frees them. */
void assignments_take(struct assignments *assignments, struct list *out);
void assignments_clear(struct assignments *assignments);
