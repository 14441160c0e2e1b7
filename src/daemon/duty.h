/*
 * A duty is an event whose triggers this monitor has to run while it acts: etcd has the event or is about to have it,
 * and not all of its triggers have ended. A commit, and what is in it, "stands" once etcd has stored it. `struct
 * duties` holds all duties, with what waits for which commit; finding one takes a binary search. Monitor's loop.
 */
#pragma once

#include "base/buf.h"
#include "core/config.h"
#include "core/event_record.h"
#include "dispatch/dispatch.h"

struct duty {
	struct event_record record;
	unsigned long number;  /* the event's */
	unsigned long commit;  /* the number of the commit that stores the event */
	bool stands;           /* the event stands */
	unsigned long *starts; /* for each run the number of the commit that stores its start; 0: there is none yet */
};

/* Makes the duty of an event that fired here, all of whose triggers are to run; takes a reference. */
struct duty *duty_new(const struct config *config, struct event *event);

/* Makes the duty of an event that another monitor has stored; takes over what is in the record. */
struct duty *duty_of(struct event_record *record, unsigned long number);

/* NULL allowed; clears the pointer. */
void duty_free(struct duty **duty);

/* Finds the run of that trigger, and its index; NULL: the event has none. */
struct event_run *duty_find_run(const struct duty *duty, const char *path, size_t *index);

/* Notes that the run has ended as `how` says. */
void duty_end_run(struct event_run *run, const char *how);

/* Whether nothing of the duty is left to be run. */
bool duty_is_over(const struct duty *duty);

/*
 * Writes the runs that are left for this monitor, by its own configuration, into `rest`, which has as many places as
 * the duty has runs, and returns their number. A run that another monitor had started runs again, unless its trigger
 * forbids that ("rerun": false). A run that will never happen is marked so, and logged.
 */
size_t duty_find_rest(struct duty *duty, const struct config *config, struct dispatch_rest *rest);

/* All duties, and what of them waits for a commit. Zero-initialised: none. */
struct duties {
	struct list all;    /* struct duty *, sorted by their events' numbers */
	struct list fresh;  /* struct duty *, those that do not stand yet, sorted by their commits */
	struct list starts; /* struct awaited_start *, sorted by their commits */
};

/* Adds a duty, and owns it. One that does not stand yet has a commit above those of all before it. */
void duties_add(struct duties *duties, struct duty *duty);

/* Removes a duty that stands, and frees it. */
void duties_end(struct duties *duties, struct duty *duty);

/* Finds the duty of this event, by its id and its term; NULL: there is none. */
struct duty *duties_find(const struct duties *duties, const struct event *event);

/* Notes that a run of this cluster may start when this commit stands, which is no lower than those before. */
void duties_await(struct duties *duties, unsigned long commit, int cluster_id);

/*
 * All commits up to `commit` stand: marks the next duty that stands by that, and returns it; NULL: there are no more.
 */
struct duty *duties_next_standing(struct duties *duties, unsigned long commit);

/* Likewise names the next cluster of which a run may start by that. False: there are no more. */
bool duties_next_started(struct duties *duties, unsigned long commit, int *cluster_id);

/* Frees all duties, and drops what waits. */
void duties_drop(struct duties *duties);
