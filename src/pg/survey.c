#include "pg/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "pg/findings.h"
#include "pg/questions.h"
#include "pg/result.h"
#include "pg/dial.h"

#define FACTS_BYTES 65536 /* a server sends a hundredth of it */

#define BLOCK_STATEMENTS 4

enum { SURVEY_FACTS = 100, SURVEY_TABLE, SURVEY_FRAME, SURVEY_ROLE, SURVEY_ROW };

/* It reads catalogues only. A server older than 10 refuses it, and there are no facts then. */
#define FACTS_SQL(publishing) \
	"SELECT pg_catalog.json_build_object(" \
	" 'now', extract(epoch FROM clock_timestamp())," \
	" 'backend_pid', pg_backend_pid()," \
	" 'session_age', (SELECT extract(epoch FROM clock_timestamp() - backend_start)" \
	"   FROM pg_stat_activity WHERE pid = pg_backend_pid())," \
	" 'recovery', pg_is_in_recovery()," \
	" 'read_only', pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'," \
	" 'default_read_only', current_setting('default_transaction_read_only') = 'on'," \
	" 'user', current_user, 'database', current_database(), 'schema', current_schema()," \
	" 'can_create', has_schema_privilege(current_schema(), 'CREATE')," \
	" 'table', t.oid IS NOT NULL," \
	" 'can_select', has_table_privilege(t.oid, 'SELECT')," \
	" 'can_insert', has_table_privilege(t.oid, 'INSERT')," \
	" 'can_delete', has_table_privilege(t.oid, 'DELETE')," \
	" 'identity', (SELECT c.relreplident <> 'n' AND (c.relreplident <> 'd' OR EXISTS" \
	"   (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))" \
	"   FROM pg_class c WHERE c.oid = t.oid)," \
	" 'unlogged', (SELECT c.relpersistence <> 'p' FROM pg_class c WHERE c.oid = t.oid)," \
	" 'owns', (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c WHERE c.oid = t.oid)," \
	" 'publishing', (" publishing ")," \
	" 'table_bytes', (SELECT c.relpages::bigint * current_setting('block_size')::bigint" \
	"   FROM pg_class c WHERE c.oid = t.oid)," \
	" 'dead_rows', pg_stat_get_dead_tuples(t.oid)," \
	" 'publications', (SELECT count(*) FROM pg_publication)," \
	" 'published', EXISTS (SELECT FROM pg_publication_tables p, pg_class c, pg_namespace n" \
	"   WHERE c.oid = t.oid AND n.oid = c.relnamespace AND p.schemaname = n.nspname" \
	"   AND p.tablename = c.relname)," \
	" 'wal_receiver_timeout_ms', (SELECT setting::bigint FROM pg_settings" \
	"   WHERE name = 'wal_receiver_timeout')," \
	" 'idle_session_timeout_ms', (SELECT reset_val::bigint FROM pg_settings" \
	"   WHERE name = 'idle_session_timeout')," \
	" 'apply_delay_ms', (SELECT setting::bigint FROM pg_settings" \
	"   WHERE name = 'recovery_min_apply_delay')," \
	" 'paused', CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END," \
	" 'max_connections', current_setting('max_connections')::int," \
	" 'reserved', current_setting('superuser_reserved_connections')::int" \
	"   + coalesce(current_setting('reserved_connections', true)::int, 0)," \
	" 'sessions', (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL)," \
	" 'system_id', (SELECT system_identifier::text FROM pg_control_system())," \
	" 'started', extract(epoch FROM pg_postmaster_start_time())" \
	")::text FROM (SELECT to_regclass('heartbeat') AS oid) t"

const char survey_facts_sql[] = FACTS_SQL(PUBLISHES_NEW_TABLES);
const char survey_facts_15_sql[] = FACTS_SQL(PUBLISHES_NEW_TABLES_15);

const char survey_begin_sql[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";
const char survey_end_sql[] = "ROLLBACK";

struct survey {
	const struct config *config;
	const struct config_node *node;
	struct deadlines *deadlines; /* of its dial */
	char options[PINNED_OPTIONS + 96];
	char last_good[INET6_ADDRSTRLEN + 1];
	struct dial *dial;
	struct conn *conn;
	struct timer *deadline;
	int64_t dialled_ms;
	int64_t sent_ms;
	char *facts;
	char *table;
	struct survey_answer answer;
	void (*done)(void *data, const struct survey_answer *answer);
	void *data;
};

static void finish(struct survey *survey)
{
	if (survey->conn != NULL) {
		survey->answer.server_version = conn_server_version(survey->conn);
		survey->answer.backend_pid = conn_backend_pid(survey->conn);
	}
	survey->answer.facts = survey->facts;
	survey->answer.table = survey->table;
	dial_cancel(&survey->dial);
	conn_close(&survey->conn);
	timer_free(&survey->deadline);
	deadlines_free(&survey->deadlines);
	survey->done(survey->data, &survey->answer);
	free(survey->facts);
	free(survey->table);
	free(survey);
}

static void fail(struct survey *survey, enum reason reason, const char *message)
{
	survey->answer.reason = reason;
	text_copy(survey->answer.message, sizeof(survey->answer.message), message);
}

static void take_facts(char **facts, const PGresult *result)
{
	if (!result_is_ok(result) || PQntuples(result) != 1 || PQgetisnull(result, 0, 0) ||
	    PQgetlength(result, 0, 0) > FACTS_BYTES)
		return;
	free(*facts);
	*facts = mem_strdup(PQgetvalue(result, 0, 0));
}

static void take_role(struct survey *survey, const PGresult *result)
{
	struct survey_answer *answer = &survey->answer;

	answer->has_role = findings_role(result, &answer->is_slave);
	if (answer->has_role)
		return;
	answer->reason = result_is_ok(result) ? REASON_MALFORMED : REASON_QUERY_ERROR;
	if (result_is_ok(result))
		text_copy(answer->message, sizeof(answer->message),
			  "is_slave_statement does not return one row with one column, a boolean or an integer");
	else
		result_words(result, answer->message, sizeof(answer->message));
}

/* Takes the row. The facts, not `row_error`, tell of a table that is missing or may not be read. */
static void take_row(struct survey *survey, const PGresult *result)
{
	struct survey_answer *answer = &survey->answer;
	const char *state = result_sqlstate(result);

	if (result_is_ok(result))
		answer->row_state = findings_row(result, &answer->row);
	else if (strcmp(state, "42P01") != 0 && strcmp(state, "42501") != 0)
		result_words(result, answer->row_error, sizeof(answer->row_error));
}

static void on_result(void *data, int tag, const PGresult *result)
{
	struct survey *survey = data;

	if (tag == SURVEY_ROLE)
		take_role(survey, result);
	else if (tag == SURVEY_ROW)
		take_row(survey, result);
	else if (tag == SURVEY_FACTS) {
		survey->answer.age_ms = clock_steady_ms() - survey->dialled_ms;
		take_facts(&survey->facts, result);
	} else if (tag == SURVEY_TABLE)
		take_facts(&survey->table, result);
}

static void on_done(void *data)
{
	struct survey *survey = data;

	survey->answer.rtt_ms = clock_steady_ms() - survey->sent_ms;
	survey->answer.asked_ms = clock_wall_ms() - survey->answer.rtt_ms / 2;
	finish(survey);
}

static void on_broken(void *data, const struct evidence *evidence)
{
	struct survey *survey = data;

	fail(survey, evidence->reason, evidence->message);
	finish(survey);
}

static void on_deadline(void *data)
{
	struct survey *survey = data;
	struct evidence evidence;

	if (survey->dial != NULL && dial_hangs(survey->dial, &evidence))
		fail(survey, evidence.reason, evidence.message);
	else
		fail(survey, REASON_TIMEOUT, survey->answer.reached ? "no answer to a query within query_timeout"
								    : "no connection within query_timeout");
	finish(survey);
}

/*
 * Adds a question in a transaction of its own, so that its error does not end the next one. The transaction is
 * read-only, as the user's statement may do anything, and has the settings, which a connection pool would keep else.
 */
static void add(struct statement *batch, size_t *count, const struct pinned_words *words, int tag, const char *sql)
{
	batch[(*count)++] = (struct statement){ .tag = SURVEY_FRAME, .sql = survey_begin_sql };
	batch[(*count)++] = (struct statement){
		.tag = SURVEY_FRAME, .sql = pinned_local_sql, .param_count = 2, .params = { words->names, words->values },
	};
	batch[(*count)++] = (struct statement){ .tag = tag, .sql = sql };
	batch[(*count)++] = (struct statement){ .tag = SURVEY_FRAME, .sql = survey_end_sql };
}

static void ask(struct survey *survey)
{
	int version = conn_server_version(survey->conn);
	struct statement batch[4 * BLOCK_STATEMENTS];
	struct pinned_words words;
	size_t count = 0;

	(void)pinned_younger(PINNED_FOR_US, version, conn_backend_pid(survey->conn), &words);
	add(batch, &count, &words, SURVEY_FACTS,
	    version >= PG_SCHEMA_PUBLICATIONS ? survey_facts_15_sql : survey_facts_sql);
	add(batch, &count, &words, SURVEY_TABLE, survey_table_sql);
	add(batch, &count, &words, SURVEY_ROLE, survey->config->is_slave_statement);
	add(batch, &count, &words, SURVEY_ROW, question_text(ASK_ROW));
	survey->sent_ms = clock_steady_ms();
	conn_send(survey->conn, batch, count);
}

static void on_dialled(void *data, struct conn *conn, const struct evidence *evidence)
{
	static const struct conn_events events = {
		.failed = on_broken,
		.result = on_result,
		.done = on_done,
	};
	struct survey *survey = data;

	survey->dial = NULL;
	if (conn == NULL) {
		fail(survey, evidence->reason, evidence->message);
		finish(survey);
		return;
	}
	survey->conn = conn;
	survey->answer.reached = true;
	conn_listen(conn, &events, survey);
	ask(survey);
}

struct survey *survey_start(uv_loop_t *loop, struct resolver *resolver, const struct config *config,
			    const struct config_node *node,
			    void (*done)(void *data, const struct survey_answer *answer),
			    void *data)
{
	struct survey *survey = mem_zalloc(1, sizeof(*survey));
	const struct dial_target target = {
		.node = node,
		.options = survey->options,
		.timeout_ms = config->query_timeout_ms,
		.last_good = survey->last_good,
	};
	char options[PINNED_OPTIONS];

	pinned_options(PINNED_FOR_US, options);
	(void)snprintf(survey->options, sizeof(survey->options), "%s -c lock_timeout=%lld -c statement_timeout=%lld",
		       options, (long long)config->query_timeout_ms, (long long)config->query_timeout_ms);
	survey->config = config;
	survey->node = node;
	survey->done = done;
	survey->data = data;
	survey->dialled_ms = clock_steady_ms();
	survey->deadlines = deadlines_new(loop);
	survey->deadline = timer_new(loop, on_deadline, survey);
	timer_start(survey->deadline, config->query_timeout_ms);
	survey->dial = dial_start(loop, resolver, survey->deadlines, &target, on_dialled, survey);
	return survey;
}
