/*
 * The keeper keeps the silences that all monitors share in etcd: each has a key, `silences/TARGET`, without a lease,
 * so that it outlives the monitor that set it. The keeper reads all of them whenever one changes, and once in each
 * lease's time, as a watch may miss a change. Any monitor may put and delete one; what it sends compares the revision
 * of the key that it read before, so that a delayed request never overwrites what another monitor has written since.
 * The monitor that acts deletes silences that are over. Clerk's loop.
 */
#pragma once

#include "core/silences.h"
#include "etcd/client.h"

struct keeper;

/* Called on the clerk's loop, not from inside a call of the owner's. */
struct keeper_events {
	/*
	 * These are all silences in etcd. Called when they are first read, and when they have changed; valid for the
	 * call.
	 */
	void (*read)(void *data, const struct silences *silences);
	/* The request of this number is done, and `read` has told the result; or `why` says why it failed. */
	void (*done)(void *data, unsigned long number, const char *why);
	/* The store is not the one it was: the keeper tells and writes nothing until keeper_accept(). */
	void (*strange)(void *data, const char *words);
	void *data;
};

struct keeper_start {
	struct client *client;
	const char *prefix; /* ends with a slash */
	int64_t ttl_ms;     /* of a monitor's lease */
	const struct keeper_events *events; /* copied */
};

struct keeper *keeper_new(const struct keeper_start *start);

/* Writes the silence, or (`is_end`) deletes that of its target; `done` follows with this number, which is not 0. */
void keeper_put(struct keeper *keeper, unsigned long number, const struct silence *silence, bool is_end);

/* Writes these silences, by which the monitor already goes, however long it takes. Until then `read` tells nothing. */
void keeper_seed(struct keeper *keeper, const struct silences *silences);

/*
 * Calls `fresh` once, when a read that begins from now on has come, and `read` has told what has changed. A second call
 * replaces the first one's `fresh`, which then is not called.
 */
void keeper_await(struct keeper *keeper, void (*fresh)(void *data), void *data);

/* Whether this monitor acts, and so deletes silences that are over. */
void keeper_act(struct keeper *keeper, bool acts);

/* Another part of the clerk has seen that the store is not the one it was. */
void keeper_doubt(struct keeper *keeper);

/* Accepts the store as it is: writes there the silences that were told last, and deletes all others. */
void keeper_accept(struct keeper *keeper);

/* NULL allowed; clears the pointer. */
void keeper_free(struct keeper **keeper);
