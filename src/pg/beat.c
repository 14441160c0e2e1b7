#include "pg/beat.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"

#define PG_TYPE_BOOL 16

struct statement step_set(void)
{
	return (struct statement){ .tag = STEP_SET, .sql = "SET idle_session_timeout = 0" };
}

struct limits limits_of(const struct config *config)
{
	int64_t lock_ms = config->query_timeout_ms * 2 / 5;
	int64_t statement_ms = config->query_timeout_ms * 3 / 4;
	struct limits limits;

	(void)snprintf(limits.lock, sizeof(limits.lock), "%" PRId64, lock_ms > 0 ? lock_ms : 1);
	(void)snprintf(limits.statement, sizeof(limits.statement), "%" PRId64,
		       statement_ms > 0 ? statement_ms : 1);
	return limits;
}

struct statement step_limits(const struct limits *limits)
{
	return (struct statement){
		.tag = STEP_SET,
		.sql = "SELECT pg_catalog.set_config('lock_timeout', $1, false),"
		       " pg_catalog.set_config('statement_timeout', $2, false)",
		.param_count = 2,
		.params = { limits->lock, limits->statement },
	};
}

struct statement step_role(const char *is_slave_statement)
{
	return (struct statement){ .tag = STEP_ROLE, .sql = is_slave_statement };
}

struct statement step_there(bool closely)
{
	static const char there[] =
		"SELECT CASE WHEN pg_catalog.to_regclass('heartbeat') IS NULL THEN 'none' ELSE 'ready' END";
	static const char readable[] =
		"SELECT CASE WHEN oid IS NULL THEN 'none'"
		" WHEN EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'relation'"
		" AND l.relation = oid AND l.mode = 'AccessExclusiveLock' AND l.database ="
		" (SELECT d.oid FROM pg_catalog.pg_database d"
		" WHERE d.datname = pg_catalog.current_database())) THEN 'locked'"
		" WHEN (SELECT count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.oid"
		" AND a.attname IN ('master', 'tstamp') AND pg_catalog.has_column_privilege("
		"a.attrelid, a.attnum, 'SELECT')) < 2 THEN 'shut' ELSE 'ready' END"
		" FROM (SELECT pg_catalog.to_regclass('heartbeat')::pg_catalog.oid AS oid) t";

	return (struct statement){ .tag = STEP_THERE, .sql = closely ? readable : there };
}

struct statement step_row(void)
{
	return (struct statement){
		.tag = STEP_ROW,
		.sql = "SELECT coalesce(master, ''), tstamp::bigint FROM heartbeat"
		       " WHERE tstamp IS NOT NULL ORDER BY tstamp DESC LIMIT 1",
	};
}

/*
 * There is a table; a DELETE from it would be refused (or not replicated) under logical
 * replication; where there is none, it may be made; it may be written; nothing may be written.
 */
struct statement step_check(void)
{
	return (struct statement){
		.tag = STEP_CHECK,
		.sql = "SELECT c.oid IS NOT NULL,"
		       " c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT EXISTS"
		       " (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid"
		       " AND i.indisprimary)),"
		       " pg_catalog.has_schema_privilege(pg_catalog.current_schema(), 'CREATE'),"
		       " pg_catalog.has_any_column_privilege(c.oid, 'SELECT')"
		       " AND pg_catalog.has_any_column_privilege(c.oid, 'INSERT')"
		       " AND pg_catalog.has_table_privilege(c.oid, 'DELETE'),"
		       " pg_catalog.current_setting('transaction_read_only') = 'on'"
		       " FROM (SELECT pg_catalog.to_regclass('heartbeat') AS oid) t"
		       " LEFT JOIN pg_catalog.pg_class c ON c.oid = t.oid",
	};
}

struct statement step_create(void)
{
	return (struct statement){
		.tag = STEP_CREATE,
		.sql = "CREATE TABLE IF NOT EXISTS heartbeat"
		       " (cluster_id INT, master TEXT, tstamp BIGINT)",
	};
}

struct statement step_identity(void)
{
	return (struct statement){
		.tag = STEP_IDENTITY,
		.sql = "ALTER TABLE heartbeat REPLICA IDENTITY FULL",
	};
}

/* A DELETE and an INSERT in one statement: a subscriber skips an UPDATE of a row that differs. */
struct statement step_beat(const struct beat_order *order, struct beat_numbers *numbers)
{
	(void)snprintf(numbers->cluster_id, sizeof(numbers->cluster_id), "%d", order->cluster_id);
	(void)snprintf(numbers->tstamp, sizeof(numbers->tstamp), "%" PRId64, order->tstamp);
	return (struct statement){
		.tag = STEP_BEAT,
		.sql = "WITH old AS (DELETE FROM heartbeat RETURNING master, tstamp)"
		       " INSERT INTO heartbeat (cluster_id, master, tstamp)"
		       " SELECT $1::int, $2::text,"
		       " greatest($3::bigint, (SELECT max(tstamp) + 1 FROM old))"
		       " RETURNING tstamp,"
		       " (SELECT coalesce(master, '') FROM old ORDER BY tstamp DESC NULLS LAST LIMIT 1),"
		       " (SELECT max(tstamp) FROM old)",
		.param_count = 3,
		.params = { numbers->cluster_id, order->master, numbers->tstamp },
	};
}

const char *result_sqlstate(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return sqlstate != NULL ? sqlstate : "";
}

bool result_is_ok(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

void result_words(const PGresult *result, char *out, size_t size)
{
	const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	char *clean = secret_scrub(words != NULL ? words : PQresultErrorMessage(result));

	text_copy(out, size, clean);
	free(clean);
}

static bool take_written(struct beat_result *out, const PGresult *result)
{
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 ||
	    PQnfields(result) != 3 || PQgetisnull(result, 0, 0))
		return false;
	out->state = BEAT_WRITTEN;
	out->tstamp = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	out->replaced = !PQgetisnull(result, 0, 2);
	if (out->replaced) {
		text_copy(out->before.master, NAME_BYTES, PQgetvalue(result, 0, 1));
		out->before.tstamp = strtoll(PQgetvalue(result, 0, 2), NULL, 10);
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

static void take_check(struct beat_progress *progress, const PGresult *result)
{
	progress->checked = true;
	if (!result_is_ok(result) || PQntuples(result) != 1 || PQnfields(result) != 5)
		return;
	progress->table_missing = !is_true(result, 0);
	progress->no_identity = is_true(result, 1);
	if (is_true(result, 4))
		refuse(progress, REASON_READ_ONLY,
		       "cannot write: transactions are read-only (default_transaction_read_only)");
	else if (progress->table_missing && !is_true(result, 2))
		refuse(progress, REASON_TABLE,
		       "there is no table heartbeat, and no right to make it (CREATE in its schema)");
	else if (!progress->table_missing && !is_true(result, 3))
		refuse(progress, REASON_TABLE, "permission denied for table heartbeat");
}

static void take_create(struct beat_progress *progress, const PGresult *result)
{
	if (result_is_ok(result))
		return;
	progress->not_made = evidence_of_sqlstate(result_sqlstate(result), true);
	progress->make_locked = sqlstate_is_locked(result_sqlstate(result));
	result_words(result, progress->not_made_words, MESSAGE_BYTES);
}

void beat_take(struct beat_progress *progress, int tag, const PGresult *result)
{
	switch ((enum step)tag) {
	case STEP_CHECK:
		take_check(progress, result);
		return;
	case STEP_BEAT:
		progress->tried = true;
		if (!result_is_ok(result))
			take_refusal(progress, result);
		else if (take_written(&progress->result, result))
			progress->table_missing = false;
		else
			progress->result = swallowed();
		return;
	case STEP_IDENTITY:
		progress->may_not_alter = strcmp(result_sqlstate(result), "42501") == 0;
		if (result_is_ok(result))
			progress->no_identity = false;
		return;
	case STEP_CREATE:
		take_create(progress, result);
		return;
	case STEP_SET:
	case STEP_ROLE:
	case STEP_THERE:
	case STEP_ROW:
		return;
	}
}

enum table_state there_take(const PGresult *result)
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

bool role_take(const PGresult *result, bool *is_slave)
{
	const char *value;

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 ||
	    PQnfields(result) != 1 || PQftype(result, 0) != PG_TYPE_BOOL ||
	    PQgetisnull(result, 0, 0))
		return false;
	value = PQgetvalue(result, 0, 0);
	*is_slave = strcmp(value, "t") == 0;
	return *is_slave || strcmp(value, "f") == 0;
}

enum row_state row_take(const PGresult *result, struct row *row)
{
	if (PQntuples(result) < 1 || PQnfields(result) != 2)
		return ROW_NONE;
	text_copy(row->master, NAME_BYTES, PQgetvalue(result, 0, 0));
	row->tstamp = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
	return ROW_SHOWN;
}
