/*
 * The monitor's start (cluster-rules.md, "Start"): a cluster that was founded
 * waits for its slaves, then they are placed without slave_up. Pure.
 *
 * A round of the clusterless nodes with `starting` set founds the clusters; it
 * keeps the observations of the other nodes, which the functions here read.
 */
#pragma once

#include "core/round.h"

#define START_STRANGERS_MS 1000 /* how long a cluster waits for slaves that name no cluster's master */
#define START_ANSWERS_MS 1000   /* how long the monitor waits for the first answers of all nodes */
#define START_LOGINS_MS 3000    /* the same while a login is under way; also the longest wait of a cluster */

/* What awaited_is_over() concludes of a cluster's wait. */
enum awaited_end {
	AWAITED_YET,
	AWAITED_LAST_LOOK, /* the time is up: its awaited nodes are asked once more, then they are placed */
	AWAITED_NO_MORE
};

/*
 * Looks at all clusterless nodes once. Notes in each cluster that starts which of them it waits for (`awaited`), and
 * whether its wait ends because one of its nodes went down (`start_ends`). Returns how many strangers there are:
 * slaves that answer and whose row names no cluster's master, starting or not.
 */
size_t awaited_look(struct fleet *fleet, const struct moment *now);

/* Returns how long after its founding beat a cluster waits for strangers to name its master, in ms. */
int64_t awaited_strangers_ms(const struct fleet *fleet);

/* Returns when (steady) the question to the stranger that was asked longest ago was sent; INT64_MAX: no strangers. */
int64_t awaited_strangers_asked(const struct fleet *fleet);

/* Whether the cluster still waits for this one of its awaited nodes, because it shows no beat of this run yet. */
bool awaited_is_late(const struct fleet *fleet, const struct cluster *cluster,
		     const struct node *node);

/* Whether a clusterless node is a stranger, as above. */
bool awaited_is_stranger(const struct fleet *fleet, const struct node *node);

/* What a wait depends on, beside what awaited_look() found in the same moment. */
struct awaited_situation {
	int64_t waited_ms; /* since the founding beat; only time in which the loop turned */
	size_t strangers;
	bool strangers_asked; /* all strangers were asked after their time was up; earlier answers do not count */
	bool logging_in; /* a first login is under way */
};

enum awaited_end awaited_is_over(const struct fleet *fleet, const struct cluster *cluster,
			     const struct awaited_situation *wait);

/*
 * Places by U3 the nodes that awaited_look() found for the cluster, as far as they are clusterless
 * still. None of these changes fires an event. The caller fires plusmoin_up and then clears `starting`,
 * so that no round of the cluster opens before that event.
 */
void awaited_place(struct fleet *fleet, struct cluster *cluster, const struct moment *now,
		 struct changes *changes);
