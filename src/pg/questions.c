#include "pg/questions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pg/hearing.h"
#include "pg/tstamp.h"

#define PG_TYPE_BOOL 16
#define PG_TYPE_INT8 20
#define PG_TYPE_INT2 21
#define PG_TYPE_INT4 23

/* ---- reading results ---- */

/* An integer that is not 0 is true, as it was for the daemon of 2015. */
static bool take_integer(const char *value, bool *is_true)
{
	char *end;

	*is_true = strtoll(value, &end, 10) != 0;
	return end != value && *end == '\0';
}

bool role_take(const PGresult *result, bool *is_slave)
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

enum row_state question_take_row(const PGresult *result, struct row *row)
{
	if (PQntuples(result) < 1 || PQnfields(result) != 2)
		return ROW_NONE;
	text_copy(row->master, NAME_BYTES, PQgetvalue(result, 0, 0));
	row->tstamp = tstamp_read(PQgetvalue(result, 0, 1));
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

/* `of_table`: it was about the beats' table. */
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

static void take_role(struct findings *found, const PGresult *result)
{
	bool is_slave = false;

	if (!result_is_ok(result))
		refused(found, result, NULL, false);
	else if (!role_take(result, &is_slave))
		refused(found, result,
			"is_slave_statement must return one row with one column, a boolean or an integer", false);
	else
		found->role = is_slave ? OBSERVED_SLAVE : OBSERVED_MASTER;
}

static void take_row(struct findings *found, const PGresult *result)
{
	const char *sqlstate = result_sqlstate(result);
	struct table_known *table = found->table;

	if (found->role == OBSERVED_MASTER)
		return; /* a master's row is read by its beat */
	table->there = strcmp(sqlstate, "42P01") != 0;
	table->row_failed = table->there && !result_is_ok(result);
	table->row_failure = (struct evidence){ 0 };
	if (result_is_ok(result)) {
		found->row_state = question_take_row(result, &found->row);
	} else if (!table->there) {
		found->row_state = ROW_NONE;
	} else if (sqlstate_is_locked(sqlstate)) {
		found->row_state = ROW_LOCKED;
	} else {
		refused(found, result, NULL, true);
		table->row_failure = found->failure;
	}
}

/* The catalogue's word of the table; where its row may not be asked for, that is the look's outcome. */
static void take_there(struct findings *found, const PGresult *result)
{
	struct table_known *table = found->table;
	enum table_state state = table_state_of(result);

	table->there = state != TABLE_NONE;
	if (state == TABLE_NONE)
		table->row_failed = false;
	if (state == TABLE_NONE || state == TABLE_LOCKED)
		table->row_failure.reason = REASON_NONE;
	found->row_ready = state == TABLE_READY;
	if (found->role != OBSERVED_SLAVE)
		return;
	if (state == TABLE_LOCKED)
		found->row_state = ROW_LOCKED;
	if (state != TABLE_SHUT)
		return;
	if (table->row_failure.reason != REASON_TABLE) {
		table->row_failure.reason = REASON_TABLE;
		text_copy(table->row_failure.message, MESSAGE_BYTES,
			  "table heartbeat cannot be read: its columns master and tstamp are missing, or"
			  " there is no right to SELECT them");
	}
	found->failed = true;
	found->failure = table->row_failure;
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

/* A trigger or a rule of the table's took the row away. */
static struct beat_result swallowed(void)
{
	struct beat_result result = { .state = BEAT_FAILED, .reason = REASON_TABLE };

	text_copy(result.message, MESSAGE_BYTES,
		  "the beat was taken, but no row of it is left: a trigger or rule of table heartbeat");
	return result;
}

static bool is_true(const PGresult *result, int column)
{
	return strcmp(PQgetvalue(result, 0, column), "t") == 0;
}

/* What the catalogue says of a beat that was not tried: each try is an error in the server's log. */
static void refuse(struct beat_progress *progress, enum reason reason, const char *message)
{
	progress->may_not = true;
	progress->result = (struct beat_result){ .state = BEAT_FAILED, .reason = reason };
	text_copy(progress->result.message, MESSAGE_BYTES, message);
}

/* A table that is made where it is published at once stops each subscriber that lacks it. */
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

static void take_check(struct findings *found, const PGresult *result)
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

static void take_create(struct findings *found, const PGresult *result)
{
	struct beat_progress *progress = &found->beat;

	if (result_is_ok(result))
		return;
	progress->not_made = evidence_of_sqlstate(result_sqlstate(result), true);
	progress->make_locked = sqlstate_is_locked(result_sqlstate(result));
	result_words(result, progress->not_made_words, MESSAGE_BYTES);
}

static void take_identity(struct findings *found, const PGresult *result)
{
	found->beat.not_altered = !result_is_ok(result);
	found->beat.may_not_alter = strcmp(result_sqlstate(result), "42501") == 0;
	if (result_is_ok(result))
		found->beat.no_identity = false;
}

static void take_beat(struct findings *found, const PGresult *result)
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

/* Settings that a server refuses are none that it has. */
static void take_settings(struct findings *found, const PGresult *result)
{
	found->pooled = PQntuples(result) == 1 && PQnfields(result) == 2 && !is_true(result, 0);
}

static void take_may(struct findings *found, const PGresult *result)
{
	who_take_may(found->who, result);
}

static void take_who(struct findings *found, const PGresult *result)
{
	who_take(found->who, result);
}

/* Limits that are refused are our own deadline's alone. */
static void take_nothing(struct findings *found, const PGresult *result)
{
	(void)found;
	(void)result;
}

/* ---- the table ---- */

/*
 * There is a table; a DELETE from it would be refused (or not replicated) under logical
 * replication; where there is none, it may be made; it may be written; nothing may be written;
 * what would publish one that is made.
 */
#define CHECK_SQL(publishing) \
	"SELECT c.oid IS NOT NULL," \
	" c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT EXISTS" \
	" (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid" \
	" AND i.indisprimary))," \
	" pg_catalog.has_schema_privilege(pg_catalog.current_schema(), 'CREATE')," \
	" pg_catalog.has_any_column_privilege(c.oid, 'SELECT')" \
	" AND pg_catalog.has_any_column_privilege(c.oid, 'INSERT')" \
	" AND pg_catalog.has_table_privilege(c.oid, 'DELETE')," \
	" pg_catalog.current_setting('transaction_read_only') = 'on'," \
	" (" publishing ")" \
	" FROM (SELECT pg_catalog.to_regclass('heartbeat') AS oid) t" \
	" LEFT JOIN pg_catalog.pg_class c ON c.oid = t.oid"

static const struct {
	const char *sql; /* NULL: the user's */
	int param_count;
	void (*take)(struct findings *found, const PGresult *result);
} questions[QUESTIONS] = {
	[ASK_SETTINGS] = { pinned_sql, 3, take_settings },
	[ASK_LIMITS] = {
		"SELECT pg_catalog.set_config('lock_timeout', $1, false),"
		" pg_catalog.set_config('statement_timeout', $2, false)"
		" WHERE pg_catalog.pg_backend_pid() = $3::int", /* a pool would keep them for others */
		3, take_nothing },
	[ASK_MAY] = { who_may_sql, 0, take_may },
	[ASK_WHO] = { who_sql, 0, take_who },
	[ASK_ROLE] = { NULL, 0, take_role },
	[ASK_THERE] = {
		"SELECT CASE WHEN pg_catalog.to_regclass('heartbeat') IS NULL THEN 'none' ELSE 'ready' END",
		0, take_there },
	[ASK_READABLE] = {
		"SELECT CASE WHEN oid IS NULL THEN 'none'"
		" WHEN EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'relation'"
		" AND l.relation = oid AND l.mode = 'AccessExclusiveLock' AND l.database ="
		" (SELECT d.oid FROM pg_catalog.pg_database d"
		" WHERE d.datname = pg_catalog.current_database())) THEN 'locked'"
		" WHEN (SELECT count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.oid"
		" AND a.attname IN ('master', 'tstamp') AND pg_catalog.has_column_privilege("
		"a.attrelid, a.attnum, 'SELECT')) < 2 THEN 'shut' ELSE 'ready' END"
		" FROM (SELECT pg_catalog.to_regclass('heartbeat')::pg_catalog.oid AS oid) t",
		0, take_there },
	[ASK_ROW] = {
		"SELECT coalesce(master, ''), tstamp::bigint FROM heartbeat"
		" WHERE tstamp IS NOT NULL ORDER BY " TSTAMP_MS_SQL " DESC LIMIT 1",
		0, take_row },
	[ASK_CHECK] = { CHECK_SQL(PUBLISHES_NEW_TABLES), 0, take_check },
	[ASK_CHECK_15] = { CHECK_SQL(PUBLISHES_NEW_TABLES_15), 0, take_check },
	[ASK_CREATE] = {
		"CREATE TABLE IF NOT EXISTS heartbeat (cluster_id INT, master TEXT, tstamp BIGINT)",
		0, take_create },
	[ASK_IDENTITY] = { "ALTER TABLE heartbeat REPLICA IDENTITY FULL", 0, take_identity },
	/*
	 * A DELETE and an INSERT in one statement: a subscriber skips an UPDATE of a row that differs. A row
	 * behind TSTAMP_MAX is nobody's beat: the next one does not follow it.
	 */
	[ASK_BEAT] = {
		"WITH old AS (DELETE FROM heartbeat RETURNING master, tstamp, " TSTAMP_MS_SQL " AS ms)"
		" INSERT INTO heartbeat (cluster_id, master, tstamp)"
		" SELECT $1::int, $2::text,"
		" greatest($3::bigint, " TSTAMP_SECONDS ", (SELECT max(ms) + 1 FROM old WHERE ms < 253402300799999))"
		" RETURNING tstamp,"
		" (SELECT coalesce(master, '') FROM old ORDER BY ms DESC NULLS LAST LIMIT 1),"
		" (SELECT tstamp FROM old ORDER BY ms DESC NULLS LAST LIMIT 1)",
		3, take_beat },
	[ASK_HEARING] = { hearing_sql, 0, take_nothing },
	[ASK_HEARING_10] = { hearing_sql_10, 0, take_nothing },
};

struct limits question_limits(const struct config *config)
{
	int64_t lock_ms = config->query_timeout_ms * 2 / 5;
	int64_t statement_ms = config->query_timeout_ms * 3 / 4;
	struct limits limits;

	(void)snprintf(limits.lock, sizeof(limits.lock), "%" PRId64, lock_ms > 0 ? lock_ms : 1);
	(void)snprintf(limits.statement, sizeof(limits.statement), "%" PRId64,
		       statement_ms > 0 ? statement_ms : 1);
	return limits;
}

void question_options(const struct config *config, char out[QUESTION_OPTIONS])
{
	struct limits limits = question_limits(config);
	char options[PINNED_OPTIONS];

	pinned_options(PINNED_FOR_US, options);
	(void)snprintf(out, QUESTION_OPTIONS, "%s -c lock_timeout=%s -c statement_timeout=%s", options, limits.lock,
		       limits.statement);
}

struct statement question_ask(enum question question, const struct config *config,
			      const struct beat_order *order, struct question_words *words)
{
	struct statement statement = {
		.tag = (int)question,
		.sql = questions[question].sql != NULL ? questions[question].sql
						       : config->is_slave_statement,
		.param_count = questions[question].param_count,
	};

	if (question == ASK_LIMITS) {
		words->limits = question_limits(config);
		statement.params[0] = words->limits.lock;
		statement.params[1] = words->limits.statement;
		statement.params[2] = words->pinned.pid;
	} else if (question == ASK_SETTINGS) {
		statement.params[0] = words->pinned.names;
		statement.params[1] = words->pinned.values;
		statement.params[2] = words->pinned.pid;
	} else if (question == ASK_BEAT) {
		(void)snprintf(words->cluster_id, sizeof(words->cluster_id), "%d", order->cluster_id);
		(void)snprintf(words->tstamp, sizeof(words->tstamp), "%" PRId64, order->tstamp);
		statement.params[0] = words->cluster_id;
		statement.params[1] = order->master;
		statement.params[2] = words->tstamp;
	}
	return statement;
}

const char *question_text(enum question question)
{
	return questions[question].sql;
}

void question_take(struct findings *found, int question, const PGresult *result)
{
	questions[question].take(found, result);
}
