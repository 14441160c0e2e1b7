/*
 * A group is what has rounds: a cluster, or all clusterless nodes. Decided here is when a round of a group
 * opens, whom it asks and waits for, and what is done with answers between rounds. What a round has changed
 * is reported to the owner, and not published here. Monitor thread.
 */
#pragma once

#include "core/round.h"
#include "monitor/node.h"

#define EARLY_ROUNDS_A_SECOND 10

struct group;

struct seats_events {
	/*
	 * The open round has founded this cluster. It needs a group, whose rounds begin after
	 * this round's end: see group_bear().
	 */
	void (*founded)(void *data, struct group *group, struct cluster *cluster);
	/*
	 * A round has ended with these changes, in the order of rule T4. A group whose nodes have all left may be
	 * freed.
	 */
	void (*ended)(void *data, struct group *group, struct changes *changes, bool regular);
};

/* What all groups share; the monitor owns it. */
struct seats {
	struct watches *watches;
	const struct seats_events *events;
	void *data;
	bool blind; /* the start waits for first answers: no round opens */
	int64_t began_ms; /* steady: when the first regular rounds began; each group's place is counted from it */
};

struct group {
	struct seats *seats;
	struct cluster *cluster; /* NULL: the clusterless nodes */
	struct round round;
	bool open;
	bool regular;     /* the open round is a regular one */
	bool paused;       /* no round opens until group_pause(group, false) */
	struct group *born_in; /* the group whose open round founded the cluster, until that round ends; NULL: none */
	struct list born;      /* groups that this one's open round founded */
	bool again;       /* another is wanted right after, or when one may open */
	bool again_regular; /* that one is a regular round */
	size_t awaited;   /* how many nodes the open round still waits for */
	struct timer *heartbeat;
	struct timer *early;
	int64_t early_at[EARLY_ROUNDS_A_SECOND]; /* steady: when the last early rounds began, a ring */
	size_t early_next;
	int64_t heartbeat_due_ms;
	bool restored; /* by a state file, and a node of it has not been judged since */
};

void group_init(struct group *group, struct seats *seats, struct cluster *cluster);
void group_clear(struct group *group);

/* Notes that the open round of `group` has founded the cluster of `born`, whose rounds begin after that one's end. */
void group_bear(struct group *group, struct group *born);

/*
 * Begins the regular rounds. Each group has a place of its own within the heartbeat, by its cluster's id, so that a
 * fleet is asked evenly over the heartbeat, and its triggers run so: the first round comes within a heartbeat.
 */
void group_run(struct group *group);

/* While `paused` no round opens; what is wanted meanwhile opens soon after. */
void group_pause(struct group *group, bool paused);

/* Opens a round, or has one opened right after the present one. */
void group_want_round(struct group *group, bool regular);

/* A look at one of its nodes has ended: what was seen is in the node. */
void group_saw(struct group *group, struct watch *watch);

/* A beat that its open round has asked for has its result. */
void group_beaten(struct group *group, const struct beat_result *result);

/* Whether nodes have moved, and nobody has been told yet. */
bool group_is_judging(const struct group *group);

/* Sets the regular rounds by the present heartbeat, and has a round open in `after_ms` if none does before. */
void group_reload(struct group *group, int64_t after_ms);

/* The watch's node leaves the fleet: an open round does not wait for it, nor tells of it. */
void group_forget(struct group *group, const struct watch *watch);

/* The node's connection is made anew: the beat of an open round under way over it is repeated. */
void group_repeat(struct group *group, const struct node *node);

/* Goes on with an open round that waits for nothing any more. */
void group_resume(struct group *group);
