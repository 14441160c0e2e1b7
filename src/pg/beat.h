/*
 * The statements of a beat and of a look, and how to read their results.
 * Pure but for libpq's result objects.
 */
#pragma once

#include <libpq-fe.h>

#include "core/config.h"
#include "core/observation.h"
#include "pg/conn.h"

enum step {
	STEP_SET,
	STEP_ROLE,
	STEP_THERE,
	STEP_ROW,
	STEP_CHECK,
	STEP_CREATE,
	STEP_IDENTITY,
	STEP_BEAT
};

/* What a batch with a beat has found out so far. */
struct beat_progress {
	struct beat_result result;
	bool tried;         /* the beat itself was answered */
	bool table_missing; /* as the catalogue says, or 42P01 */
	bool no_identity;   /* DELETE is refused or will be, under logical replication */
	bool transient;     /* 40001, 40P01, or a race while the table is made */
	bool may_not_alter; /* 42501 for REPLICA IDENTITY */
	bool checked;       /* STEP_CHECK was answered */
	bool may_not;       /* as it says: the table is missing, and may not be made; or it may not be written */
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

struct limits limits_of(const struct config *config);

struct statement step_set(void);

/* The limits of a connection that was made with others; they must live until it is sent. */
struct statement step_limits(const struct limits *limits);
struct statement step_role(const char *is_slave_statement);

/* Whether there is a table to be read: asking for the row where it is not is an error in the server's log. */
enum table_state {
	TABLE_NONE,
	TABLE_LOCKED, /* who reads it now waits */
	TABLE_SHUT,   /* its columns are missing, or there is no right to SELECT them */
	TABLE_READY
};

/* `closely`: one that was there, but was not to be read; else the answer is TABLE_NONE or TABLE_READY. */
struct statement step_there(bool closely);
struct statement step_row(void);

/* Whether there is a table that a beat may be written to, or a right to make one. */
struct statement step_check(void);
struct statement step_create(void);
struct statement step_identity(void);

/* `numbers` keeps the text of the parameters until conn_send(). */
struct beat_numbers {
	char cluster_id[16];
	char tstamp[24];
};
struct statement step_beat(const struct beat_order *order, struct beat_numbers *numbers);

/* Takes the result of any of a beat's steps. */
void beat_take(struct beat_progress *progress, int tag, const PGresult *result);

/* Reads one row with one boolean column; false: it is not that. */
bool role_take(const PGresult *result, bool *is_slave);

/* Reads the answer to STEP_THERE; TABLE_READY where that is none: the row itself will tell. */
enum table_state there_take(const PGresult *result);

/* Reads the row of STEP_ROW. */
enum row_state row_take(const PGresult *result, struct row *row);
const char *result_sqlstate(const PGresult *result);
bool result_is_ok(const PGresult *result);

/* The server's words, secrets blanked. */
void result_words(const PGresult *result, char *out, size_t size);
