/*
 * Connections that break soon after they were made (cluster-rules.md, "Rounds"): from the
 * second in a row a node is not looked at for it, and is connected to ever more slowly.
 * Zero-initialised: none yet. Pure.
 */
#pragma once

#include <stdint.h>

struct lives {
	int brief; /* in a row */
};

/*
 * One has ended that lasted for `lasted_ms`. Returns how long to wait before the next, at most
 * `most_ms`; 0: it is worth a look now.
 */
int64_t lives_ended(struct lives *lives, int64_t lasted_ms, int64_t most_ms);
