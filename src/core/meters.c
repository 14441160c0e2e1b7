#include "core/meters.h"

#include <stdlib.h>

#include "base/mem.h"

static const struct histogram_bounds observation_bounds = {
	.count = 10,
	.us = { 500, 1000, 2500, 5000, 10000, 25000, 100000, 500000, 1000000, 2500000 },
};

/* There are few buckets, because a fleet may have as many clusters as nodes. */
static const struct histogram_bounds cluster_bounds = {
	.count = 4,
	.us = { 1000, 10000, 100000, 1000000 },
};

static const struct histogram_bounds detection_bounds = {
	.count = 10,
	.us = { 5000, 10000, 25000, 50000, 100000, 500000, 1000000, 2500000, 10000000, 60000000 },
};

static const struct histogram_bounds run_bounds = {
	.count = 10,
	.us = { 1000, 10000, 50000, 100000, 500000, 1000000, 5000000, 10000000, 30000000, 60000000 },
};

static const struct histogram_bounds lateness_bounds = {
	.count = 9,
	.us = { 1000, 2500, 5000, 10000, 25000, 50000, 100000, 500000, 2000000 },
};

struct node_meter *node_meter_new(void)
{
	struct node_meter *meter = mem_zalloc(1, sizeof(*meter));

	atomic_init(&meter->references, 1);
	return meter;
}

struct node_meter *node_meter_ref(struct node_meter *meter)
{
	atomic_fetch_add(&meter->references, 1);
	return meter;
}

void node_meter_unref(struct node_meter **meter_p)
{
	struct node_meter *meter = *meter_p;

	*meter_p = NULL;
	if (meter != NULL && atomic_fetch_sub(&meter->references, 1) == 1)
		free(meter);
}

struct cluster_meter *cluster_meter_new(void)
{
	struct cluster_meter *meter = mem_zalloc(1, sizeof(*meter));

	atomic_init(&meter->references, 1);
	meter->observation.bounds = &cluster_bounds;
	return meter;
}

struct cluster_meter *cluster_meter_ref(struct cluster_meter *meter)
{
	atomic_fetch_add(&meter->references, 1);
	return meter;
}

void cluster_meter_unref(struct cluster_meter **meter_p)
{
	struct cluster_meter *meter = *meter_p;

	*meter_p = NULL;
	if (meter != NULL && atomic_fetch_sub(&meter->references, 1) == 1)
		free(meter);
}

void meters_init(struct meters *meters)
{
	*meters = (struct meters){
		.observation.bounds = &observation_bounds,
		.detection.bounds = &detection_bounds,
		.run.bounds = &run_bounds,
		.lateness.bounds = &lateness_bounds,
	};
}

enum failure_class failure_class_of(enum reason reason)
{
	switch (reason) {
	case REASON_UNREACHABLE:
	case REASON_DNS:
		return FAILURE_UNREACHABLE;
	case REASON_TIMEOUT:
	case REASON_HUNG:
		return FAILURE_TIMEOUT;
	case REASON_REFUSED:
	case REASON_RESET:
		return FAILURE_REFUSED;
	case REASON_STARTING:
	case REASON_SHUTTING_DOWN:
	case REASON_FULL:
	case REASON_AUTH:
	case REASON_NO_DATABASE:
	case REASON_TLS:
	case REASON_NO_NEW_CONNECTIONS:
		return FAILURE_REJECTED;
	case REASON_QUERY_ERROR:
	case REASON_READ_ONLY:
	case REASON_TABLE:
	case REASON_MALFORMED:
	case REASON_SAME_SERVER:
		return FAILURE_ANSWER;
	case REASON_NONE:
	case REASON_LAG:
	case REASON_DEMOTED:
	case REASONS:
		break;
	}
	return FAILURE_CLASSES;
}

const char *failure_class_name(enum failure_class class)
{
	static const char *const names[FAILURE_CLASSES] = {
		[FAILURE_UNREACHABLE] = "unreachable",
		[FAILURE_TIMEOUT] = "timeout",
		[FAILURE_REFUSED] = "refused",
		[FAILURE_REJECTED] = "rejected",
		[FAILURE_ANSWER] = "answer",
	};

	return names[class];
}
