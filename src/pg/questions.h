/*
 * The questions that are put to a server, a row each: the statement, its parameters, and the function
 * that reads the result. A new question is a new row. Pure but for libpq's result objects.
 */
#pragma once

#include <libpq-fe.h>

#include "core/config.h"
#include "core/observation.h"
#include "pg/conn.h"
#include "pg/pinned.h"
#include "pg/result.h"
#include "pg/table.h"
#include "pg/who.h"

/* The tags of statements, handed back with their results. */
enum question {
	ASK_SETTINGS, /* what a connection of ours needs set, once (pinned.h), and whether a connection pool lies between */
	ASK_LIMITS,   /* the limits of a connection that was made with others */
	ASK_MAY,      /* whether it lets us ask the next (who.h), */
	ASK_WHO,      /* which server it is */
	ASK_ROLE,     /* the user's is_slave_statement */
	ASK_THERE,    /* whether there is a table: asking for the row where it is not is an error in the server's log */
	ASK_READABLE, /* the same of one that was there and was not to be read */
	ASK_ROW,
	ASK_CHECK,    /* whether there is a table that a beat may be written to, or a right to make one */
	ASK_CHECK_15, /* the same from PostgreSQL 15 on, where a publication may be of a schema's tables */
	ASK_CREATE,
	ASK_IDENTITY,
	ASK_BEAT,
	ASK_HEARING,    /* of a slave: what it hears of its master (hearing.h), read by the lane */
	ASK_HEARING_10, /* the same before PostgreSQL 11 */
	QUESTIONS
};

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

/*
 * How long a statement of ours waits for a lock, and lasts, in ms: a lock before the kept connection
 * counts as silent (half of query_timeout), all within query_timeout.
 */
struct limits {
	char lock[24];
	char statement[24];
};

struct limits question_limits(const struct config *config);

#define QUESTION_OPTIONS (PINNED_OPTIONS + 96)

/* libpq's `options` with which a connection for questions begins. */
void question_options(const struct config *config, char out[QUESTION_OPTIONS]);

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
	bool failed;    /* a statement of the look was refused: */
	struct evidence failure;
	bool again;     /* for a reason that passes: worth asking once more */
	bool pooled;    /* another process answers than the one that let us in: a connection pool lies between */
	struct beat_progress beat;
};

/*
 * SQL: the name of a publication that would have a table that is made now, NULL: there is none. A
 * subscriber that lacks the table would stop at its first row.
 */
#define PUBLISHES_NEW_TABLES \
	"SELECT min(p.pubname::text) FROM pg_catalog.pg_publication p WHERE (p.pubinsert OR p.pubdelete) AND p.puballtables"
#define PUBLISHES_NEW_TABLES_15 \
	"SELECT min(p.pubname::text) FROM pg_catalog.pg_publication p WHERE (p.pubinsert OR p.pubdelete) AND (p.puballtables" \
	" OR EXISTS (SELECT FROM pg_catalog.pg_publication_namespace n WHERE n.pnpubid = p.oid" \
	" AND n.pnnspid = pg_catalog.to_regnamespace(pg_catalog.quote_ident(pg_catalog.current_schema()))))"
#define PG_SCHEMA_PUBLICATIONS 150000 /* from this version on the second one is right */

/* What the statements' parameters are made of. They live until the batch is sent. */
struct question_words {
	char cluster_id[16];
	char tstamp[24];
	struct limits limits;
	struct pinned_words pinned; /* the caller's, of ASK_SETTINGS and ASK_LIMITS */
};

/* The statement of a question. `order`: of ASK_BEAT; `words` is filled where it needs parameters, but for `pinned`. */
struct statement question_ask(enum question question, const struct config *config,
			      const struct beat_order *order, struct question_words *words);

/* Its SQL; NULL: the user's is_slave_statement. Valid for ever. */
const char *question_text(enum question question);

/* Takes the result of a question into `found`. */
void question_take(struct findings *found, int question, const PGresult *result);

/* Reads one row with one column, a boolean or an integer (0: false); false: it is not that. */
bool role_take(const PGresult *result, bool *is_slave);

/* Reads the row of ASK_ROW. */
enum row_state question_take_row(const PGresult *result, struct row *row);
