/*
 * The beats of one cluster, for the lag of its slaves (cluster-rules.md,
 * "Sync"). Times are on the cluster's own clock, which stands still while the
 * seat is empty. A value: zero-initialised is empty, history_free() ends it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_BEATS 1024 /* kept at most; then thinned: the older, the wider apart */

struct history_beat {
	int64_t tstamp;
	int64_t at_ms; /* when it was written, cluster clock */
};

struct history {
	struct history_beat *beats; /* oldest first */
	uint32_t count;
	uint32_t room; /* for so many; it grows with the window that is asked for */
	int64_t first_tstamp; /* this run's first beat of the cluster */
	int64_t forgotten_tstamp; /* the youngest beat dropped by the window; 0: none yet */
	int64_t last_steady_ms;
	int64_t stopped_ms; /* how long the cluster's clock has stood still in all */
};

/*
 * Adds a beat written at `steady_ms`. `new_holder`: the first one of a node
 * that took the seat, the time since the last beat does not count. Beats older
 * than `window_ms` (the longest max_sync_delay that is asked for) are dropped but the youngest of them.
 */
void history_add(struct history *history, int64_t tstamp, int64_t steady_ms, bool new_holder,
		 int64_t window_ms);

/* So much time since the last beat does not count: the cluster's clock stood still. */
void history_pause(struct history *history, int64_t ms);

/*
 * How late a node is that shows `tstamp`: the age, when the newest beat was
 * written, of the oldest beat that it has not replayed; 0 if it shows the
 * newest. Of a row older than what was dropped: no less than that, by its tstamp. Where beats were thinned
 * it may say less than the truth, never more: 2 % less at most, for a day of beats every 0.05 s.
 * False, and nothing set: it has shown no beat of this run.
 */
bool history_lag(const struct history *history, int64_t tstamp, int64_t *lag_ms);

/* The newest beat's tstamp; INT64_MIN before the first. */
int64_t history_newest(const struct history *history);

void history_free(struct history *history);
