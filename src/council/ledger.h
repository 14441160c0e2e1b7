/*
 * Commits, one transaction after another. Each compares the term (the create_revision of `lead`) and what `state/meta`
 * stood at, and changes that: so no transaction of another term, and none that was lost on the way, can land in between.
 * What waits while one is under way goes together in the next one, in order, as far as etcd's limits allow.
 *
 * Whether a transaction without an answer was carried out no read can tell, since it may land later. A barrier can:
 * another one that compares and changes the same key (etcd/barrier.h). If it wins, the lost one never lands, and is
 * sent again; if it fails, what stands at `state/meta` says by its writer and number whether the lost one has landed. Clerk's loop.
 */
#pragma once

#include "council/commit.h"
#include "etcd/client.h"

struct ledger;

struct ledger_events {
	/* All commits up to this number stand, for good. */
	void (*committed)(void *data, unsigned long number);
	/* The term is over, or somebody else has written: nothing that waits will ever be committed. */
	void (*refused)(void *data, const char *why);
	/* etcd takes nothing just now (a sentence), or does again (NULL). */
	void (*stuck)(void *data, const char *why);
	void *data;
};

struct ledger_start {
	struct client *client;
	const char *prefix;
	const char *writer; /* this process, as no other is called: stands in `state/meta` */
	int64_t timeout_ms; /* of one transaction */
	const struct ledger_events *events;
};

/* Copies what it is given. */
struct ledger *ledger_new(const struct ledger_start *start);

/* A term begins: what stands at `state/meta`, and its mod_revision (0: nothing; "{}" then). Drops what waited. */
void ledger_begin(struct ledger *ledger, int64_t term, int64_t meta_revision, const char *meta);

/* Takes over the commit; drops it when it was not made under this term. */
void ledger_add(struct ledger *ledger, struct commit *commit);

/* The term is over: drops what waits. */
void ledger_end(struct ledger *ledger);

/* Whether something waits, or is under way. */
bool ledger_is_busy(const struct ledger *ledger);

/* NULL allowed; clears the pointer. */
void ledger_free(struct ledger **ledger);
