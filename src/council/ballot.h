/*
 * The ballot carries through etcd what monitors ask and tell each other of nodes that fail (slip.h): it writes our
 * keys with this monitor's lease, and tells what other monitors write. What is put while a transaction is under way
 * goes with the next one, at most 100 keys at a time. Keys are needed for seconds only, and a lost one counts as a
 * vote that was not given, so nobody is told whether a key was written. Clerk's loop.
 */
#pragma once

#include "council/missive.h"
#include "etcd/client.h"

struct ballot;

struct ballot_start {
	struct client *client;
	const char *prefix;
	int64_t timeout_ms; /* of one request */
	/* Tells a MISSIVE_NEWS, which the callee owns. */
	void (*say)(void *data, struct missive *missive);
	void *data;
};

/* Copies the prefix. */
struct ballot *ballot_new(const struct ballot_start *start);

/* From now on keys are written with this lease; 0: there is none, and nothing is written until there is another one. */
void ballot_has_lease(struct ballot *ballot, int64_t lease);

/* Has the text written at the key, or (NULL) the key deleted; copies both. */
void ballot_put(struct ballot *ballot, const char *key, const char *text);

/* NULL allowed; clears the pointer. */
void ballot_free(struct ballot **ballot);
