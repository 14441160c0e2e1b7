/*
 * Second opinions (rule P6). A slave hears its master while it receives WAL from it; a slave that hears the
 * master although the monitor cannot reach it vouches for it, and keeps it in its seat. Here is what slaves have
 * said and when it vouches; the monitor asks them (monitor/witness.h). Pure.
 */
#pragma once

#include "core/fleet.h"

/* What a slave says of the server from which it receives WAL, in one answer. */
struct hearing {
	bool has_lsn;        /* it has received WAL by streaming */
	uint64_t lsn;        /* pg_last_wal_receive_lsn() */
	bool streams;        /* it has a WAL receiver */
	bool is_told;        /* our role may read pg_stat_wal_receiver (pg_monitor), so the fields below are set */
	char sender[NAME_BYTES]; /* the host as primary_conninfo has it */
	int port;
	int timeline;
	int64_t received_us; /* when the last message came, by the slave's clock */
	int64_t now_us;      /* the slave's clock */
};

/* A hearing in the form in which it is kept. */
struct heard {
	bool has_lsn;
	bool streams;
	bool is_told;
	bool is_from_master; /* the sender is the sitting master, by its configured host or its address */
	uint64_t lsn;
	uint64_t sender;     /* a hash of the sender's host and port */
	int timeline;
	int64_t received_us;
	int64_t now_us;
};

/* What a slave said when a connection to it was made: from whom it usually receives WAL. */
struct usual {
	struct heard heard;
	int64_t stamp_ms; /* when it was said, on the clock of beats (struct moment); 0: nothing was said */
	int64_t wall_ms;  /* the same by the wall clock */
};

/* What one slave has said so far. A look here is one question to all slaves of a cluster. */
struct hearer {
	struct usual newest;
	struct usual proven; /* the newest after which the slave has replayed a beat, so its sender passes beats on */
	bool has_base;
	struct heard base; /* what the answer in the next look is compared with */
	bool has_now;
	struct heard now;  /* the answer in the present look */
	bool vouches;      /* it vouched in the last look that has ended */
};

/*
 * Turns a hearing into its kept form. `master` is the sitting one, or NULL; `address` is where it was last reached, ""
 * if unknown.
 */
struct heard heard_of(const struct hearing *hearing, const struct node *master, const char *address);

/* Keeps what `slave` said when a connection to it was made. */
void hearer_note_usual(struct hearer *hearer, const struct heard *heard, const struct node *slave,
		       const struct moment *now);

enum vouch {
	VOUCH_NONE,
	VOUCH_BLIND, /* it receives more WAL, but from whom is not known to be the master */
	VOUCH_SURE
};

/*
 * Whether the slave's answer in the present look vouches for the master. It does if its LSN has grown beyond its base
 * and beyond `highest`, the greatest LSN of any slave of the cluster in the looks before; or if a message of the
 * master itself has come since. It does not if the sender or the timeline is another one than that from which the slave
 * received the master's beats.
 */
enum vouch hearer_vouches(const struct hearer *hearer, uint64_t highest, const struct node *slave);

/* Called at the end of a look: its answer is the base of the next one. Raises `highest` to the answer's LSN. */
void hearer_settle(struct hearer *hearer, uint64_t *highest);

/* ---- in the fleet's state ---- */

/* Notes that so many slaves vouch for the sitting master until `until_ms` (steady); 0 and 0: none does. */
void node_vouch(struct node *node, int64_t until_ms, int witnesses);

/*
 * Returns until when (steady) a vouch given at `at_ms` holds; 0: it does not hold. `is_blind` says that all slaves that
 * vouch are VOUCH_BLIND: it holds at most until max_sync_delay after the last beat, then.
 */
int64_t vouch_until(const struct fleet *fleet, const struct cluster *cluster, int64_t at_ms, bool is_blind);

/*
 * Notes how the monitors have voted on the failing node (votes.h; copied), or (NULL) that they were not asked. `see`
 * says that the node is seen by the votes; this holds until they are asked again or the node answers.
 */
void node_take_votes(struct node *node, const struct votes *votes, bool see);

/* Returns until when P6 keeps the node in its seat, steady ms. INT64_MAX: other monitors see it; INT64_MIN: not. */
int64_t node_vouch_ends(const struct node *node);

/* The same for P8 and a slave. */
int64_t node_others_end(const struct node *node);

/* Whether the sitting master keeps its seat by P6. */
bool node_is_vouched_for(const struct node *node, const struct moment *now);
