/*
 * Second opinions (rule P6): what slaves hear of their master, and when that vouches for it. Who asks
 * them, and when, is the monitor (monitor/witness.h). Pure.
 */
#pragma once

#include "core/fleet.h"

/* What a slave says of its upstream, as one question was answered. */
struct hearing {
	bool has_lsn;        /* it has received something by streaming: */
	uint64_t lsn;        /* pg_last_wal_receive_lsn() */
	bool streams;        /* it has a WAL receiver; */
	bool is_told;        /* the role may read of it (pg_monitor): */
	char sender[NAME_BYTES]; /* the host as it is written in primary_conninfo */
	int port;
	int timeline;
	int64_t received_us; /* when the last message came, by the slave's clock */
	int64_t now_us;      /* the slave's clock */
};

/* The same as it is kept. */
struct heard {
	bool has_lsn;
	bool streams;
	bool is_told;
	bool is_from_master; /* its sender is the sitting master, by its configured name or its address */
	uint64_t lsn;
	uint64_t sender;     /* of host and port: equal, or another sender */
	int timeline;
	int64_t received_us;
	int64_t now_us;
};

/* What a slave said when a connection to it was made. */
struct usual {
	struct heard heard;
	int64_t stamp_ms; /* as a beat of then has it; 0: nothing was said */
	int64_t wall_ms;
};

/* What one slave has said so far. */
struct hearer {
	struct usual newest;
	struct usual proven; /* the newest after which it has replayed another beat: its sender carries them */
	bool has_base;
	struct heard base; /* what the next look is compared with */
	bool has_now;
	struct heard now;  /* in the present look */
	bool vouches;      /* in the last look that has ended */
};

/* `master`: NULL: nobody sits; `address`: where it was reached last, "": unknown. */
struct heard heard_of(const struct hearing *hearing, const struct node *master, const char *address);

/* Keeps what `slave` has said unasked. */
void hearer_note_usual(struct hearer *hearer, const struct heard *heard, const struct node *slave,
		       const struct moment *now);

enum vouch {
	VOUCH_NONE,
	VOUCH_BLIND, /* what it receives grows, but from whom it comes nobody may say */
	VOUCH_SURE
};

/*
 * Whether what the slave has said now vouches for the master: what it received has grown beyond its base and beyond
 * `highest`, all that any slave of the cluster had in the look before; or a message has come since from the master
 * itself. A sender or a timeline other than that by which the slave had the master's beats vouches for nobody.
 */
enum vouch hearer_vouches(const struct hearer *hearer, uint64_t highest, const struct node *slave);

/* The look is over: the next one is compared with this one. `highest` grows by it. */
void hearer_settle(struct hearer *hearer, uint64_t *highest);

/* ---- in the fleet's state ---- */

/* So many slaves vouch for the sitting master until `until_ms` (steady); 0 and 0: none does any more. */
void node_vouch(struct node *node, int64_t until_ms, int witnesses);

/* Until when a vouch given at `at_ms` holds; `is_blind`: by slaves alone that may not say whom they hear. 0: it does not. */
int64_t vouch_until(const struct fleet *fleet, const struct cluster *cluster, int64_t at_ms, bool is_blind);

/*
 * The monitors have voted on the failing node (votes.h), or (NULL) were not asked: `see`: most of those who can say
 * see it, until they are asked again or it answers. Copies the votes.
 */
void node_take_votes(struct node *node, const struct votes *votes, bool see);

/* When P6 ends to keep the node in its seat, steady ms: INT64_MAX: others see it; INT64_MIN: it does not. */
int64_t node_vouch_ends(const struct node *node);

/* The same of P8 and a slave. */
int64_t node_others_end(const struct node *node);

/* Whether the sitting master keeps its seat by P6. */
bool node_is_vouched_for(const struct node *node, const struct moment *now);
