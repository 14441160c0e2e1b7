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
	const char *name; /* of the prepared statement that it is; static, and always of the same SQL; NULL: it is none */
	bool joined; /* it shares its Sync with the next one: when it fails the next one is not executed, and has no result */
	int param_count;
	const char *params[3]; /* text; copied by libpq */
};

/* Zero-initialised: a connection that was asked nothing. */
struct batch {
	const char *names[BATCH_NAMES]; /* that were asked for over this connection, */
	unsigned char known;            /* and those of them that the server has: a bit each */
	bool plain;     /* behind a connection pool, or where a statement's columns have changed: none is prepared any more */
	bool is_lost;   /* the last execution by name met a server that did not have it */
	bool again;     /* this batch met that: it is to be sent once more */
	bool pipelined; /* this batch is sent so */
	unsigned char count;
	unsigned char at;     /* the statement whose result comes next */
	unsigned char synced; /* statements before the Sync that comes next */
	bool is_prepared;     /* its preparing was answered */
	struct {
		int16_t tag;
		unsigned char name; /* 1 for names[0]; 0: it has none */
		bool preparing : 1;
		bool joined : 1;
	} sent[BATCH_STATEMENTS];
};

/* Hands the statements to libpq, which flushes them; false: libpq has failed, or they are too many. */
bool batch_send(struct batch *batch, PGconn *pg, const struct statement *statements, size_t count);

enum batch_step {
	BATCH_MORE,   /* nothing to tell; there may be more to take */
	BATCH_RESULT, /* the result is that of the statement with `tag` */
	BATCH_DONE    /* all statements of the batch were answered: PQexitPipelineMode() */
};

/*
 * Takes a result that PQgetResult() has returned. One that says that the server has no such prepared statement
 * (DISCARD ALL, a pool that has changed servers), has one already, or cannot use it any more, is not told. A batch
 * without a pipeline is done when PQgetResult() returns NULL.
 */
enum batch_step batch_take(struct batch *batch, const PGresult *result, int *tag);

/* Whether the batch that is done is to be sent once more, as it met a prepared statement that was none. */
bool batch_is_to_repeat(const struct batch *batch);
