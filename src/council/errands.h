/*
 * Errands: keys to be written or deleted in etcd, one after another, for an owner that reads all of them (keeper.h).
 * Each request compares the revision of the key that was read before. So one that is delayed on the way never
 * overwrites what another monitor has written since. An errand is done when a later read has shown it. Clerk's loop.
 */
#pragma once

#include "base/buf.h"
#include "etcd/client.h"

/*
 * Called on the clerk's loop, and inside errands_take(), errands_failed() and errands_refuse(), but in no other call.
 */
struct errands_events {
	/* Has all keys read; returns the number of the first read that begins after this call. */
	unsigned long (*look)(void *data);
	/* The errand of that number is done (`why` NULL), or has failed for this reason. */
	void (*done)(void *data, unsigned long number, const char *why);
	void *data;
};

/* The owner sets the members before `all`; the others begin as zero. Ended by errands_free(). */
struct errands {
	struct client *client;
	int64_t timeout_ms; /* of one request */
	const struct errands_events *events;
	struct timer *again;      /* timer_new() of errands_again() */
	struct list all;          /* struct errand *, the first is under way */
	struct client_call *call; /* of the first one; NULL: none */
	size_t seeds;             /* how many have the number 0 */
};

#define ERRAND_MS 3000

/*
 * Adds an errand, which fails if it is not done within ERRAND_MS. One with the number 0 never fails, and `done` is not
 * called. Takes over the key and its text (NULL: the key is to be deleted).
 */
void errands_add(struct errands *errands, unsigned long number, char *key, char *text);
bool errands_have(const struct errands *errands, const char *key);

/* Takes what the read of that number has shown. No new key is written when there are `room` of them. */
void errands_take(struct errands *errands, const struct etcd_pairs *pairs, unsigned long number, size_t room);

/* A read has failed, in these words: errands whose time is over fail. */
void errands_failed(struct errands *errands, const char *words);

/* All errands that have a number fail for this reason. */
void errands_refuse(struct errands *errands, const char *why);

/* The callback of `again`; `data`: the errands. */
void errands_again(void *data);
void errands_free(struct errands *errands);
