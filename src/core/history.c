#include "core/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void remove_at(struct history *history, size_t index)
{
	history->count--;
	memmove(&history->beats[index], &history->beats[index + 1],
		(history->count - index) * sizeof(*history->beats));
}

/* Drops the beats that are older than the window, but for the newest of them: a row older than the
 * oldest kept beat counts as at least that old, and this must be more than the window. */
static void forget(struct history *history, int64_t window_ms)
{
	int64_t horizon = history->beats[history->count - 1].at_ms - window_ms;
	size_t old = 0;

	while (old + 1 < history->count && history->beats[old + 1].at_ms < horizon)
		old++;
	if (old == 0)
		return;
	history->forgotten_tstamp = history->beats[old - 1].tstamp;
	history->count -= old;
	memmove(history->beats, history->beats + old, history->count * sizeof(*history->beats));
}

/*
 * Removes the beat whose absence leaves the smallest gap in proportion to its age, never the oldest or the newest. So
 * lags of a day and lags of two seconds are known with the same relative precision.
 */
static void thin(struct history *history)
{
	const struct history_beat *beats = history->beats;
	int64_t newest_ms = beats[history->count - 1].at_ms;
	double smallest = INFINITY;
	size_t victim = 1;

	for (size_t i = 1; i + 1 < history->count; i++) {
		double gap_ms = (double)(beats[i + 1].at_ms - beats[i - 1].at_ms);
		double gap = gap_ms / ((double)(newest_ms - beats[i - 1].at_ms) + 1.0);

		if (gap < smallest) {
			smallest = gap;
			victim = i;
		}
	}
	remove_at(history, victim);
}

/* Makes room for one beat more. It grows by a quarter, so that many clusters do not hold twice what they need. */
static void make_room(struct history *history)
{
	if (history->count < history->room)
		return;
	history->room += history->room / 4 + 8;
	history->beats = mem_grow(history->beats, history->room, sizeof(*history->beats));
}

void history_pause(struct history *history, int64_t ms)
{
	history->last_steady_ms += ms;
	history->stopped_ms += ms;
}

void history_add(struct history *history, int64_t tstamp, int64_t steady_ms, bool new_holder,
		 int64_t window_ms)
{
	if (history->room == 0) {
		history->first_tstamp = tstamp;
	} else if (new_holder) {
		history->stopped_ms += steady_ms - history->last_steady_ms;
	}
	history->last_steady_ms = steady_ms;
	make_room(history);
	history->beats[history->count++] = (struct history_beat){
		.tstamp = tstamp,
		.at_ms = steady_ms - history->stopped_ms,
	};
	forget(history, window_ms);
	if (history->count > HISTORY_BEATS)
		thin(history);
}

bool history_lag(const struct history *history, int64_t tstamp, int64_t *lag_ms)
{
	size_t low = 0;
	size_t high = history->count;

	if (history->count == 0 || tstamp < history->first_tstamp)
		return false;
	while (low < high) { /* the first beat that is not replayed */
		size_t middle = low + (high - low) / 2;

		if (history->beats[middle].tstamp > tstamp)
			high = middle;
		else
			low = middle + 1;
	}
	*lag_ms = low == history->count
			  ? 0
			  : history->beats[history->count - 1].at_ms - history->beats[low].at_ms;
	if (low == 0 && tstamp < history->forgotten_tstamp) /* the window may have grown since that beat was dropped */
		*lag_ms += history->beats[0].tstamp - tstamp;
	return true;
}

int64_t history_newest(const struct history *history)
{
	return history->count > 0 ? history->beats[history->count - 1].tstamp : INT64_MIN;
}

void history_free(struct history *history)
{
	free(history->beats);
	*history = (struct history){ 0 };
}
