/*
 * What the answers of one task tell, and the functions that read them, one a question (questions.h). Pure but for
 * libpq's result objects, and for what they note of the node's table and of who answers.
 */
#pragma once

#include <libpq-fe.h>

#include "core/observation.h"
#include "pg/table.h"
#include "pg/who.h"

/* What a batch with a beat has found out so far. */
struct beat_progress {
	struct beat_result result;
	bool tried;         /* the beat itself was answered */
	bool table_missing; /* as the catalogue says, or 42P01 */
	bool no_identity;   /* DELETE is refused or will be, under logical replication */
	bool transient;     /* 40001, 40P01, or a race while the table is made */
	bool not_altered;   /* REPLICA IDENTITY was refused, */
	bool may_not_alter; /* by 42501 */
	bool checked;       /* ASK_CHECK was answered */
	bool may_not;       /* as it says: the table is missing, and may not be made, or would be published; or it may not be written */
	enum reason not_made; /* why it could not be made; REASON_NONE: it was, or that was not tried */
	char not_made_words[MESSAGE_BYTES];
	bool make_locked; /* by a lock, or our own timeout (P5) */
};

/* What the catalogue says of the beats' table, for who reads it. */
enum table_state {
	TABLE_NONE,
	TABLE_LOCKED, /* who reads it now waits */
	TABLE_SHUT,   /* its columns are missing, or there is no right to SELECT them */
	TABLE_READY
};

/* What the answers of one task have told so far. */
struct findings {
	struct table_known *table; /* the node's; what is learned of it is noted there */
	struct who *who;           /* the connection's, likewise */
	enum observation_kind role; /* OBSERVED_NOTHING: not told */
	enum row_state row_state;   /* of a slave */
	struct row row;
	bool row_ready; /* the catalogue said that the row may be read */
	bool row_refused; /* asked for role and row at once, the server has refused: the role is still to be asked for */
	bool failed;    /* a statement of the look was refused: */
	struct evidence failure;
	bool again;     /* for a reason that passes: worth asking once more */
	bool pooled;    /* another process answers than the one that let us in: a connection pool lies between */
	struct beat_progress beat;
	struct observation seen; /* for who makes a look's outcome of all that */
	struct findings *next;   /* in the pool */
};

/*
 * Findings that wait for a task: they are 6 KiB, and only nodes that are being asked need them. Zero-initialised: there
 * are none yet. Monitor thread.
 */
struct findings_pool {
	struct findings *first;
	size_t count;
};

/* Findings of nothing; the caller's until findings_give(). `pool` NULL: they are made, and freed then. */
struct findings *findings_get(struct findings_pool *pool, struct table_known *table, struct who *who);

/* Gives them back. NULL allowed; clears the pointer. */
void findings_give(struct findings_pool *pool, struct findings **found);

/* Forgets what an earlier try of the same look has told. */
void findings_begin_look(struct findings *found);

/* Makes `seen` the outcome of a look; `beating`: with a beat. */
void findings_sum_up(struct findings *found, bool beating);

/* Frees those that wait. */
void findings_pool_clear(struct findings_pool *pool);

/* Each takes the result of a question into `found`. */
void findings_take_look(struct findings *found, const PGresult *result);
void findings_take_role(struct findings *found, const PGresult *result);
void findings_take_row(struct findings *found, const PGresult *result);
void findings_take_there(struct findings *found, const PGresult *result);
void findings_take_check(struct findings *found, const PGresult *result);
void findings_take_create(struct findings *found, const PGresult *result);
void findings_take_identity(struct findings *found, const PGresult *result);
void findings_take_beat(struct findings *found, const PGresult *result);
void findings_take_settings(struct findings *found, const PGresult *result);
void findings_take_may(struct findings *found, const PGresult *result);
void findings_take_who(struct findings *found, const PGresult *result);
void findings_take_nothing(struct findings *found, const PGresult *result);

/* Reads one row with one column, a boolean or an integer (0: false); false: it is not that. */
bool findings_role(const PGresult *result, bool *is_slave);

/* Reads the row of ASK_ROW. */
enum row_state findings_row(const PGresult *result, struct row *row);
