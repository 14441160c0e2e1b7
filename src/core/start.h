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
#define START_ANSWERS_MS 1000   /* how long the first answers of all nodes are waited for */

/*
 * Whether the wait of `cluster` is over: all slaves whose row names its master
 * show a beat of this run, or one of its nodes went down, or the time is up.
 * `founded_ms` is when it was founded (steady).
 */
bool start_is_over(const struct fleet *fleet, const struct cluster *cluster, int64_t founded_ms,
		   const struct moment *now);

/* Whether a clusterless node is still worth a look for `cluster`'s start. */
bool start_waits_for(const struct fleet *fleet, const struct cluster *cluster,
		     const struct node *node);

/* Ends the wait: places by U3 the clusterless slaves that name the cluster's master. */
void start_place(struct fleet *fleet, struct cluster *cluster, const struct moment *now,
		 struct changes *changes);
