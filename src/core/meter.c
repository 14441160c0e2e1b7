#include "core/meter.h"

/* Plain loads and stores are enough, because there is one writer. */
uint64_t counter_read(const struct counter *counter)
{
	return atomic_load_explicit(&counter->count, memory_order_relaxed);
}

void counter_add(struct counter *counter, uint64_t more)
{
	atomic_store_explicit(&counter->count, counter_read(counter) + more, memory_order_relaxed);
}

int64_t gauge_read(const struct gauge *gauge)
{
	return atomic_load_explicit(&gauge->value, memory_order_relaxed);
}

void gauge_set(struct gauge *gauge, int64_t value)
{
	atomic_store_explicit(&gauge->value, value, memory_order_relaxed);
}

void histogram_add(struct histogram *histogram, int64_t us)
{
	const struct histogram_bounds *bounds = histogram->bounds;
	uint64_t length = us > 0 ? (uint64_t)us : 0;
	size_t bucket = 0;

	while (bucket < bounds->count && length > bounds->us[bucket])
		bucket++;
	counter_add(&histogram->counts[bucket], 1);
	counter_add(&histogram->sum_us, length);
}
