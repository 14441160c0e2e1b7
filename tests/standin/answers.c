#include "standin/answers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "pg/survey.h"
#include "standin/messages.h"

#define COLUMNS_MOST 7

enum { TYPE_BOOL = 16, TYPE_INT8 = 20, TYPE_TEXT = 25 };

struct values {
	const char *texts[COLUMNS_MOST]; /* NULL: NULL */
	char numbers[COLUMNS_MOST][24];  /* where some of them are made */
	char facts[1024];
	bool row;                        /* there is one */
	const char *sqlstate;            /* NULL: no error */
	const char *error;
};

/* ---- what each question gets ---- */

static const char *of_bool(bool value)
{
	return value ? "t" : "f";
}

static const char *of_number(struct values *values, int column, int64_t number)
{
	(void)snprintf(values->numbers[column], sizeof(values->numbers[column]), "%" PRId64, number);
	return values->numbers[column];
}

static void fail(struct values *values, const char *sqlstate, const char *error)
{
	values->sqlstate = sqlstate;
	values->error = error;
}

/* What the transaction sees: its own changes, and what is committed. */
static bool has_table(const struct asked *asked)
{
	return asked->model->has_table || asked->transaction->makes_table;
}

static const struct row *row_of(const struct asked *asked)
{
	return asked->transaction->writes ? &asked->transaction->row : model_row(asked->model, asked->now_ms);
}

static void do_nothing(const struct asked *asked, struct values *values)
{
	(void)asked;
	(void)values;
}

/* The settings are set, and no pool lies between. */
static void give_settings(const struct asked *asked, struct values *values)
{
	(void)asked;
	values->row = true;
	values->texts[0] = of_bool(true);
	values->texts[1] = "1";
}

static void give_number(const struct asked *asked, struct values *values)
{
	(void)asked;
	values->row = true;
	values->texts[0] = "1";
}

static void give_limits(const struct asked *asked, struct values *values)
{
	values->row = true;
	for (int i = 0; i < 2 && i < asked->param_count; i++)
		values->texts[i] = asked->params[i];
}

static void give_may(const struct asked *asked, struct values *values)
{
	(void)asked;
	values->row = true;
	values->texts[0] = of_bool(true);
}

static void give_who(const struct asked *asked, struct values *values)
{
	const struct model *model = asked->model;

	values->row = true;
	values->texts[0] = of_number(values, 0, model->system);
	values->texts[1] = of_number(values, 1, model->started);
	(void)snprintf(values->facts, sizeof(values->facts), "%08X0000000000000001", (unsigned)model->timeline);
	values->texts[2] = "0";
	values->texts[3] = model->upstream == NULL ? values->facts : NULL;
}

static void give_role(const struct asked *asked, struct values *values)
{
	values->row = true;
	values->texts[0] = of_bool(asked->model->upstream != NULL);
}

static void give_there(const struct asked *asked, struct values *values)
{
	values->row = true;
	values->texts[0] = has_table(asked) ? "ready" : "none";
}

static void give_row(const struct asked *asked, struct values *values)
{
	const struct row *row = row_of(asked);

	if (!has_table(asked)) {
		fail(values, "42P01", "relation \"heartbeat\" does not exist");
	} else if (row != NULL) {
		values->row = true;
		values->texts[0] = row->master;
		values->texts[1] = of_number(values, 1, row->tstamp);
	}
}

/* Role and row in one row. */
static void give_look(const struct asked *asked, struct values *values)
{
	const struct row *row = row_of(asked);

	if (!has_table(asked)) {
		fail(values, "42P01", "relation \"heartbeat\" does not exist");
		return;
	}
	give_role(asked, values);
	if (row == NULL)
		return;
	values->texts[1] = row->master;
	values->texts[2] = of_number(values, 2, row->tstamp);
}

static void give_check(const struct asked *asked, struct values *values)
{
	bool there = has_table(asked);

	values->row = true;
	values->texts[0] = of_bool(there);
	values->texts[1] = there ? "f" : NULL;
	values->texts[2] = "t";
	values->texts[3] = there ? "t" : NULL;
	values->texts[4] = of_bool(asked->model->upstream != NULL);
}

static void give_facts(const struct asked *asked, struct values *values)
{
	const char *slave = asked->model->upstream != NULL ? "true" : "false";
	const char *there = has_table(asked) ? "true" : "false";

	(void)snprintf(values->facts, sizeof(values->facts),
		       "{\"now\": %lld, \"recovery\": %s, \"read_only\": %s, \"default_read_only\": false,"
		       " \"user\": \"plusmoin\", \"database\": \"plusmoin\", \"schema\": \"public\","
		       " \"can_create\": true, \"table\": %s, \"can_select\": %s, \"can_insert\": %s,"
		       " \"can_delete\": %s, \"identity\": true, \"unlogged\": false, \"owns\": true,"
		       " \"publications\": 0, \"published\": false, \"wal_receiver_timeout_ms\": 60000,"
		       " \"idle_session_timeout_ms\": 0, \"max_connections\": 100, \"reserved\": 3,"
		       " \"sessions\": 1, \"system_id\": \"1\", \"started\": 0}",
		       (long long)time(NULL), slave, slave, there, there, there, there);
	values->row = true;
	values->texts[0] = asked->model->facts != NULL ? asked->model->facts : values->facts;
}

static void give_shape(const struct asked *asked, struct values *values)
{
	values->row = true;
	values->texts[0] = asked->model->shape != NULL ? asked->model->shape : "{\"name\": null}";
}

static void do_create(const struct asked *asked, struct values *values)
{
	if (asked->model->upstream != NULL)
		fail(values, "25006", "cannot execute CREATE TABLE in a read-only transaction");
	else
		asked->transaction->makes_table = true;
}

static void do_beat(const struct asked *asked, struct values *values)
{
	const struct row *old = row_of(asked);
	static struct row before; /* lives until the values are sent */
	struct row row = { 0 };

	if (asked->model->upstream != NULL) {
		fail(values, "25006", "cannot execute INSERT in a read-only transaction");
	} else if (!has_table(asked)) {
		fail(values, "42P01", "relation \"heartbeat\" does not exist");
	} else if (asked->param_count != 3) {
		fail(values, "08P01", "a beat has three parameters");
	} else {
		text_copy(row.master, sizeof(row.master), asked->params[1]);
		row.tstamp = strtoll(asked->params[2] != NULL ? asked->params[2] : "0", NULL, 10);
		if (old != NULL) {
			before = *old;
			row.tstamp = row.tstamp > old->tstamp ? row.tstamp : old->tstamp + 1;
			values->texts[1] = before.master;
			values->texts[2] = of_number(values, 2, before.tstamp);
		}
		values->row = true;
		values->texts[0] = of_number(values, 0, row.tstamp);
		asked->transaction->writes = true;
		asked->transaction->row = row;
	}
}

/* Its slaves have no WAL receiver. */
static void give_hearing(const struct asked *asked, struct values *values)
{
	(void)asked;
	values->row = true;
	values->texts[1] = of_bool(false);
}

#define HEARING { "SELECT 1", 7, { TYPE_INT8, TYPE_BOOL, TYPE_TEXT, TYPE_INT8, TYPE_INT8, TYPE_INT8, TYPE_INT8 }, \
		  give_hearing }

static const struct {
	const char *done; /* CommandComplete's word */
	int columns;
	int types[COLUMNS_MOST];
	void (*give)(const struct asked *asked, struct values *values);
} answers[ASK_UNKNOWN] = {
	[ASK_SETTINGS] = { "SELECT 1", 2, { TYPE_BOOL, TYPE_INT8 }, give_settings },
	[ASK_LIMITS] = { "SELECT 1", 2, { TYPE_TEXT, TYPE_TEXT }, give_limits },
	[ASK_MAY] = { "SELECT 1", 1, { TYPE_BOOL }, give_may },
	[ASK_WHO] = { "SELECT 1", 4, { TYPE_INT8, TYPE_INT8, TYPE_INT8, TYPE_TEXT }, give_who },
	[ASK_ROLE] = { "SELECT 1", 1, { TYPE_BOOL }, give_role },
	[ASK_LOOK] = { "SELECT 1", 3, { TYPE_BOOL, TYPE_TEXT, TYPE_INT8 }, give_look },
	[ASK_THERE] = { "SELECT 1", 1, { TYPE_TEXT }, give_there },
	[ASK_READABLE] = { "SELECT 1", 1, { TYPE_TEXT }, give_there },
	[ASK_ROW] = { "SELECT 1", 2, { TYPE_TEXT, TYPE_INT8 }, give_row },
	[ASK_FACTS] = { "SELECT 1", 1, { TYPE_TEXT }, give_facts },
	[ASK_SHAPE] = { "SELECT 1", 1, { TYPE_TEXT }, give_shape },
	[ASK_BEGIN] = { "BEGIN", 0, { 0 }, do_nothing },
	[ASK_LOCAL] = { "SELECT 1", 1, { TYPE_INT8 }, give_number },
	[ASK_END] = { "ROLLBACK", 0, { 0 }, do_nothing },
	[ASK_CHECK] = { "SELECT 1", 6, { TYPE_BOOL, TYPE_BOOL, TYPE_BOOL, TYPE_BOOL, TYPE_BOOL, TYPE_TEXT }, give_check },
	[ASK_CHECK_15] = { "SELECT 1", 6, { TYPE_BOOL, TYPE_BOOL, TYPE_BOOL, TYPE_BOOL, TYPE_BOOL, TYPE_TEXT }, give_check },
	[ASK_CREATE] = { "CREATE TABLE", 0, { 0 }, do_create },
	[ASK_IDENTITY] = { "ALTER TABLE", 0, { 0 }, do_nothing },
	[ASK_HEARING] = HEARING,
	[ASK_HEARING_10] = HEARING,
	[ASK_BEAT] = { "INSERT 0 1", 3, { TYPE_INT8, TYPE_TEXT, TYPE_INT8 }, do_beat },
};

int answer_find(const char *sql)
{
	for (int i = 0; i < QUESTIONS; i++) {
		const char *text = question_text((enum question)i);

		if (strcmp(sql, text != NULL ? text : ROLE_STATEMENT) == 0)
			return answers[i].give != NULL ? i : ASK_UNKNOWN;
	}
	if (strcmp(sql, survey_facts_sql) == 0 || strcmp(sql, survey_facts_15_sql) == 0)
		return ASK_FACTS;
	if (strcmp(sql, survey_table_sql) == 0)
		return ASK_SHAPE;
	if (strcmp(sql, survey_begin_sql) == 0)
		return ASK_BEGIN;
	if (strcmp(sql, pinned_local_sql) == 0)
		return ASK_LOCAL;
	return strcmp(sql, survey_end_sql) == 0 ? ASK_END : ASK_UNKNOWN;
}

void answer_describe(struct buf *out, int question)
{
	int columns = answers[question].columns;
	size_t begin;

	if (columns == 0) {
		message_add(out, 'n', NULL, 0);
		return;
	}
	begin = message_begin(out, 'T');
	add_int16(out, (unsigned)columns);
	for (int i = 0; i < columns; i++) {
		add_text(out, "column");
		add_int32(out, 0); /* of no table */
		add_int16(out, 0);
		add_int32(out, (uint32_t)answers[question].types[i]);
		add_int16(out, 0xffff); /* of any size */
		add_int32(out, 0xffffffff);
		add_int16(out, 0); /* text */
	}
	message_end(out, begin);
}

static void add_row(struct buf *out, int columns, const struct values *values)
{
	size_t begin = message_begin(out, 'D');

	add_int16(out, (unsigned)columns);
	for (int i = 0; i < columns; i++) {
		const char *text = values->texts[i];

		add_int32(out, text != NULL ? (uint32_t)strlen(text) : 0xffffffff);
		buf_add_str(out, text != NULL ? text : "");
	}
	message_end(out, begin);
}

bool answer_give(struct buf *out, int question, const struct asked *asked)
{
	struct values values;

	memset(values.texts, 0, sizeof(values.texts));
	values.row = false;
	values.sqlstate = NULL;
	answers[question].give(asked, &values);
	if (values.sqlstate != NULL) {
		message_add_error(out, "ERROR", values.sqlstate, values.error);
		return false;
	}
	if (values.row)
		add_row(out, answers[question].columns, &values);
	message_add(out, 'C', answers[question].done, strlen(answers[question].done) + 1);
	return true;
}
