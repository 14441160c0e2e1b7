#include "pg/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pg/result.h"
#include "pg/tstamp.h"

#define PG_TYPE_BOOL 16
#define PG_TYPE_INT8 20
#define PG_TYPE_INT2 21
#define PG_TYPE_INT4 23

#define POOL_MOST 256 /* findings kept for the next tasks; more are asked at once only when a fleet comes back */

/* ---- findings that wait ---- */

static void clear_beat(struct beat_progress *beat)
{
	observation_clear_beat(&beat->result);
	beat->tried = false;
	beat->table_missing = false;
	beat->no_identity = false;
	beat->transient = false;
	beat->not_altered = false;
	beat->may_not_alter = false;
	beat->checked = false;
	beat->may_not = false;
	beat->not_made = REASON_NONE;
	beat->not_made_words[0] = '\0';
	beat->make_locked = false;
}

void findings_begin_look(struct findings *found)
{
	found->role = OBSERVED_NOTHING;
	found->row_state = ROW_NONE;
	found->row.master[0] = '\0';
	found->row.tstamp = 0;
	found->row_refused = false;
	found->failed = false;
	found->again = false;
}

struct findings *findings_get(struct findings_pool *pool, struct table_known *table, struct who *who)
{
	struct findings *found = pool->first;

	if (found == NULL) {
		found = mem_alloc(sizeof(*found));
		evidence_clear(&found->failure);
		observation_clear(&found->seen);
	} else {
		pool->first = found->next;
		pool->count--;
	}
	found->table = table;
	found->who = who;
	found->row_ready = false;
	found->pooled = false;
	findings_begin_look(found);
	clear_beat(&found->beat);
	return found;
}

void findings_give(struct findings_pool *pool, struct findings **found_p)
{
	struct findings *found = *found_p;

	*found_p = NULL;
	if (found == NULL)
		return;
	if (pool->count >= POOL_MOST) {
		free(found);
		return;
	}
	found->next = pool->first;
	pool->first = found;
	pool->count++;
}

void findings_sum_up(struct findings *found, bool beating)
{
	struct observation *seen = &found->seen;

	observation_clear(seen);
	seen->kind = found->role;
	seen->row_state = found->row_state;
	if (found->row_state == ROW_SHOWN)
		seen->row = found->row;
	seen->origin = found->who->origin;
	if (beating)
		seen->beat = found->beat.result;
}

void findings_pool_clear(struct findings_pool *pool)
{
	while (pool->first != NULL) {
		struct findings *found = pool->first;

		pool->first = found->next;
		free(found);
	}
	pool->count = 0;
}

/* ---- reading results ---- */

/* An integer that is not 0 is true, as it was for the daemon of 2015. */
static bool take_integer(const char *value, bool *is_true)
{
	char *end;

	*is_true = strtoll(value, &end, 10) != 0;
	return end != value && *end == '\0';
}

bool findings_role(const PGresult *result, bool *is_slave)
{
	const char *value;
	Oid type;

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 ||
	    PQnfields(result) != 1 || PQgetisnull(result, 0, 0))
		return false;
	value = PQgetvalue(result, 0, 0);
	type = PQftype(result, 0);
	if (type == PG_TYPE_INT2 || type == PG_TYPE_INT4 || type == PG_TYPE_INT8)
		return take_integer(value, is_slave);
	*is_slave = strcmp(value, "t") == 0;
	return type == PG_TYPE_BOOL && (*is_slave || strcmp(value, "f") == 0);
}

static bool is_true(const PGresult *result, int column)
{
	return strcmp(PQgetvalue(result, 0, column), "t") == 0;
}

/* Reads the row whose master is in that column, and whose tstamp is in the next. */
static void read_row(const PGresult *result, int column, struct row *row)
{
	text_copy(row->master, NAME_BYTES, PQgetvalue(result, 0, column));
	row->tstamp = tstamp_read(PQgetvalue(result, 0, column + 1));
}

enum row_state findings_row(const PGresult *result, struct row *row)
{
	if (PQntuples(result) < 1 || PQnfields(result) != 2)
		return ROW_NONE;
	read_row(result, 0, row);
	return ROW_SHOWN;
}

static enum table_state table_state_of(const PGresult *result)
{
	static const char *const words[] = {
		[TABLE_NONE] = "none",
		[TABLE_LOCKED] = "locked",
		[TABLE_SHUT] = "shut",
	};

	if (!result_is_ok(result) || PQntuples(result) != 1 || PQnfields(result) != 1)
		return TABLE_READY;
	for (int i = 0; i < (int)(sizeof(words) / sizeof(words[0])); i++) {
		if (strcmp(PQgetvalue(result, 0, 0), words[i]) == 0)
			return (enum table_state)i;
	}
	return TABLE_READY;
}

/* ---- what a look learns ---- */

/* Notes a refused statement, `of_table`: one about the beats' table. `what` is why; NULL: the server's words are. */
static void refused(struct findings *found, const PGresult *result, const char *what, bool of_table)
{
	found->failed = true;
	found->failure = (struct evidence){
		.reason = evidence_of_sqlstate(result_sqlstate(result), of_table),
	};
	if (what != NULL)
		text_copy(found->failure.message, MESSAGE_BYTES, what);
	else
		result_words(result, found->failure.message, MESSAGE_BYTES);
	if (sqlstate_is_transient(result_sqlstate(result)))
		found->again = true;
}

void findings_take_role(struct findings *found, const PGresult *result)
{
	bool is_slave = false;

	if (!result_is_ok(result))
		refused(found, result, NULL, false);
	else if (!findings_role(result, &is_slave))
		refused(found, result,
			"is_slave_statement must return one row with one column, a boolean or an integer", false);
	else
		found->role = is_slave ? OBSERVED_SLAVE : OBSERVED_MASTER;
	if (found->role == OBSERVED_MASTER && found->row_refused)
		found->failed = false; /* a master's row is read by its beat */
}

void findings_take_row(struct findings *found, const PGresult *result)
{
	const char *sqlstate = result_sqlstate(result);
	struct table_known *table = found->table;

	if (found->role == OBSERVED_MASTER)
		return; /* a master's row is read by its beat */
	table->there = strcmp(sqlstate, "42P01") != 0;
	table->row_failed = table->there && !result_is_ok(result);
	table_set_row_failure(table, NULL);
	if (result_is_ok(result)) {
		found->row_state = findings_row(result, &found->row);
	} else if (!table->there) {
		found->row_state = ROW_NONE;
	} else if (sqlstate_is_locked(sqlstate)) {
		found->row_state = ROW_LOCKED;
	} else {
		refused(found, result, NULL, true);
		table_set_row_failure(table, &found->failure);
	}
}

/* A server that refuses role and row in one statement is asked for its role alone next: most likely the row is why. */
void findings_take_look(struct findings *found, const PGresult *result)
{
	if (!result_is_ok(result)) {
		found->row_refused = true;
		findings_take_row(found, result);
		return;
	}
	if (PQntuples(result) != 1 || PQnfields(result) != 3) {
		refused(found, result, "the answer for role and row is not one row with three columns", false);
		return;
	}
	found->role = is_true(result, 0) ? OBSERVED_SLAVE : OBSERVED_MASTER;
	if (found->role == OBSERVED_MASTER)
		return; /* a master's row is read by its beat */
	found->table->there = true;
	found->table->row_failed = false;
	table_set_row_failure(found->table, NULL);
	if (PQgetisnull(result, 0, 1))
		return;
	read_row(result, 1, &found->row);
	found->row_state = ROW_SHOWN;
}

/* Takes what the catalogue says of the table. Where its row may not be asked for, that is the look's outcome. */
void findings_take_there(struct findings *found, const PGresult *result)
{
	struct table_known *table = found->table;
	enum table_state state = table_state_of(result);

	table->there = state != TABLE_NONE;
	if (state == TABLE_NONE)
		table->row_failed = false;
	if (state == TABLE_NONE || state == TABLE_LOCKED)
		table_set_row_failure(table, NULL);
	found->row_ready = state == TABLE_READY;
	if (found->role != OBSERVED_SLAVE)
		return;
	if (state == TABLE_LOCKED)
		found->row_state = ROW_LOCKED;
	if (state != TABLE_SHUT)
		return;
	if (table_row_failure(table)->reason != REASON_TABLE) {
		struct evidence shut = { .reason = REASON_TABLE };

		text_copy(shut.message, MESSAGE_BYTES,
			  "table heartbeat cannot be read: its columns master and tstamp are missing, or"
			  " there is no right to SELECT them");
		table_set_row_failure(table, &shut);
	}
	found->failed = true;
	found->failure = *table_row_failure(table);
}

/* ---- what a beat learns ---- */

static bool take_written(struct beat_result *out, const PGresult *result)
{
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 ||
	    PQnfields(result) != 3 || PQgetisnull(result, 0, 0))
		return false;
	out->state = BEAT_WRITTEN;
	out->tstamp = tstamp_read(PQgetvalue(result, 0, 0));
	out->replaced = !PQgetisnull(result, 0, 2);
	if (out->replaced) {
		text_copy(out->before.master, NAME_BYTES, PQgetvalue(result, 0, 1));
		out->before.tstamp = tstamp_read(PQgetvalue(result, 0, 2));
	}
	return true;
}

static void take_refusal(struct beat_progress *progress, const PGresult *result)
{
	const char *sqlstate = result_sqlstate(result);
	struct beat_result *out = &progress->result;

	progress->table_missing = strcmp(sqlstate, "42P01") == 0;
	progress->transient = sqlstate_is_transient(sqlstate);
	if (strcmp(sqlstate, "55000") == 0)
		progress->no_identity = true;
	out->state = sqlstate_is_locked(sqlstate) ? BEAT_LOCKED : BEAT_FAILED;
	out->reason = evidence_of_sqlstate(sqlstate, true);
	if (out->state == BEAT_LOCKED)
		out->reason = REASON_QUERY_ERROR;
	result_words(result, out->message, sizeof(out->message));
	if (progress->table_missing && progress->not_made != REASON_NONE) {
		out->state = progress->make_locked ? BEAT_LOCKED : BEAT_FAILED;
		out->reason = progress->not_made;
		text_copy(out->message, sizeof(out->message), progress->not_made_words);
	}
}

/* The outcome of a beat whose row a trigger or a rule of the table has taken away. */
static struct beat_result swallowed(void)
{
	struct beat_result result = { .state = BEAT_FAILED, .reason = REASON_TABLE };

	text_copy(result.message, MESSAGE_BYTES,
		  "the beat was taken, but no row of it is left: a trigger or rule of table heartbeat removes it");
	return result;
}

/* The catalogue says that a beat would be refused: it is not tried, as each try is an error in the server's log. */
static void refuse(struct beat_progress *progress, enum reason reason, const char *message)
{
	progress->may_not = true;
	progress->result = (struct beat_result){ .state = BEAT_FAILED, .reason = reason };
	text_copy(progress->result.message, MESSAGE_BYTES, message);
}

/* A new table that a publication has at once would stop each subscriber that lacks it. */
static void refuse_to_publish(struct beat_progress *progress, const char *publication)
{
	char name[NAME_BYTES];
	char words[MESSAGE_BYTES];

	text_copy(name, sizeof(name), publication);
	(void)snprintf(words, sizeof(words), "there is no table heartbeat, and it is not made: publication %s"
		       " would have it at once, and stop subscribers that lack it; make it on the subscribers,"
		       " then here (plusmoin init-sql prints it)", name);
	refuse(progress, REASON_TABLE, words);
}

void findings_take_check(struct findings *found, const PGresult *result)
{
	struct beat_progress *progress = &found->beat;

	progress->checked = true;
	if (!result_is_ok(result) || PQntuples(result) != 1 || PQnfields(result) != 6)
		return;
	progress->table_missing = !is_true(result, 0);
	progress->no_identity = is_true(result, 1);
	if (is_true(result, 4))
		refuse(progress, REASON_READ_ONLY,
		       "cannot write: transactions are read-only (default_transaction_read_only)");
	else if (progress->table_missing && !is_true(result, 2))
		refuse(progress, REASON_TABLE,
		       "there is no table heartbeat, and no right to make it (CREATE in its schema)");
	else if (progress->table_missing && !PQgetisnull(result, 0, 5))
		refuse_to_publish(progress, PQgetvalue(result, 0, 5));
	else if (!progress->table_missing && !is_true(result, 3))
		refuse(progress, REASON_TABLE, "permission denied for table heartbeat");
}

void findings_take_create(struct findings *found, const PGresult *result)
{
	struct beat_progress *progress = &found->beat;

	if (result_is_ok(result))
		return;
	progress->not_made = evidence_of_sqlstate(result_sqlstate(result), true);
	progress->make_locked = sqlstate_is_locked(result_sqlstate(result));
	result_words(result, progress->not_made_words, MESSAGE_BYTES);
}

void findings_take_identity(struct findings *found, const PGresult *result)
{
	found->beat.not_altered = !result_is_ok(result);
	found->beat.may_not_alter = strcmp(result_sqlstate(result), "42501") == 0;
	if (result_is_ok(result))
		found->beat.no_identity = false;
}

void findings_take_beat(struct findings *found, const PGresult *result)
{
	struct beat_progress *progress = &found->beat;

	progress->tried = true;
	if (!result_is_ok(result))
		take_refusal(progress, result);
	else if (take_written(&progress->result, result))
		progress->table_missing = false;
	else
		progress->result = swallowed();
}

/* A refusal needs no handling: the server does not have the setting then. */
void findings_take_settings(struct findings *found, const PGresult *result)
{
	found->pooled = PQntuples(result) == 1 && PQnfields(result) == 2 && !is_true(result, 0);
}

void findings_take_may(struct findings *found, const PGresult *result)
{
	who_take_may(found->who, result);
}

void findings_take_who(struct findings *found, const PGresult *result)
{
	who_take(found->who, result);
}

/* Where the server refuses the limits, our own deadline still holds. */
void findings_take_nothing(struct findings *found, const PGresult *result)
{
	(void)found;
	(void)result;
}
