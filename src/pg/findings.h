/*
 * What the answers of one task (lane.h) tell, and the functions that read them, one a question (questions.h). Pure but
 * for libpq's result objects, and for what they note of the node's table and of who answers.
 */
#pragma once

#include <libpq-fe.h>

#include "core/observation.h"
#include "pg/table.h"
#include "pg/who.h"

/* What a batch with a beat has found out so far. */
struct beat_progress {
	struct beat_result result;
	bool tried;         /* the server has answered the statement that writes the beat */
	bool table_missing; /* the catalogue says so, or the beat met 42P01 */
	bool no_identity;   /* DELETE is refused or will be, under logical replication */
	bool transient;     /* 40001, 40P01, or a race while the table is made */
	bool not_altered;   /* the server has refused to set REPLICA IDENTITY */
	bool may_not_alter; /* it has refused that by 42501 */
	bool checked;       /* ASK_CHECK was answered */
	bool may_not;       /* ASK_CHECK says that no beat can be written, and that no table may be made for it */
	enum reason not_made; /* why the table could not be made; REASON_NONE: it was made, or that was not tried */
	char not_made_words[MESSAGE_BYTES]; /* the server's, for that */
	bool make_locked; /* a lock, or our own timeout, has kept the table from being made (P5) */
};

/* What the catalogue says of the beats' table to somebody who wants to read it. */
enum table_state {
	TABLE_NONE,
	TABLE_LOCKED, /* a statement that reads it now waits */
	TABLE_SHUT,   /* its columns are missing, or there is no right to SELECT them */
	TABLE_READY
};

/* What the answers of one task have told so far. */
struct findings {
	struct table_known *table; /* the node's; what is learned of its table is noted there */
	struct who *who;           /* the connection's; what is learned of its server is noted there */
	enum observation_kind role; /* OBSERVED_NOTHING: not told */
	enum row_state row_state;   /* of a slave */
	struct row row;
	bool row_ready; /* the catalogue said that the row may be read */
	bool row_refused; /* the server has refused role and row in one statement: the role is to be asked for alone */
	bool failed;    /* a statement of the look was refused */
	struct evidence failure; /* why it was refused */
	bool again;     /* the refusal is one that passes (40001, 40P01): the look is worth another try */
	bool pooled;    /* another backend answers than the login's: a connection pool lies between */
	struct beat_progress beat;
	struct observation seen; /* the look's outcome: findings_sum_up() */
	struct findings *next;   /* the next one in the pool */
};

/*
 * Findings that are not in use. They are 6 KiB each, and only nodes that are being asked need some. Zero-initialised:
 * there are none. Monitor thread.
 */
struct findings_pool {
	struct findings *first;
	size_t count;
};

/* Returns findings of nothing, which are the caller's until findings_give(). */
struct findings *findings_get(struct findings_pool *pool, struct table_known *table, struct who *who);

/* Gives them back. `*found` may be NULL; clears the pointer. */
void findings_give(struct findings_pool *pool, struct findings **found);

/* Forgets what an earlier try of the same look has told. */
void findings_begin_look(struct findings *found);

/* Makes `seen` the outcome of a look; `beating`: with a beat. */
void findings_sum_up(struct findings *found, bool beating);

/* Frees those that are not in use. */
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
