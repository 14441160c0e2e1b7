/*
 * Which trigger runs when: a queue per cluster, run in order, clusters beside
 * each other, a bound on how many commands run at once (contract.md, "Order and
 * isolation of triggers"). Monitor's loop.
 */
#pragma once

#include <uv.h>

#include "core/view.h"
#include "dispatch/action.h"
#include "dispatch/backlog.h"
#include "dispatch/gate.h"
#include "dispatch/runner.h"

/*
 * How much may wait, in bytes of events and their pictures (queues_weigh()): of one cluster, and of all. An event whose
 * picture is mostly that of the one before it takes about 1 KiB: with 16 MiB each of 5,000 nodes of a cluster may
 * die and return while a trigger takes its time.
 */
#define QUEUE_BYTES (16 << 20)
#define QUEUES_BYTES (64 << 20)

struct dispatch;

/* From now on each action's start and end are told to `events` (NULL: to nobody), which live as long, with `data`. */
void dispatch_tell(struct dispatch *dispatch, const struct dispatch_events *events, void *data);

/* From now on what becomes of triggers is counted in `meters`, which outlive the dispatch. */
void dispatch_measure(struct dispatch *dispatch, struct meters *meters);

/*
 * From now on what falls in one of `silences`, which outlive the dispatch (NULL: there are none), is not queued, and what
 * waits meanwhile does not start (mute.h). What runs goes on.
 */
void dispatch_set_silences(struct dispatch *dispatch, const struct silences *silences);

/* Takes a reference of `config`; `runner` outlives it. */
struct dispatch *dispatch_new(uv_loop_t *loop, struct config *config, const struct runner *runner);

/* Events from now on run by `config`; what is queued keeps the one it was queued under. */
void dispatch_reload(struct dispatch *dispatch, struct config *config);

/* The runner may be ready for more now: what waits for it is looked at again. */
void dispatch_runner_changed(struct dispatch *dispatch);

/*
 * From now on `gate` (NULL: open for all) is asked before each action; it outlives the dispatch. After each change
 * of what it lets through dispatch_gate_changed() is called, or where only one cluster's (-1: that of no cluster)
 * events are let through dispatch_gate_changed_for(), which costs the same however many clusters wait.
 */
void dispatch_set_gate(struct dispatch *dispatch, const struct gate *gate);
void dispatch_gate_changed(struct dispatch *dispatch);
void dispatch_gate_changed_for(struct dispatch *dispatch, int cluster_id);

/* Queues an event for the actions configured for it; takes its own reference. */
void dispatch_event(struct dispatch *dispatch, struct event *event);

/* One of an event's actions that is left to run after another monitor had begun with the event. */
struct dispatch_rest {
	const char *path; /* "triggers.master_up[2]" */
	bool again;       /* that one had started it: the action sees an event_again() */
	bool is_known;    /* set: this configuration has such an action */
};

/* The same for these actions of the event alone, in configured order; those that are not known are left out. */
void dispatch_event_rest(struct dispatch *dispatch, struct event *event, struct dispatch_rest *rest, size_t count);

/*
 * Gives up all that is queued, from inside this call: what waits does not run, what runs gets TERM, 5 s later KILL,
 * and its event's further actions do not run. Each is told, with `why` in what is told of what did not run. What is
 * queued from now on runs, in a cluster after what still ends there.
 */
void dispatch_abandon(struct dispatch *dispatch, const char *why);

/* Tells of each of the event's actions that has not ended: "running" or "waiting". From inside this call. */
void dispatch_tell_left(const struct dispatch *dispatch, const char *event_id, dispatch_told *told,
			void *data);

/*
 * From now on events are numbered as they are queued from `*numbers` on, the caller's, which outlives the dispatch: so
 * that several dispatches give no two of them one number. Else each counts for itself.
 */
void dispatch_number(struct dispatch *dispatch, unsigned long *numbers);

/* Adds what runs and what waits to the list: of what waits `most` at the least, the oldest, if there is so much. */
void dispatch_list(const struct dispatch *dispatch, size_t most, struct backlog *backlog);

/* The row of this id, good until something else is done with the dispatch; false: there is none. */
bool dispatch_find(const struct dispatch *dispatch, const char *id, struct backlog_row *row);

/*
 * Ends what dispatch_find() has found, for `by` ("`plusmoin runs kill` (uid 0)"). What is under way gets TERM, 5 s later
 * KILL, and its end is told as that of an action that failed; what waits is dropped from inside this call, and told.
 * The event's other actions run as after one that failed.
 */
void dispatch_kill(struct dispatch *dispatch, const struct backlog_row *row, const char *by);

/*
 * No more events come: runs what is queued for shutdown_grace, then TERM, 2 s
 * later KILL, and calls `done` once when nothing runs any more (not from inside
 * this call).
 */
void dispatch_stop(struct dispatch *dispatch, void (*done)(void *data), void *data);

/* Where nothing is queued any more: `done` was called, or nothing ever was. Clears the pointer. */
void dispatch_free(struct dispatch **dispatch);
