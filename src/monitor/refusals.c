#include "monitor/refusals.h"

int64_t refusals_wait(const struct refusals *refusals, int64_t least_ms)
{
	int64_t wait_ms = least_ms;

	for (int i = 1; i < refusals->count && wait_ms < SHUT_DOOR_RETRY_MS; i++)
		wait_ms *= 2;
	return refusals->count > 0 && wait_ms > SHUT_DOOR_RETRY_MS ? SHUT_DOOR_RETRY_MS : wait_ms;
}

void refusals_count(struct refusals *refusals, enum reason reason, int64_t least_ms, int64_t now_ms)
{
	if (!reason_is_a_shut_door(reason)) {
		refusals->count = 0;
	} else if (refusals->count == 0 ||
		   now_ms - refusals->last_ms >= refusals_wait(refusals, least_ms)) {
		refusals->count++; /* those of rounds meanwhile do not count */
		refusals->last_ms = now_ms;
	}
}
