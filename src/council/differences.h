/*
 * Compares the settings of other monitors with ours, and logs an error whenever what differs has changed. Monitor's
 * loop.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"

/* Zero-initialised: no difference is known. Ended by buf_free(&differences->words). */
struct differences {
	struct buf words; /* what differed when it was compared last */
};

/*
 * Compares what the entries of all monitors (missive.h, MISSIVE_MONITORS) say with `settings`, ours (core/likeness.h).
 * Leaves out the entry of this `name`, ours, which says for a moment after a reload what our settings were before.
 */
void differences_take(struct differences *differences, const json_t *monitors, const char *name,
		      const char *settings);
