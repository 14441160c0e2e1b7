/*
 * The clerk: the thread that talks with etcd for a monitor, with a loop of its own, so that no wait for etcd is a wait of
 * the monitor's, and no stall of the monitor's costs it the lease unseen: the lease is renewed only while the monitor's
 * loop turns. It holds the lease, our entry among the monitors, the election and the ledger; what they come to it tells
 * the council (missive.h).
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
	const char *instance; /* this process, as no other is called */
	const char *host;     /* this machine's name */
	const char *value;    /* what `lead` says of us, one JSON object */
	int64_t ttl_s;
	const atomic_llong *turned_ms; /* the monitor's loop stamps its turns there (uv_hrtime() / 1000000) */
	struct sure *sure;             /* the clerk says there until when the term is sure */
	/* A missive for the council, which owns it then. On the clerk's thread; must not wait. */
	void (*say)(void *data, struct missive *missive);
	void *data;
};

/* Starts the thread. Copies what it is given, but for the stamps, which outlive it. NULL: there is no thread. */
struct clerk *clerk_new(const struct clerk_start *start);

/* Takes over the missive. Any thread. */
void clerk_tell(struct clerk *clerk, struct missive *missive);

/* After MISSIVE_END: waits for the thread for `ms` at most; false: it does not end. Clears the pointer. */
bool clerk_free(struct clerk **clerk, int64_t ms);
