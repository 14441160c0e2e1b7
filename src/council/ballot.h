/*
 * What monitors ask and tell each other of nodes that fail, as it passes through etcd (slip.h): puts it there with this
 * monitor's lease, and tells what others put. What waits while some is written goes together, 100 keys at a time. It is no
 * proof of anything, and lives for seconds: what is lost on the way is a vote that nobody has given. Clerk's loop.
 */
#pragma once

#include "council/missive.h"
#include "etcd/client.h"

struct ballot;

struct ballot_start {
	struct client *client;
	const char *prefix;
	int64_t timeout_ms; /* of one request */
	/* A MISSIVE_NEWS, who is told owns it. */
	void (*say)(void *data, struct missive *missive);
	void *data;
};

/* Copies the prefix. */
struct ballot *ballot_new(const struct ballot_start *start);

/* From now on keys stand with this lease. */
void ballot_has_lease(struct ballot *ballot, int64_t lease);

/* Writes the text there, or (NULL) takes the key away; both are copied. */
void ballot_put(struct ballot *ballot, const char *key, const char *text);

/* NULL allowed; clears the pointer. */
void ballot_free(struct ballot **ballot);
