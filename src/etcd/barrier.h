/*
 * A barrier tells whether a lost transaction, of which nobody knows whether it was carried out, or still will be, has
 * won. No read can tell that, but another transaction can (the barrier), which compares the same mod_revision and
 * changes the same key. If the barrier wins, the lost one never will. If its comparison fails, the lost one has won
 * before, or never will, and what the key holds tells which. It is sent until one of both is known. Loop's thread.
 */
#pragma once

#include "etcd/client.h"

struct barrier_order {
	const char *key;      /* which the lost transaction compares and changes */
	int64_t mod_revision; /* with which it compares the key's; 0: the key was not there */
	/*
	 * What the barrier puts there: something that nobody else puts, so that a barrier whose own answer was lost is
	 * recognised.
	 */
	const char *value;
	size_t value_len;
	int64_t lease;        /* 0: none */
	const char *term_key; /* whose create_revision the lost one compares with `term`, too; NULL: it compares none */
	int64_t term;
	int64_t timeout_ms;   /* of each try */
};

enum barrier_end {
	BARRIER_WON,  /* the lost one was not carried out, and never will be: the key has the barrier's value now */
	BARRIER_LOST, /* nothing is under way any more: what the key holds may be the lost transaction's */
};

struct barrier_result {
	enum barrier_end end;
	const struct etcd_pair *pair; /* what the key holds; NULL: it is not there */
	int64_t mod_revision;         /* of the key now; 0: it is not there */
	const struct answer *answer;  /* for the call only, as the pair */
};

struct barrier;

/*
 * `done` is called once, never from inside this call, however long it takes; `failed` (NULL allowed) after each try
 * that did not tell (etcd is away, it refuses puts for lack of space, ...). Both may free the barrier.
 */
struct barrier *barrier_start(struct client *client, const struct barrier_order *order,
			      void (*done)(void *data, const struct barrier_result *result),
			      void (*failed)(void *data, const struct answer *answer), void *data);

/* NULL allowed; clears the pointer. */
void barrier_free(struct barrier **barrier);
