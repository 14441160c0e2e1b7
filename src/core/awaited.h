/*
 * The monitor's start (cluster-rules.md, "Start"): a cluster that was founded
 * waits for its slaves, then they are placed without slave_up. Pure.
 *
 * A round of the clusterless nodes with `starting` set founds the clusters; it
 * leaves what was seen of the others in place for the functions here.
 */
#pragma once

#include "core/round.h"

#define START_STRANGERS_MS 1000 /* how long slaves that name no cluster's master are waited for */
#define START_ANSWERS_MS 1000   /* how long the first answers of all nodes are waited for, */
#define START_LOGINS_MS 3000    /* and how long while some login is under way; and a cluster's wait in all */

/* What awaited_is_over() concludes of a cluster's wait. */
enum awaited_end {
	AWAITED_YET,
	AWAITED_LAST_LOOK, /* the time is up: its awaited nodes are asked once more, then they are placed */
	AWAITED_NO_MORE
};

/*
 * Looks at all clusterless nodes once, for all clusters that start: who is `awaited` by
 * which, and which `start_ends` because a node of it went down. Returns how many strangers
 * there are: slaves that answer and whose row names no cluster's master, starting or not.
 */
size_t awaited_look(struct fleet *fleet, const struct moment *now);

/*
 * How long after the founding beat strangers have to name its cluster's master, in ms; and when the question was put
 * (steady) whose answer of some stranger is the oldest, INT64_MAX: there is none.
 */
int64_t awaited_strangers_ms(const struct fleet *fleet);
int64_t awaited_strangers_asked(const struct fleet *fleet);

/* Whether the cluster still waits for this one of its awaited nodes: it shows no beat of this run. */
bool awaited_is_late(const struct fleet *fleet, const struct cluster *cluster,
		     const struct node *node);

/* Whether a clusterless node is a stranger, as above. */
bool awaited_is_stranger(const struct fleet *fleet, const struct node *node);

/* What a wait depends on, beside what awaited_look() found in the same moment. */
struct awaited_situation {
	int64_t waited_ms; /* since the founding beat; only time in which the loop turned */
	size_t strangers;
	bool strangers_asked; /* all of them, when their time was up: what they said before that says nothing */
	bool logging_in; /* a first login is under way */
};

enum awaited_end awaited_is_over(const struct fleet *fleet, const struct cluster *cluster,
			     const struct awaited_situation *wait);

/*
 * Places by U3 the nodes that awaited_look() found for the cluster, as far as they are clusterless
 * still. None of these changes fires an event. The cluster is `starting` until the caller, who tells
 * of it, says otherwise: no round of it opens before plusmoin_up.
 */
void awaited_place(struct fleet *fleet, struct cluster *cluster, const struct moment *now,
		 struct changes *changes);
