/*
 * What a statement of the user's has returned, kept compactly. A value: zero-
 * initialised is empty, the owner frees it. Not shared between threads.
 */
#pragma once

#include <libpq-fe.h>

#include "base/buf.h"

#define ROWS_BYTES ((size_t)16 << 20) /* issue 6: a result over 16 MiB is an error */

struct column {
	char *name;
	Oid type;
};

struct rows {
	struct column *columns;
	size_t column_count;
	size_t count;      /* rows; without columns: how many the command has touched */
	char *command;     /* the server's word for it ("SELECT 3"); NULL: none yet */
	struct buf values; /* row after row, column after column: rows_next() */
	bool complete;     /* the statement has ended: another result is another statement's */
};

struct value {
	const char *text; /* terminated; NULL: SQL's NULL */
	size_t len;
};

/* Takes one result that is no error; the first one of a statement begins anew. False: too much. */
bool rows_take(struct rows *rows, const PGresult *result);

/* The value at `*at` (0: the first), which moves on. */
struct value rows_next(const struct rows *rows, size_t *at);

void rows_free(struct rows *rows);
