/*
 * An event that this monitor has to see to while it acts: it was committed, or waits for that, and not all of its triggers
 * have ended. And all of them, with what waits for which commit: each is found in a time that does not grow with their
 * number. Monitor's loop.
 */
#pragma once

#include "base/buf.h"
#include "core/config.h"
#include "core/event_record.h"
#include "dispatch/dispatch.h"

struct duty {
	struct event_record record;
	unsigned long number;  /* of the event */
	unsigned long commit;  /* it stands when this commit does */
	bool stands;
	unsigned long *starts; /* of each run: its start stands when this commit does; 0: not asked for */
};

/* Of an event of ours, all of whose triggers are to run; takes a reference. */
struct duty *duty_new(const struct config *config, struct event *event);

/* Of an event that another monitor has stored: takes over what is in the record. */
struct duty *duty_of(struct event_record *record, unsigned long number);

/* NULL allowed; clears the pointer. */
void duty_free(struct duty **duty);

/* The run of that trigger; NULL: the event has none. */
struct event_run *duty_find_run(const struct duty *duty, const char *path, size_t *index);

/* It has come to that. */
void duty_end_run(struct event_run *run, const char *how);

/* Whether nothing of it is left to be run. */
bool duty_is_over(const struct duty *duty);

/*
 * What of it is left for this monitor by its own configuration, into `rest` (of as many places as it has runs): what was
 * started elsewhere runs again, unless its trigger may not. What will never run is marked, and logged.
 */
size_t duty_find_rest(struct duty *duty, const struct config *config, struct dispatch_rest *rest);

/* All of them, and what of them waits for a commit. Zero-initialised: none. */
struct duties {
	struct list all;    /* struct duty *, by their events' numbers */
	struct list fresh;  /* of these, those that do not stand yet, by their commits */
	struct list starts; /* struct awaited_start *, by their commits */
};

/* Adds one, of an event of ours (`stands` false: its commit is above those before), or of another monitor's. */
void duties_add(struct duties *duties, struct duty *duty);

/* Takes it out, and frees it; it stands. */
void duties_end(struct duties *duties, struct duty *duty);

/* That of this event, by its id and its term; NULL: there is none. */
struct duty *duties_find(const struct duties *duties, const struct event *event);

/* A run of this cluster may start when this commit, which is no lower than those before, stands. */
void duties_await(struct duties *duties, unsigned long commit, int cluster_id);

/* All up to this commit stands: the next duty that does so by it, marked; NULL: no more. */
struct duty *duties_next_standing(struct duties *duties, unsigned long commit);

/* Likewise the next cluster of which a run may start by it; false: no more. */
bool duties_next_started(struct duties *duties, unsigned long commit, int *cluster_id);

/* Drops all of them. */
void duties_drop(struct duties *duties);
