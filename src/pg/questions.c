#include "pg/questions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/hearing.h"
#include "pg/tstamp.h"

/* ---- the table ---- */

/*
 * The columns: there is a table; a DELETE from it would be refused (or not replicated) under
 * logical replication; a table may be made; the table may be written; transactions are
 * read-only; the publication that would have a table made now.
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

#define ROW_SQL \
	"SELECT coalesce(master, ''), tstamp::bigint FROM heartbeat" \
	" WHERE tstamp IS NOT NULL ORDER BY " TSTAMP_MS_SQL " DESC LIMIT 1"

static const struct {
	const char *sql; /* NULL: the user's is_slave_statement */
	const char *name; /* of the prepared statement, for what each round asks; NULL: it is not prepared */
	int param_count;
	void (*take)(struct findings *found, const PGresult *result);
} questions[QUESTIONS] = {
	[ASK_SETTINGS] = { pinned_sql, NULL, 3, findings_take_settings },
	[ASK_LIMITS] = {
		"SELECT pg_catalog.set_config('lock_timeout', $1, false),"
		" pg_catalog.set_config('statement_timeout', $2, false)"
		" WHERE pg_catalog.pg_backend_pid() = $3::int", /* a connection pool would keep them for other clients */
		NULL, 3, findings_take_nothing },
	[ASK_MAY] = { who_may_sql, NULL, 0, findings_take_may },
	[ASK_WHO] = { who_sql, NULL, 0, findings_take_who },
	[ASK_LOOK] = {
		"SELECT pg_catalog.pg_is_in_recovery(), h.* FROM (SELECT) one LEFT JOIN (" ROW_SQL ") h ON true",
		"plusmoin_look", 0, findings_take_look },
	[ASK_ROLE] = { NULL, "plusmoin_role", 0, findings_take_role },
	[ASK_THERE] = {
		"SELECT CASE WHEN pg_catalog.to_regclass('heartbeat') IS NULL THEN 'none' ELSE 'ready' END",
		NULL, 0, findings_take_there },
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
		NULL, 0, findings_take_there },
	[ASK_ROW] = { ROW_SQL, "plusmoin_row", 0, findings_take_row },
	[ASK_CHECK] = { CHECK_SQL(PUBLISHES_NEW_TABLES), NULL, 0, findings_take_check },
	[ASK_CHECK_15] = { CHECK_SQL(PUBLISHES_NEW_TABLES_15), NULL, 0, findings_take_check },
	[ASK_CREATE] = {
		"CREATE TABLE IF NOT EXISTS heartbeat (cluster_id INT, master TEXT, tstamp BIGINT)",
		NULL, 0, findings_take_create },
	[ASK_IDENTITY] = { "ALTER TABLE heartbeat REPLICA IDENTITY FULL", NULL, 0, findings_take_identity },
	/*
	 * A DELETE and an INSERT in one statement, as a subscriber skips an UPDATE of a row that differs. A row
	 * after TSTAMP_MAX is nobody's beat, so the new tstamp need not be greater.
	 */
	[ASK_BEAT] = {
		"WITH old AS (DELETE FROM heartbeat RETURNING master, tstamp, " TSTAMP_MS_SQL " AS ms)"
		" INSERT INTO heartbeat (cluster_id, master, tstamp)"
		" SELECT $1::int, $2::text,"
		" greatest($3::bigint, " TSTAMP_SECONDS ", (SELECT max(ms) + 1 FROM old WHERE ms < 253402300799999))"
		" RETURNING tstamp,"
		" (SELECT coalesce(master, '') FROM old ORDER BY ms DESC NULLS LAST LIMIT 1),"
		" (SELECT tstamp FROM old ORDER BY ms DESC NULLS LAST LIMIT 1)",
		"plusmoin_beat", 3, findings_take_beat },
	[ASK_HEARING] = { hearing_sql, NULL, 0, findings_take_nothing },
	[ASK_HEARING_10] = { hearing_sql_10, NULL, 0, findings_take_nothing },
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
		.name = questions[question].name,
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
