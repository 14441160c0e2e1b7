/* How often in a second something may be done that costs more than others can be made to pay. Window thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pace {
	int64_t second_ms; /* when the present second began, steady */
	unsigned done;     /* in it */
};

/* Whether it may be done once more: up to `most` times in a second. */
bool pace_allows(struct pace *pace, unsigned most);
