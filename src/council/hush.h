/*
 * Silences that all monitors share, on the monitor's side: what is asked for goes to the clerk (keeper.h), and what stands
 * comes from it. The council owns it. Monitor's loop.
 */
#pragma once

#include "council/clerk.h"

/* Called on the loop, never from inside a call of the owner's. */
struct hush_events {
	/* All that stand there: the first time, and when they are others. For the call. */
	void (*read)(void *data, const struct silences *silences);
	/* What was asked for by this number stands, and was told by `read`; or why it does not. */
	void (*done)(void *data, unsigned long number, const char *why);
};

struct hush {
	struct clerk *clerk; /* NULL: there is none yet */
	const struct hush_events *events;
	void *data;
};

/* Has the silence stand, or (`is_end`) that of its target go; `done` follows with this number, which is not 0. */
void hush_put(const struct hush *hush, unsigned long number, const struct silence *silence, bool is_end);

/* Has all of these stand, however long it takes. */
void hush_seed(const struct hush *hush, const struct silences *silences);

/* What the clerk has heard: a MISSIVE_SILENCES or a MISSIVE_SILENCED. */
void hush_take(const struct hush *hush, const struct missive *missive);
