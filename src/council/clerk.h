/*
 * The clerk: the thread that talks with etcd for a monitor. It has a loop of its own, so that the monitor never waits
 * for etcd. It renews the lease only while the monitor's loop turns, so that a monitor that stands still loses the
 * lease, and another one acts. It owns the lease, our entry among the monitors, the election and the ledger, and tells
 * the council what becomes of them (missive.h).
 */
#pragma once

#include <stdatomic.h>

#include "council/election.h"
#include "council/missive.h"
#include "etcd/client.h"

struct clerk;

struct clerk_start {
	struct client_settings etcd;
	const char *prefix;   /* ends with a slash */
	const char *name;     /* this monitor's */
	const char *instance; /* a name of this process that no other process has */
	const char *host;     /* this machine's name */
	const char *value;    /* the value of `lead` when this monitor acts, one JSON object */
	int64_t ttl_s;
	const atomic_llong *turned_ms; /* the monitor's: when its loop turned last (uv_hrtime() / 1000000) */
	struct sure *sure;             /* the clerk writes there until when the term is sure */
	/* Called with a missive for the council, which owns it then. On the clerk's thread; must not wait. */
	void (*say)(void *data, struct missive *missive);
	void *data;
};

/*
 * Starts the thread. Copies what it is given, but for `turned_ms` and `sure`, which outlive it. NULL: no thread was
 * made.
 */
struct clerk *clerk_new(const struct clerk_start *start);

/* Takes over the missive. Any thread. */
void clerk_tell(struct clerk *clerk, struct missive *missive);

/*
 * Waits, after a MISSIVE_END, `ms` at most for the thread to end; false: it did not, and is left. Clears the pointer.
 */
bool clerk_free(struct clerk **clerk, int64_t ms);
