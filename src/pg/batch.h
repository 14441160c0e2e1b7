/*
 * The statements that a connection is sent at once, and which of its prepared statements the server has. A statement
 * with a name is prepared the first time, and executed by its name from then on. Each statement has a Sync and so a
 * transaction of its own, but for those that are joined to the next one. A single statement that needs no
 * preparing goes without libpq's pipeline. The loop's thread.
 */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BATCH_STATEMENTS 16 /* of one batch */
#define BATCH_NAMES 4       /* prepared statements of one connection */

struct statement {
	int tag; /* handed back with the result; at most INT16_MAX */
	const char *sql;
	const char *name; /* of its prepared statement: static, always with the same SQL; NULL: it is not prepared */
	bool joined; /* it shares its Sync with the next one, which is not executed, without a result, if it fails */
	int param_count;
	const char *params[3]; /* text; copied by libpq */
};

/* Zero-initialised: a connection that was asked nothing. */
struct batch {
	const char *names[BATCH_NAMES]; /* of the prepared statements that were asked for over this connection */
	unsigned char known;            /* a bit for each of `names`: the server has that prepared statement */
	bool plain;     /* no statement is prepared any more: a connection pool lies between, or columns have changed */
	bool is_lost;   /* the server did not have the prepared statement that was executed last */
	bool again;     /* the server could not use a prepared statement of this batch, which is to be sent once more */
	bool pipelined; /* this batch is sent in libpq's pipeline mode */
	unsigned char count;
	unsigned char at;     /* the statement whose result comes next */
	unsigned char synced; /* number of statements whose Sync was answered */
	bool is_prepared;     /* the server has answered the preparing of statement `at` */
	struct {
		int16_t tag;
		unsigned char name; /* 1 for names[0]; 0: it is executed without a name */
		bool preparing : 1;
		bool joined : 1;
	} sent[BATCH_STATEMENTS];
};

/* Hands the statements to libpq, which flushes them; false: libpq has failed, or they are too many. */
bool batch_send(struct batch *batch, PGconn *pg, const struct statement *statements, size_t count);

enum batch_step {
	BATCH_MORE,   /* the result is none of a statement's; there may be more to take */
	BATCH_RESULT, /* the result is that of the statement with `tag` */
	BATCH_DONE    /* all statements of the batch were answered: PQexitPipelineMode() */
};

/*
 * Takes a result that PQgetResult() has returned. An error about a prepared statement is no result of the statement:
 * the server does not have it (DISCARD ALL, a pool that has changed servers), has one of that name already, or cannot
 * use it any more. A batch without a pipeline is done when PQgetResult() returns NULL.
 */
enum batch_step batch_take(struct batch *batch, const PGresult *result, int *tag);

/* Whether the batch that is done is to be sent once more, because the server could not use a prepared statement. */
bool batch_is_to_repeat(const struct batch *batch);
