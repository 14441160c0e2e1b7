/*
 * How long bursts of traffic last: the rounds of a client that asks all at once and then is quiet. A burst ends where
 * nothing comes for 50 ms. Those of the whole farm are told apart from those of each cluster.
 */
#pragma once

#include <stdint.h>

struct span {
	uint64_t began_ns; /* 0: there has been none */
	uint64_t last_ns;
};

/* Something has come for a cluster; `span` is the cluster's. */
void span_come(struct span *span);

/* What has come is answered. */
void span_answered(struct span *span);

/*
 * Prints "rounds farm COUNT MIN MEDIAN MAX clusters COUNT MIN MEDIAN MAX", microseconds from the first byte of a burst
 * to its last answer, of all bursts that have ended since this was last called.
 */
void spans_print(void);
