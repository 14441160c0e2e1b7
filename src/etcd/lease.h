/*
 * A lease: asked for until etcd grants one, renewed each third of its time to live while its owner allows it, with a
 * quarter of it as the time of one renewal, so that the next one goes to the next member. It has no opinion of what
 * the lease is for, nor for how long the owner may trust it: it tells when each renewal that was answered was sent.
 * Loop's thread.
 */
#pragma once

#include "etcd/client.h"

enum lease_word {
	LEASE_GRANTED, /* it stands from now on */
	LEASE_RENEWED,
	LEASE_FAILED,  /* to ask for it, or to renew it, this time; it goes on trying */
	LEASE_GONE,    /* etcd says that there is no such lease any more; nothing more is told */
};

struct lease_news {
	enum lease_word word;
	int64_t id;
	int64_t ttl_s;               /* as etcd gave it */
	int64_t sent_ms;             /* steady: when what was answered had been sent */
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
 * Ends it, and what hangs on it, at etcd: it is not renewed any more, and `told` is not called. `done` is called once,
 * never from inside this call, and not after lease_free(): true when etcd says that it is gone; false when that is
 * not known after `timeout_ms`: then it ends by itself.
 */
void lease_revoke(struct lease *lease, int64_t timeout_ms, void (*done)(void *data, bool gone), void *data);

/* It is not renewed any more, and not revoked. NULL allowed; clears the pointer. */
void lease_free(struct lease **lease);
