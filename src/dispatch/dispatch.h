/*
 * The dispatch decides which trigger runs when. Each cluster has a queue, whose events run in order; clusters run side
 * by side; the number of commands that run at once is bounded (contract.md, "Order and isolation of triggers").
 * Monitor's loop.
 */
#pragma once

#include <uv.h>

#include "core/view.h"
#include "dispatch/action.h"
#include "dispatch/backlog.h"
#include "dispatch/gate.h"
#include "dispatch/runner.h"

/*
 * How much may wait for one cluster, and for all, in bytes of events and their views (queues_weigh()). An event whose
 * view is mostly that of the one before it takes about 1 KiB. So 16 MiB suffice when each of a cluster's 5,000 nodes
 * is lost and returns while a trigger runs.
 */
#define QUEUE_BYTES (16 << 20)
#define QUEUES_BYTES (64 << 20)

struct dispatch;

/*
 * Tells `events` (NULL: nobody), which outlive the dispatch, of each action's start and end from now on, with `data`.
 */
void dispatch_tell(struct dispatch *dispatch, const struct dispatch_events *events, void *data);

/* Counts in `meters`, which outlive the dispatch, what becomes of triggers from now on. */
void dispatch_measure(struct dispatch *dispatch, struct meters *meters);

/*
 * Sets the silences (NULL: there are none), which outlive the dispatch. An event that falls in one is not queued, and
 * one that already waits does not start (mute.h). What runs goes on.
 */
void dispatch_set_silences(struct dispatch *dispatch, const struct silences *silences);

/* Takes a reference of `config`; `runner` outlives it. */
struct dispatch *dispatch_new(uv_loop_t *loop, struct config *config, const struct runner *runner);

/* Events that come from now on run by `config`; those that are queued keep the one under which they were queued. */
void dispatch_reload(struct dispatch *dispatch, struct config *config);

/* The runner may be ready for more now: starts what waits for it and can run. */
void dispatch_runner_changed(struct dispatch *dispatch);

/*
 * Sets the gate (NULL: there is none), which outlives the dispatch and is asked before each action. Whoever changes
 * what the gate lets through calls dispatch_gate_changed(), or, if that concerns the events of one cluster only (-1:
 * of none), dispatch_gate_changed_for(), whose cost does not grow with the number of clusters that wait.
 */
void dispatch_set_gate(struct dispatch *dispatch, const struct gate *gate);
void dispatch_gate_changed(struct dispatch *dispatch);
void dispatch_gate_changed_for(struct dispatch *dispatch, int cluster_id);

/* Queues an event for the actions configured for it; takes its own reference. */
void dispatch_event(struct dispatch *dispatch, struct event *event);

/* An action that is left to run of an event that another monitor had begun to handle. */
struct dispatch_rest {
	const char *path; /* "triggers.master_up[2]" */
	bool again;       /* the other monitor had started it: the action sees an event_again() */
	bool is_known;    /* set by dispatch_event_rest(): the configuration has such an action */
};

/* Queues an event for these actions alone, in configured order; those that are not known are left out. */
void dispatch_event_rest(struct dispatch *dispatch, struct event *event, struct dispatch_rest *rest, size_t count);

/*
 * Gives up all that is queued, from inside this call: what waits does not run; what runs gets TERM, 5 s later KILL,
 * and the further actions of its event do not run. The end of each is told, with `why` for those that did not run.
 * Events that are queued later run, in a cluster after the action that still ends there.
 */
void dispatch_abandon(struct dispatch *dispatch, const char *why);

/* Tells of each of the event's actions that has not ended: "running" or "waiting". From inside this call. */
void dispatch_tell_left(const struct dispatch *dispatch, const char *event_id, dispatch_told *told,
			void *data);

/*
 * Numbers events, from now on, by the counter `*numbers`, which is the caller's and outlives the dispatch. So several
 * dispatches give no two events the same number. Without this call each dispatch counts for itself.
 */
void dispatch_number(struct dispatch *dispatch, unsigned long *numbers);

/* Adds to the list all actions that run, and the oldest of those that wait: `most` or a few more. */
void dispatch_list(const struct dispatch *dispatch, size_t most, struct backlog *backlog);

/* Finds the row of this id, which is valid until something else is done with the dispatch; false: there is none. */
bool dispatch_find(const struct dispatch *dispatch, const char *id, struct backlog_row *row);

/*
 * Ends the action that dispatch_find() has found, for `by` ("`plusmoin runs kill` (uid 0)"). One that is under way
 * gets TERM, 5 s later KILL, and counts as failed. One that waits is dropped from inside this call. Both are told. The
 * event's other actions run as after one that failed.
 */
void dispatch_kill(struct dispatch *dispatch, const struct backlog_row *row, const char *by);

/*
 * Takes no more events. What is queued runs on for shutdown_grace; what runs then gets TERM, 2 s later KILL. Calls
 * `done` once, not from inside this call, when nothing runs any more.
 */
void dispatch_stop(struct dispatch *dispatch, void (*done)(void *data), void *data);

/* Frees a dispatch in which nothing is queued: `done` was called, or nothing was ever queued. Clears the pointer. */
void dispatch_free(struct dispatch **dispatch);
