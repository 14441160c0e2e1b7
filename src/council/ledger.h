/*
 * The ledger writes commits to etcd, one transaction after another. Each transaction compares the term (the
 * create_revision of `lead`) and the mod_revision of `state/meta`, and changes that key. So no transaction of another
 * term, and none that was delayed on the way, is carried out in between. Commits that wait while a transaction is
 * under way go together in the next one, in order, as far as etcd's limits allow.
 *
 * No read can tell whether a transaction without an answer was carried out, since it may still be on its way. A
 * barrier can: another transaction that compares and changes the same key (etcd/barrier.h). If the barrier wins, the
 * lost one is never carried out, and is sent again. If it fails, the writer and the number in `state/meta` tell
 * whether the lost one was carried out. Clerk's loop.
 */
#pragma once

#include "council/commit.h"
#include "etcd/client.h"

struct ledger;

struct ledger_events {
	/* etcd has written all commits up to this number. */
	void (*committed)(void *data, unsigned long number);
	/* The term is over, or another monitor has written the state: what waits is dropped, and never written. */
	void (*refused)(void *data, const char *why);
	/* etcd takes no commit just now, and `why` is a sentence; or takes them again (NULL). */
	void (*stuck)(void *data, const char *why);
	void *data;
};

struct ledger_start {
	struct client *client;
	const char *prefix;
	const char *writer; /* a name of this process that no other process has; it is written to `state/meta` */
	int64_t timeout_ms; /* of one transaction */
	const struct ledger_events *events;
};

/* Copies what it is given. */
struct ledger *ledger_new(const struct ledger_start *start);

/*
 * Begins a term, with the value of `state/meta` and its mod_revision ("{}" and 0: the key is not there). Drops what
 * waits.
 */
void ledger_begin(struct ledger *ledger, int64_t term, int64_t meta_revision, const char *meta);

/* Takes over the commit; drops it when it was not made in this term. */
void ledger_add(struct ledger *ledger, struct commit *commit);

/* Ends the term: drops what waits. */
void ledger_end(struct ledger *ledger);

/* Whether a commit waits, or is under way. */
bool ledger_is_busy(const struct ledger *ledger);

/* NULL allowed; clears the pointer. */
void ledger_free(struct ledger **ledger);
