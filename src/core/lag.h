/*
 * From beats and rows to lag (cluster-rules.md, "Sync"). Pure.
 */
#pragma once

#include "core/fleet.h"

/*
 * The tstamp by which `row` counts in `cluster`: the sitting master's as it is,
 * an earlier holder's at most as that one's last beat. False: it names neither.
 */
bool row_counts(const struct fleet *fleet, const struct cluster *cluster, const struct row *row,
		int64_t *tstamp);

/*
 * Takes in a beat that was written through `cluster` at `steady_ms`; `new_holder` as in history_add().
 * Beats are kept for the longest max_sync_delay of the cluster's members.
 */
void cluster_take_beat(struct fleet *fleet, struct cluster *cluster, int64_t tstamp,
		       int64_t steady_ms, bool new_holder);

/* The lag of a node that shows `tstamp`, in its cluster. False: no beat of this run. */
bool cluster_lag(const struct cluster *cluster, int64_t tstamp, int64_t *lag_ms);

/*
 * Whether a node is too far behind, for any limit that anybody has: it is when its lag went over the limit, and no more
 * when it is at or below half of it. All that this takes is one number, the bar: the limits below it are those for
 * which it is too far behind now. For a lag x takes in all limits below x, and lets go all from 2x on, so those taken
 * in are never but the ones below some bar: it moves to x where it was lower, to 2x where it was higher, and stays
 * between. Exact, in ms; a node that nothing is known of has 0.
 */
int64_t lag_bar(int64_t bar_ms, int64_t lag_ms);

/* By that bar. */
bool lag_is_over(int64_t bar_ms, int64_t limit_ms);

/* A round of the cluster is over: takes in the lag of each member as it is then; of one of unknown lag nothing. */
void cluster_note_lags(struct cluster *cluster);

/* The lag of a slave or lost node by its last good row. False: unknown, or it is no member. */
bool node_lag(const struct node *node, int64_t *lag_ms);
