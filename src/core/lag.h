/*
 * From beats and rows to lag (cluster-rules.md, "Sync"). Pure.
 */
#pragma once

#include "core/fleet.h"

/*
 * Sets the tstamp by which `row` counts in `cluster`: the row's own if it names the sitting master,
 * at most the holder's last beat if it names an earlier holder. Returns false if it names neither.
 */
bool row_counts(const struct fleet *fleet, const struct cluster *cluster, const struct row *row,
		int64_t *tstamp);

/*
 * Takes in a beat that was written through `cluster` at `steady_ms`; `new_holder` as in history_add().
 * Beats are kept for the longest max_sync_delay of the cluster's members.
 */
void cluster_take_beat(struct fleet *fleet, struct cluster *cluster, int64_t tstamp,
		       int64_t steady_ms, bool new_holder);

/* Sets the lag of a node of the cluster that shows `tstamp`, in ms. Returns false if that is no beat of this run. */
bool cluster_lag(const struct cluster *cluster, int64_t tstamp, int64_t *lag_ms);

/*
 * A node becomes too far behind for a limit when its lag goes over the limit, and is so until its lag is at or below
 * half of it. Clients bring limits of their own, so this is kept for all limits at once in one number, the bar: the
 * node is too far behind for each limit below it. A lag x makes the node too far behind for all limits below x, and
 * ends that for all limits from 2x on. So the bar rises to x where it was lower and falls to 2x where it was higher.
 * lag_bar() returns the new bar, in ms; a node of which nothing is known has 0.
 */
int64_t lag_bar(int64_t bar_ms, int64_t lag_ms);

/* Whether a node with this bar is too far behind for the limit. */
bool lag_is_over(int64_t bar_ms, int64_t limit_ms);

/* Called at the end of a round: notes the lag of each member as it is then, also in its bar if the lag is known. */
void cluster_note_lags(struct cluster *cluster);

/* Sets the lag of a slave or lost node by its last good row, in ms. Returns false if it is unknown, or has none. */
bool node_lag(const struct node *node, int64_t *lag_ms);
