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

/* The lag of a slave or lost node by its last good row. False: unknown, or it is no member. */
bool node_lag(const struct node *node, int64_t *lag_ms);
