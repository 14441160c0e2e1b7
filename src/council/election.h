/*
 * Who acts: the key `lead` with this monitor's lease. Its create_revision is the term. A monitor that has a lease campaigns
 * whenever nobody leads; whoever leads reads the key each third of the lease's time, since watches are hints. What was sent
 * and not answered may have made us the one who acts: the key tells, by its lease. Clerk's loop.
 */
#pragma once

#include <stdatomic.h>

#include "council/belief.h"
#include "etcd/client.h"

struct election;

/* Until when (CLOCK_BOOTTIME) which term is sure; another thread may look. Both 0: none is ours. */
struct sure {
	atomic_llong term; /* that of `ms` or a later one: who reads `ms` first and this afterwards is not misled */
	atomic_llong ms;
};

/* Called on the clerk's loop, not from inside a call of the owner's. */
struct election_events {
	void (*began)(void *data, int64_t term); /* the term is ours */
	void (*gone)(void *data, const char *why); /* it was, and is not any more */
	/* Another one leads: what stands at the key. NULL: nobody does, or nobody knows. */
	void (*led)(void *data, const char *value);
	/* The store is not the one it was (wiped, or restored from a backup): nobody here campaigns until election_accept(). */
	void (*strange)(void *data, const char *words);
	void *data;
};

struct election_start {
	struct client *client;
	const char *key;   /* "/plusmoin/main/lead" */
	const char *value; /* who we are, JSON; copied, as the key */
	struct sure *sure; /* where it is told until when the term is sure */
	const struct election_events *events; /* copied */
};

struct election *election_new(const struct election_start *start);

/* We have this lease, granted or renewed by an answer to what was sent at `sent_ms`: campaigns, if nobody leads. */
void election_has_lease(struct election *election, int64_t lease, int64_t ttl_ms, int64_t sent_ms);

/* The lease is gone, and with it the term, if it was ours. */
void election_has_none(struct election *election, const char *why);

/* A watch says that the key has changed. */
void election_hint(struct election *election);

/* Campaigns no more, until election_may() again: the monitor's loop does not turn, or it resigns. */
void election_may(struct election *election, bool may);

/* Others have seen that the store is not the one it was, in these words. */
void election_doubt(struct election *election, const char *words);

/* The store is taken as it is. */
void election_accept(struct election *election);
const struct belief *election_belief(const struct election *election);

/* NULL allowed; clears the pointer. */
void election_free(struct election **election);
