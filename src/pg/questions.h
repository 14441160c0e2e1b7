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
	ASK_MAY,      /* whether the server lets us ask ASK_WHO (who.h) */
	ASK_WHO,      /* which server answers (who.h) */
	ASK_LOOK,     /* role and row at once, where is_slave_statement is QUESTION_ROLE_SQL */
	ASK_ROLE,     /* the user's is_slave_statement */
	ASK_THERE,    /* whether there is a table: asking for the row where it is not is an error in the server's log */
	ASK_READABLE, /* whether a table whose row could not be read can be read now */
	ASK_ROW,
	ASK_CHECK,    /* whether there is a table that a beat may be written to, or a right to make one */
	ASK_CHECK_15, /* ASK_CHECK from PostgreSQL 15 on, where a publication may be of a schema's tables */
	ASK_CREATE,
	ASK_IDENTITY,
	ASK_BEAT,
	ASK_HEARING,    /* of a slave: what it hears of its master (hearing.h), read by the lane */
	ASK_HEARING_10, /* ASK_HEARING before PostgreSQL 11 */
	QUESTIONS
};

/*
 * How long a statement of ours may wait for a lock, and last, in ms. It gives up a lock before the
 * kept connection counts as silent (half of query_timeout), and ends within query_timeout.
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
 * SQL: the name of a publication that would publish a table made now; NULL: there is none. A
 * subscriber that lacks the table would stop at its first row.
 */
#define PUBLISHES_NEW_TABLES \
	"SELECT min(p.pubname::text) FROM pg_catalog.pg_publication p WHERE (p.pubinsert OR p.pubdelete) AND p.puballtables"
#define PUBLISHES_NEW_TABLES_15 \
	"SELECT min(p.pubname::text) FROM pg_catalog.pg_publication p WHERE (p.pubinsert OR p.pubdelete) AND (p.puballtables" \
	" OR EXISTS (SELECT FROM pg_catalog.pg_publication_namespace n WHERE n.pnpubid = p.oid" \
	" AND n.pnnspid = pg_catalog.to_regnamespace(pg_catalog.quote_ident(pg_catalog.current_schema()))))"
#define PG_SCHEMA_PUBLICATIONS 150000 /* PUBLISHES_NEW_TABLES_15 is for servers from this version on */

/* The default of is_slave_statement (lua/plusmoin/settings.lua): its answer can be asked for together with the row. */
#define QUESTION_ROLE_SQL "SELECT pg_is_in_recovery()"

/* What the statements' parameters are made of. They live until the batch is sent. */
struct question_words {
	char cluster_id[16];
	char tstamp[24];
	struct limits limits;
	struct pinned_words pinned; /* filled in by the caller for ASK_SETTINGS and ASK_LIMITS */
};

/* The statement of a question. `order`: for ASK_BEAT; its parameters are put into `words`, but for `pinned`. */
struct statement question_ask(enum question question, const struct config *config,
			      const struct beat_order *order, struct question_words *words);

/* Its SQL; NULL: the user's is_slave_statement. Valid for ever. */
const char *question_text(enum question question);

/* Takes the result of a question into `found`. */
void question_take(struct findings *found, int question, const PGresult *result);
