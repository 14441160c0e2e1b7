/*
 * Meters: what is counted and measured for `/metrics`. Each has one writer, a thread that never waits for readers. Any
 * thread may read one at any time and gets a value that was written; two meters that are read one after the other need
 * not fit together. So they can be shown even while the writer's loop is stuck.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Counts up. Zero-initialised: 0. */
struct counter {
	_Atomic uint64_t count;
};

/* A value that goes up and down. Zero-initialised: 0. */
struct gauge {
	_Atomic int64_t value;
};

#define HISTOGRAM_BOUNDS 10

/* The upper bounds of a histogram's buckets, rising; one further bucket takes what is above the last bound. */
struct histogram_bounds {
	size_t count; /* at most HISTOGRAM_BOUNDS */
	uint64_t us[HISTOGRAM_BOUNDS];
};

/* Durations by their length. It is empty when zero-initialised but for `bounds`, which must outlive it. */
struct histogram {
	const struct histogram_bounds *bounds;
	struct counter sum_us;
	struct counter counts[HISTOGRAM_BOUNDS + 1]; /* of each bucket, without the ones below it */
};

uint64_t counter_read(const struct counter *counter);
void counter_add(struct counter *counter, uint64_t more);
int64_t gauge_read(const struct gauge *gauge);
void gauge_set(struct gauge *gauge, int64_t value);

/* Adds a duration; one below 0 (clocks differ by a part of a millisecond) counts as 0. */
void histogram_add(struct histogram *histogram, int64_t us);
