/*
 * The start (cluster-rules.md, "Start"): first answers are waited for, masters found clusters, each
 * cluster waits for its slaves. Or what a state file held goes on as soon as somebody answers. A clock
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
	/* Nobody has been heard, and all first attempts have had their time: whether it is the monitor that is cut off (P7). */
	bool (*unheard)(void *data);
	/* What a state file held goes on: its clusters are up. */
	void (*restored)(void *data);
	/* Somebody has answered, or nobody will: rounds begin. */
	void (*sighted)(void *data);
	/* First answers are no longer waited for: rounds of clusterless nodes may open when no founding is under way. */
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
	int64_t elapsed_ms; /* in which the loop turned, and first logins did not wait for the machine */
	int64_t busy_ms;    /* how long it stood still for workers that had too much to do */
	size_t unheard_of;  /* nodes that have neither answered nor failed */
	bool sighted;       /* one has answered since the state file was read */
	bool stands_still;  /* the monitor is isolated: no time passes */
	struct attempt **attempts; /* under way, by the node's order; NULL: none */
	size_t attempt_room;       /* how long that is */
	size_t attempt_count;
	struct waits waits; /* of clusters for their slaves */
};

/* Begins: `restored`, if the fleet has clusters already. */
void founding_begin(struct founding *founding);
void founding_end(struct founding *founding);

/* The monitor is isolated, and is not any more: what waited for first answers begins anew. */
void founding_stand_still(struct founding *founding);
void founding_go_on(struct founding *founding);

/* Nothing is judged yet. */
bool founding_is_blind(const struct founding *founding);

/* A look at the watch's node has ended; `first`: it was its first attempt. */
void founding_saw(struct founding *founding, struct watch *watch, bool first);

/* Whether the beat was a founding's; then its result has been taken. */
bool founding_beaten(struct founding *founding, struct watch *watch,
		     const struct beat_result *result);

/*
 * A reload. Before it: the watch's node leaves; its connection is made anew, and the beat under way is
 * repeated. After it: orders and nodes are others.
 */
void founding_forget(struct founding *founding, const struct watch *watch);
void founding_repeat(struct founding *founding, const struct watch *watch);
void founding_resume(struct founding *founding);
