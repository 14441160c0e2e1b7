/*
 * Keys that are to be written, or to go, one after another, by whoever reads them all (keeper.h). What is sent compares the
 * revision of the key that was read before: what was lost on the way, and lands later, lands on nothing that somebody else
 * has written since. What becomes of it the next read tells. Clerk's loop.
 */
#pragma once

#include "base/buf.h"
#include "etcd/client.h"

/* Called on the clerk's loop, not from inside a call of the owner's but errands_take(), errands_failed() and errands_refuse(). */
struct errands_events {
	/* Has all keys be read; returns the number of a read that begins from now on. */
	unsigned long (*look)(void *data);
	/* It stands, and was read; or why it does not. */
	void (*done)(void *data, unsigned long number, const char *why);
	void *data;
};

/* All of them; who has them sets what stands before `all`. Ended by errands_free(). */
struct errands {
	struct client *client;
	int64_t timeout_ms; /* of one request */
	const struct errands_events *events;
	struct timer *again;      /* timer_new() of errands_again() */
	struct list all;          /* struct errand *, the first is under way */
	struct client_call *call; /* of that */
	size_t seeds;             /* of them that have no number */
};

/*
 * One more, which has to stand within ERRAND_MS; with the number 0 it has all the time, and nobody is told. Takes over the
 * key and its text (NULL: the key is to go).
 */
#define ERRAND_MS 3000
void errands_add(struct errands *errands, unsigned long number, char *key, char *text);
bool errands_have(const struct errands *errands, const char *key);

/* What the read of that number has shown; `room`: so many keys may stand there. */
void errands_take(struct errands *errands, const struct etcd_pairs *pairs, unsigned long number, size_t room);

/* A read has failed, in these words. */
void errands_failed(struct errands *errands, const char *words);

/* All that have a number end, for that. */
void errands_refuse(struct errands *errands, const char *why);

/* For the timer: `data` are the errands. */
void errands_again(void *data);
void errands_free(struct errands *errands);
