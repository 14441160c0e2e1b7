/*
 * The beats of one cluster, for the lag of its slaves (cluster-rules.md,
 * "Sync"). Times are on the cluster's own clock, which stands still while the
 * seat is empty. A value: zero-initialised is empty, history_free() ends it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_BEATS 1024 /* kept at most; beyond that beats are left out, so that older ones are wider apart */

struct history_beat {
	int64_t tstamp;
	int64_t at_ms; /* when it was written, by the cluster's clock */
};

struct history {
	struct history_beat *beats; /* oldest first */
	uint32_t count;
	uint32_t room; /* how many `beats` has room for */
	int64_t first_tstamp; /* of this run's first beat of the cluster */
	int64_t forgotten_tstamp; /* of the newest beat that was dropped because of its age; 0: none was */
	int64_t last_steady_ms; /* steady, when the newest beat was written */
	int64_t stopped_ms; /* how long the cluster's clock has stood still in all */
};

/*
 * Adds a beat written at `steady_ms`. `new_holder` says that it is the first one of a
 * node that took the seat: then the time since the last beat does not count. Of the beats older
 * than `window_ms` (the longest max_sync_delay that anybody asks for) all but the newest are dropped.
 */
void history_add(struct history *history, int64_t tstamp, int64_t steady_ms, bool new_holder,
		 int64_t window_ms);

/* Takes `ms` out of the time since the last beat, as if the cluster's clock had stood still for so long. */
void history_pause(struct history *history, int64_t ms);

/*
 * Sets how far behind a node is that shows `tstamp`: the age, when the newest beat was
 * written, of the oldest beat that it has not replayed; 0 if it shows the newest. For a row older than
 * a dropped beat its tstamp is used in addition. Where beats were left out the lag may be less than the
 * truth, never more: 2 % less at most, for a day of beats every 0.05 s.
 * Returns false and sets nothing if the node has shown no beat of this run.
 */
bool history_lag(const struct history *history, int64_t tstamp, int64_t *lag_ms);

/* Returns the newest beat's tstamp; INT64_MIN before the first beat. */
int64_t history_newest(const struct history *history);

void history_free(struct history *history);
