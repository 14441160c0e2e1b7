/*
 * The shift decides, where there are several monitors (council/council.h), what becomes of this one's events. While
 * another monitor acts, this one observes and its events are dropped. When a term of its own begins it goes on from
 * what was committed last. While it acts each event is committed before its triggers may run, and each start and end
 * of a trigger is as well. A commit, and what is in it, "stands" once etcd has stored it. Without `monitors` no shift
 * is made, and NULL stands for it. Monitor's loop.
 */
#pragma once

#include "core/event_record.h"
#include "core/unsaved.h"
#include "council/council.h"
#include "dispatch/dispatch.h"
#include "monitor/monitor.h"

struct shift;

/* What the daemon does for the shift; called on the loop, never from inside a call of the daemon's. */
struct shift_events {
	/*
	 * Makes the monitor anew from `saved` (NULL: etcd holds nothing), and returns it. The monitor names in
	 * `unsaved` what differs from what is stored.
	 */
	struct monitor *(*restart)(void *data, const struct saved *saved, struct unsaved *unsaved);
	/* The event stands: shows it, with the outcomes of the runs that have ended until now. */
	void (*committed)(void *data, const struct event_record *record);
	/* Who acts, or what plusmoin says of it, has changed. */
	void (*changed)(void *data);
	/* etcd has confirmed this monitor's name. */
	void (*in)(void *data);
	/* Another process, on that host, has this monitor's name: the daemon must end. */
	void (*taken)(void *data, const char *name, const char *host);
};

struct shift_start {
	uv_loop_t *loop;
	struct config *config; /* it takes a reference */
	const struct clock *clock;
	struct monitor *monitor;   /* observes until a term begins */
	struct dispatch *dispatch; /* runs triggers; outlives the shift */
	struct dispatch *alone;    /* runs triggers that act alone (loners.h); outlives the shift */
	struct shared *shared;     /* has pm.state; outlives the shift */
	const struct polls_events *polls; /* is told what monitors ask each other */
	void *polls_data;
	const struct hush_events *hush; /* is told of the silences that all share */
	void *hush_data;
	const struct shift_events *events;
	void *data;
};

/* NULL: the thread that talks with etcd cannot start. */
struct shift *shift_new(const struct shift_start *start);

/*
 * Takes an event that has fired, before anybody else has it. True: the caller shows and dispatches it, because this
 * monitor is alone (`shift` is NULL), or because it is a heartbeat of the one that acts. False: it is dropped, or it
 * was committed and queued, and `committed` follows.
 */
bool shift_fired(struct shift *shift, struct event *event);

/*
 * Commits that one of an event's actions has ended as `how` says, or will never start. What is cut short because the
 * daemon ends is left for the next monitor. `shift` NULL: does nothing.
 */
void shift_ended(struct shift *shift, const struct event *event, const char *path, enum action_end end, const char *how);

/*
 * A run that has changed pm.state is about to be told as ended: its changes are committed, with that end where it is
 * written down. `shift` NULL: does nothing.
 */
void shift_assigned(struct shift *shift);

/* Goes over to another configuration, whose triggers run from now on. `shift` NULL: does nothing. */
void shift_reload(struct shift *shift, struct config *config);

/* The council of the shift; NULL: this monitor is alone. */
struct council *shift_council(struct shift *shift);

/* The daemon ends: triggers that have not started are left for the next monitor. `shift` NULL: does nothing. */
void shift_leave(struct shift *shift);

/* Hands the term back. False: the thread that talks with etcd does not end. NULL allowed; clears the pointer. */
bool shift_free(struct shift **shift);
