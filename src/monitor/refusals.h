/*
 * How often in a row a node has refused us, and how long it is left alone for it (contract,
 * `retry_interval`): twice as long after each refusal, SHUT_DOOR_RETRY_MS at most. Zero-initialised:
 * not once. Monitor thread.
 */
#pragma once

#include <stdint.h>

#include "core/names.h"

#define SHUT_DOOR_RETRY_MS 60000

struct refusals {
	int count;       /* each longer after the one before than the wait was */
	int64_t last_ms; /* steady */
};

/* How long to wait before the next attempt; `least_ms`: retry_interval. */
int64_t refusals_wait(const struct refusals *refusals, int64_t least_ms);

/* Counts an attempt that was refused at `now_ms`, or (`reason` another one) forgets those before. */
void refusals_count(struct refusals *refusals, enum reason reason, int64_t least_ms, int64_t now_ms);
