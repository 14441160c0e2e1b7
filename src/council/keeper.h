/*
 * Silences as all monitors share them: a key each, `silences/TARGET`, with no lease, so that they outlive whoever set them.
 * They are read whenever one changes, and now and then, as a watch is a hint alone. Any monitor may put and delete one; what
 * is written compares the revision of the key that was read before, so that nothing that was lost on the way lands on what
 * somebody else has written since. The monitor that acts deletes those that are over. Clerk's loop.
 */
#pragma once

#include "core/silences.h"
#include "etcd/client.h"

struct keeper;

/* Called on the clerk's loop, not from inside a call of the owner's. */
struct keeper_events {
	/* All that stand there; the first time, and when they are others. For the call. */
	void (*read)(void *data, const struct silences *silences);
	/* What was asked for stands, and was told by `read`; or why it does not. */
	void (*done)(void *data, unsigned long number, const char *why);
	/* The store is not the one it was: nothing is read or written until keeper_accept(). */
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

/* Has the silence stand, or (`is_end`) that of its target go; `done` follows with this number, which is not 0. */
void keeper_put(struct keeper *keeper, unsigned long number, const struct silence *silence, bool is_end);

/* Has these, which the monitor goes by already, stand, however long it takes, before anything that is read is told. */
void keeper_seed(struct keeper *keeper, const struct silences *silences);

/* `fresh` is called once when all was read, and told if it has changed, that stands now. One at a time: an earlier one is not. */
void keeper_await(struct keeper *keeper, void (*fresh)(void *data), void *data);

/* Whether this monitor acts. */
void keeper_act(struct keeper *keeper, bool acts);

/* Others know that the store is not the one it was. */
void keeper_doubt(struct keeper *keeper);

/* The store is taken as it is, and what was told last is written there; what else stands there goes. */
void keeper_accept(struct keeper *keeper);

/* NULL allowed; clears the pointer. */
void keeper_free(struct keeper **keeper);
