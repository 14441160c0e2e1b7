/*
 * The start (cluster-rules.md, "Start"): first answers are waited for, masters found clusters, each
 * cluster waits for its slaves. Clusters of a state file go on instead, as soon as one node answers. A clock
 * of its own counts the time in which the loop turned, and only that: a monitor that is held up does not
 * conclude from it that nobody answers. It looks at the fleet once a tick, whatever comes meanwhile.
 * Monitor thread.
 */
#pragma once

#include "monitor/waits.h"

#define FOUNDING_TICK_MS 25 /* cluster-rules.md: "every few tens of milliseconds" */

enum founding_phase {
	FOUNDING_RESTORED, /* a state file's clusters go on in the loop's first turn */
	FOUNDING_SIGHT,    /* they wait until one node has answered */
	FOUNDING_ANSWERS,  /* first answers are waited for */
	FOUNDING_CLUSTERS, /* masters found clusters, and these wait for their slaves */
	FOUNDING_OVER
};

struct founding_events {
	/*
	 * First attempts have had their time. Returns whether the start waits on, as the monitor may be cut off (P7).
	 */
	bool (*unheard)(void *data);
	/* What a state file held goes on: its clusters are up. */
	void (*restored)(void *data);
	/* A node of a state file's clusters has answered, or none will: rounds begin. */
	void (*sighted)(void *data);
	/*
	 * First answers are no longer waited for: rounds of clusterless nodes may open when no founding is under way.
	 */
	void (*answered)(void *data);
	/* A master's founding has ended, with these changes: its cluster waits for its slaves now. */
	void (*founded)(void *data, struct changes *changes);
	/* No founding is under way any more. */
	void (*all_founded)(void *data);
	/* A cluster's wait is over: its slaves are placed, with these changes. */
	waits_up *up;
};

/* A master's founding: a round of one clusterless node. */
struct attempt;

struct founding {
	struct watches *watches;
	const struct founding_events *events;
	void *data;
	enum founding_phase phase;
	struct timer *tick;
	int64_t ticked_ms;  /* steady: the last tick */
	int64_t elapsed_ms; /* the time in which the loop turned, and first logins did not wait for the machine */
	int64_t busy_ms;    /* how long that clock stood still for workers that had too much to do */
	size_t unheard_of;  /* nodes that have neither answered nor failed */
	bool sighted;       /* one has answered since the state file was read */
	bool stands_still;  /* the monitor is isolated: no time passes */
	struct attempt **attempts; /* under way, by the node's order; NULL: none */
	size_t attempt_room;       /* the length of `attempts` */
	size_t attempt_count;
	struct waits waits; /* of clusters for their slaves */
};

/* Begins the start; with FOUNDING_RESTORED if the fleet has clusters already. */
void founding_begin(struct founding *founding);
void founding_end(struct founding *founding);

/* The monitor is isolated, or no longer (founding_go_on()): a start that waits for first answers then begins anew. */
void founding_stand_still(struct founding *founding);
void founding_go_on(struct founding *founding);

/* Whether the start still waits for answers, so that nothing is judged yet. */
bool founding_is_blind(const struct founding *founding);

/* A look at the watch's node has ended; `first`: it was its first attempt. */
void founding_saw(struct founding *founding, struct watch *watch, bool first);

/* Whether the beat was a founding's; then its result has been taken. */
bool founding_beaten(struct founding *founding, struct watch *watch,
		     const struct beat_result *result);

/*
 * For a reload. Before it, founding_forget() drops a node that leaves, and founding_repeat() has the beat repeated of
 * one whose connection is made anew. After it, founding_resume() goes on with the nodes in their new order.
 */
void founding_forget(struct founding *founding, const struct watch *watch);
void founding_repeat(struct founding *founding, const struct watch *watch);
void founding_resume(struct founding *founding);
