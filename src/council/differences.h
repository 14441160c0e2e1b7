/* Which settings of other monitors are not ours: each difference is an error line once. Monitor's loop. */
#pragma once

#include <jansson.h>

#include "base/buf.h"

/* Zero-initialised: none known. Ended by buf_free(&differences->words). */
struct differences {
	struct buf words; /* as they were logged last */
};

/* Compares the entries of all monitors (missive.h, MISSIVE_MONITORS) with `settings`, ours (core/likeness.h). */
void differences_take(struct differences *differences, const json_t *monitors, const char *settings);
