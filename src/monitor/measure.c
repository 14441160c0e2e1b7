#include "monitor/measure.h"

void measure_look(struct watch *watch)
{
	watch->began_ns = uv_hrtime();
}

static struct cluster_meter *cluster_of(const struct watch *watch)
{
	return watch->node->cluster != NULL ? watch->node->cluster->meter : NULL;
}

static void count_failure(const struct watch *watch, enum reason reason)
{
	struct cluster_meter *cluster = cluster_of(watch);
	enum failure_class class = failure_class_of(reason);

	counter_add(&watch->all->meters->failures[reason], 1);
	if (cluster != NULL && class < FAILURE_CLASSES)
		counter_add(&cluster->failures[class], 1);
}

static void count_beat(const struct watch *watch, const struct beat_result *beat)
{
	if (beat->state == BEAT_FAILED || beat->state == BEAT_LOCKED)
		count_failure(watch, beat->reason);
}

void measure_seen(struct watch *watch, const struct observation *seen)
{
	struct cluster_meter *cluster = cluster_of(watch);
	int64_t us;

	if (watch->all->meters == NULL || seen->kind == OBSERVED_NOTHING)
		return;
	if (watch->began_ns != 0) { /* else no look was under way: it is a connect that counts by itself */
		us = (int64_t)(uv_hrtime() - watch->began_ns) / 1000;
		histogram_add(&watch->all->meters->observation, us);
		if (cluster != NULL)
			histogram_add(&cluster->observation, us);
	}
	watch->began_ns = 0;
	if (seen->kind == OBSERVED_FAILURE)
		count_failure(watch, seen->reason);
	else if (seen->kind == OBSERVED_MASTER)
		count_beat(watch, &seen->beat);
}

void measure_beaten(const struct watch *watch, const struct beat_result *result)
{
	if (watch->all->meters != NULL)
		count_beat(watch, result);
}

void measure_tried(const struct watch *watch)
{
	struct cluster_meter *cluster = cluster_of(watch);

	if (watch->all->meters == NULL)
		return;
	counter_add(&watch->all->meters->connects, 1);
	if (cluster != NULL)
		counter_add(&cluster->connects, 1);
}

void measure_splits(const struct watches *watches)
{
	if (watches->meters != NULL)
		gauge_set(&watches->meters->splits, (int64_t)watches->fleet->disputes.count);
}
