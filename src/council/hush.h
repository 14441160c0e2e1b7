/*
 * The hush is the monitor's side of the silences that all monitors share: it hands the clerk (keeper.h) the silences
 * that are to be set or ended, and tells which ones etcd holds. The council owns it. Monitor's loop.
 */
#pragma once

#include "council/clerk.h"

/* Called on the loop, never from inside a call of the owner's. */
struct hush_events {
	/*
	 * These are all silences in etcd. Called when they are first read, and when they have changed; valid for the
	 * call.
	 */
	void (*read)(void *data, const struct silences *silences);
	/* The request of this number is done, and `read` has told the result; or `why` says why it failed. */
	void (*done)(void *data, unsigned long number, const char *why);
};

struct hush {
	struct clerk *clerk; /* NULL: there is none yet */
	const struct hush_events *events;
	void *data;
};

/* Has the silence set, or (`is_end`) that of its target ended; `done` follows with this number, which is not 0. */
void hush_put(const struct hush *hush, unsigned long number, const struct silence *silence, bool is_end);

/* Has all of these set, however long it takes. */
void hush_seed(const struct hush *hush, const struct silences *silences);

/* Takes a MISSIVE_SILENCES or a MISSIVE_SILENCED from the clerk. */
void hush_take(const struct hush *hush, const struct missive *missive);
