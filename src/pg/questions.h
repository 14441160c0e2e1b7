/*
 * The questions that are put to a server, a row each: the statement, its parameters, and the function
 * that reads the result. A new question is a new row. Pure but for libpq's result objects.
 */
#pragma once

#include <libpq-fe.h>

#include "core/config.h"
#include "core/observation.h"
#include "pg/batch.h"
#include "pg/findings.h"
#include "pg/pinned.h"

/* The tags of statements, handed back with their results. */
enum question {
	ASK_SETTINGS, /* what a connection of ours needs set, once (pinned.h), and whether a connection pool lies between */
	ASK_LIMITS,   /* the limits of a connection that was made with others */
	ASK_MAY,      /* whether it lets us ask the next (who.h), */
	ASK_WHO,      /* which server it is */
	ASK_LOOK,     /* role and row at once, where is_slave_statement is QUESTION_ROLE_SQL */
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

/* The default of is_slave_statement (lua/plusmoin/settings.lua): its answer can be asked for together with the row. */
#define QUESTION_ROLE_SQL "SELECT pg_is_in_recovery()"

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
