/*
 * Clusters that wait for their slaves at the start (cluster-rules.md, "Start"): who is asked at each
 * tick, whose wait is over, and what is told of it then. Times are the founding's own clock's, which
 * counts the time in which the loop turned. Monitor thread.
 */
#pragma once

#include "core/awaited.h"
#include "monitor/node.h"

#define WAITS_TOLD_A_TURN 20 /* clusters; the loop does other work between */

struct waits {
	struct watches *watches;
	struct list waiting; /* struct wait, in the order of their founding */
	int64_t strangers_asked_ms; /* as awaited_strangers_asked() says in this tick */
	struct list placed;  /* struct wait, whose slaves are placed, and which are told of in the next turns */
};

/* What follows when a cluster's wait is over: its slaves were placed, with these changes. */
typedef void waits_up(void *data, struct cluster *cluster, struct changes *changes);

/* The cluster, which is `starting`, was founded at this time. */
void waits_add(struct waits *waits, struct cluster *cluster, int64_t founded_ms);
bool waits_are_over(const struct waits *waits);

/*
 * Does a tick: tells of clusters whose slaves were placed before, a few a turn; if there are none, looks at
 * all, and asks. True: more are to be told of at once. `logging_in`: some first login is under way.
 */
bool waits_tick(struct waits *waits, int64_t elapsed_ms, bool logging_in, waits_up *up, void *data);

/* For a reload: changes of a node that leaves, which were to be told, are not. */
void waits_forget(struct waits *waits, const struct node *node);

/* After a reload: clusters without members, which are about to be dropped, wait no longer. */
void waits_drop_empty(struct waits *waits);
void waits_free(struct waits *waits);
