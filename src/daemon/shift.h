/*
 * On duty or not: what several monitors (council/council.h) mean for the daemon. While another monitor acts, this one
 * observes and its events are dropped. When a term begins it goes on from what was committed last. While it acts each
 * event is committed before its triggers may run, and each start and end of a trigger is as well. Without `monitors` it is
 * not made, and all is as if there were none. Monitor's loop.
 */
#pragma once

#include "core/event_record.h"
#include "core/unsaved.h"
#include "council/council.h"
#include "dispatch/dispatch.h"
#include "monitor/monitor.h"

struct shift;

/* The daemon's part; called on the loop, never from inside a call of the daemon's. */
struct shift_events {
	/*
	 * The monitor begins anew from this (NULL: from nothing), and names what differs from what is stored in `unsaved`;
	 * returns it.
	 */
	struct monitor *(*restart)(void *data, const struct saved *saved, struct unsaved *unsaved);
	/* The event stands: it may be shown, with what its runs have come to until now. */
	void (*committed)(void *data, const struct event_record *record);
	/* Who acts, or what plusmoin says of it, has changed. */
	void (*changed)(void *data);
	/* Our name is ours; or it is another process's, on that host. */
	void (*in)(void *data);
	void (*taken)(void *data, const char *name, const char *host);
};

struct shift_start {
	uv_loop_t *loop;
	struct config *config; /* it takes a reference */
	const struct clock *clock;
	struct monitor *monitor;   /* that observes until a term begins */
	struct dispatch *dispatch; /* outlives it, */
	struct dispatch *alone;    /* as does that of triggers which act alone (loners.h) */
	const struct polls_events *polls; /* what monitors ask each other */
	void *polls_data;
	const struct hush_events *hush; /* silences that all share */
	void *hush_data;
	const struct shift_events *events;
	void *data;
};

/* NULL: there is no thread. */
struct shift *shift_new(const struct shift_start *start);

/*
 * An event has fired; before anybody else has it. True: the daemon goes on with it, as there is one monitor (NULL), or it
 * is a heartbeat of the one that acts. False: it is dropped, or is queued in the dispatch, and `committed` follows.
 */
bool shift_fired(struct shift *shift, struct event *event);

/*
 * One of an event's actions has ended as `how` says, or will never start. What is cut short since the daemon ends is left
 * for the next monitor. NULL: nothing.
 */
void shift_ended(struct shift *shift, const struct event *event, const char *path, enum action_end end, const char *how);

/* Other triggers from now on. NULL: nothing. */
void shift_reload(struct shift *shift, struct config *config);

/* NULL: there is one monitor. */
struct council *shift_council(struct shift *shift);

/* The monitor has ended: what waits stays for others. NULL: nothing. */
void shift_leave(struct shift *shift);

/* Hands the term back; false: the clerk's thread does not end. NULL allowed; clears the pointer. */
bool shift_free(struct shift **shift);
