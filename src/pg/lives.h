/*
 * Counts connections that break within 1 s of being made (cluster-rules.md, "Rounds"). From the
 * second in a row such a break opens no early round, and the node is reconnected ever later.
 * Zero-initialised: there was none. Pure.
 */
#pragma once

#include <stdint.h>

struct lives {
	int brief; /* how many in a row broke so soon */
};

/*
 * A connection has broken after `lasted_ms`. Returns how many ms to wait before the next connect,
 * at most `most_ms`; 0: the node is to be looked at now.
 */
int64_t lives_ended(struct lives *lives, int64_t lasted_ms, int64_t most_ms);
