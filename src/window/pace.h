/* A pace limits how often in a second costly work is done for clients. Window thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pace {
	int64_t second_ms; /* steady time at which the present second began */
	unsigned done;     /* how often it was done, or asked for, in that second */
};

/* Returns whether it may be done once more, at most `most` times in a second, and counts it. */
bool pace_allows(struct pace *pace, unsigned most);
