/*
 * The ballot carries what monitors ask and tell each other of nodes that fail through etcd (slip.h): it puts our keys there
 * with this monitor's lease, and tells what others put. What is put while a transaction is under way goes with the next one,
 * at most 100 keys at a time. Keys are needed for seconds only, and one that is lost counts as a vote that nobody has given:
 * so nothing is confirmed to who put it. Clerk's loop.
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

/* From now on keys are written with this lease; before the first one nothing is written. */
void ballot_has_lease(struct ballot *ballot, int64_t lease);

/* Writes the text there, or (NULL) takes the key away; both are copied. */
void ballot_put(struct ballot *ballot, const char *key, const char *text);

/* NULL allowed; clears the pointer. */
void ballot_free(struct ballot **ballot);
