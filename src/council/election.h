/*
 * The election decides which monitor acts: the one with whose lease the key `lead` was written. The key's
 * create_revision is the term. A monitor that has a lease campaigns whenever nobody leads: it writes the key if that
 * is not there. Whoever leads reads the key each third of the lease's time, since a watch may miss a change. If the
 * answer to a campaign was lost, the key tells by its lease whether we have won. Clerk's loop.
 */
#pragma once

#include <stdatomic.h>

#include "council/belief.h"
#include "etcd/client.h"

struct election;

/*
 * The term, and until when it is sure; both 0: none is ours. The clerk stores `term` before `ms`; another thread loads
 * `ms` before `term`, so that it never takes the end of a later term for that of an earlier one.
 */
struct sure {
	atomic_llong term;
	atomic_llong ms; /* CLOCK_BOOTTIME */
};

/* Called on the clerk's loop, not from inside a call of the owner's. */
struct election_events {
	void (*began)(void *data, int64_t term); /* a term of ours has begun */
	void (*gone)(void *data, const char *why); /* the term that was ours is over */
	/* Another monitor leads: `value` is what the key holds. NULL: nobody leads, or we lead. */
	void (*led)(void *data, const char *value);
	/*
	 * The store is not the one it was (wiped, or restored from a backup): this monitor waits for
	 * election_accept().
	 */
	void (*strange)(void *data, const char *words);
	void *data;
};

struct election_start {
	struct client *client;
	const char *key;   /* "/plusmoin/main/lead" */
	const char *value; /* who we are, JSON; copied, like the key */
	struct sure *sure; /* the election writes there until when the term is sure */
	const struct election_events *events; /* copied */
};

struct election *election_new(const struct election_start *start);

/* etcd has granted or renewed this lease, by its answer to a request sent at `sent_ms`. A new one has us campaign. */
void election_has_lease(struct election *election, int64_t lease, int64_t ttl_ms, int64_t sent_ms);

/* The lease is gone: a term that was ours is over. */
void election_has_none(struct election *election, const char *why);

/* A watch says that the key has changed. */
void election_hint(struct election *election);

/*
 * Whether this monitor may campaign: not after its lease has ended until its entry stands again, nor while it resigns.
 */
void election_may(struct election *election, bool may);

/* Another part of the clerk has seen that the store is not the one it was, and says so in these words. */
void election_doubt(struct election *election, const char *words);

/* Accepts the store as it is, and campaigns again. */
void election_accept(struct election *election);

const struct belief *election_belief(const struct election *election);

/* NULL allowed; clears the pointer. */
void election_free(struct election **election);
