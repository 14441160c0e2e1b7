/*
 * A lease of etcd's. It is asked for until etcd grants one, and renewed each third of its time to live while its owner
 * allows it. A renewal has a quarter of that time, so that the next one goes to the next member when it fails. How long
 * the owner may trust the lease is his to decide: he is told when each renewal that was answered had been sent.
 * Loop's thread.
 */
#pragma once

#include "etcd/client.h"

enum lease_word {
	LEASE_GRANTED, /* etcd has granted it */
	LEASE_RENEWED,
	LEASE_FAILED,  /* this try to get or renew it has failed; it goes on trying */
	LEASE_GONE,    /* etcd says that there is no such lease any more; nothing more is told */
};

struct lease_news {
	enum lease_word word;
	int64_t id;
	int64_t ttl_s;               /* as etcd gave it */
	int64_t sent_ms;             /* steady: when the request that was answered had been sent */
	const struct answer *answer; /* for the call only */
};

struct lease;

/*
 * Asks for a lease of `ttl_s` seconds (etcd may give more). `may_renew` is asked before each renewal: false puts it
 * off for a twelfth of the time to live. `told` may free the lease.
 */
struct lease *lease_start(struct client *client, int64_t ttl_s, bool (*may_renew)(void *data),
			  void (*told)(void *data, const struct lease_news *news), void *data);

/*
 * Ends the lease at etcd, which deletes the keys that have it: it is not renewed any more, and `told` is not called.
 * `done` is called once, never from inside this call, and not after lease_free(): true when etcd says that the lease is
 * gone; false when that is not known after `timeout_ms`: then it ends by itself.
 */
void lease_revoke(struct lease *lease, int64_t timeout_ms, void (*done)(void *data, bool gone), void *data);

/* Frees it: the lease is neither renewed any more nor revoked. NULL allowed; clears the pointer. */
void lease_free(struct lease **lease);
